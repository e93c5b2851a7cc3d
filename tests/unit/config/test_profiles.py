"""Compatibility profiles: a table of defaults, and nothing but defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from edge.config.api_models import Api, Profile
from edge.config.models import Config
from edge.config.profiles import PROFILES, Row, attribute_path, profiled
from tests.unit.config.test_models import MINIMAL

ROWS = [(profile, row) for profile, rows in PROFILES.items() for row in rows]
PAGE = Path(__file__).parents[3] / "docs" / "profiles.md"


def api(**fields: object) -> Api:
    """An API as the file's loader makes it."""
    return profiled(Api.model_validate({"name": "a", "upstream": "u", **fields}))


def value(found: Api, row: Row) -> object:
    """What the API has for a row's key."""
    section, key = attribute_path(row)
    return getattr(getattr(found, section), key)


def test_each_profile_has_its_rows() -> None:
    """`edge` is the models' own defaults."""
    assert set(PROFILES) == set(get_args(Profile))
    assert not PROFILES["edge"]
    assert api() == api(profile="edge") == Api(name="a", upstream="u")


@pytest.mark.parametrize(("profile", "row"), ROWS)
def test_a_row_is_a_default_that_differs_and_could_be_written(profile: str, row: Row) -> None:
    """It is in force where the file is silent; the same word in the file is accepted and means the same."""
    section, _, key = row.key.partition(".")
    assert value(api(profile=profile), row) == row.value != value(api(), row)
    assert value(api(**{section: {key: row.value}}), row) == row.value
    assert row.why


@pytest.mark.parametrize(("profile", "row"), ROWS)
def test_what_the_file_says_wins(profile: str, row: Row) -> None:
    """Even where it says what is the default without a profile; the section's other keys keep the profile's."""
    section, _, key = row.key.partition(".")
    written: Any = value(api(), row)
    found = api(profile=profile, **{section: {key: written}})
    assert value(found, row) == written
    others = [each for of, each in ROWS if of == profile and each.key != row.key]
    assert all(value(found, each) == each.value for each in others)


def test_a_section_that_is_written_in_part_keeps_its_words() -> None:
    """Keys no profile speaks of are untouched."""
    found = api(profile="grpc-gateway", json={"names": "proto"}, streaming={"heartbeat": "1s"})
    assert (found.json_.names, found.json_.defaults) == ("proto", True)
    assert (found.streaming.heartbeat, found.streaming.format) == (1.0, "envelope")


def test_the_whole_file_is_profiled() -> None:
    """Each API by its own profile."""
    first = {"name": "a", "reflection": True, "upstream": "u", "profile": "envoy"}
    config = Config.model_validate({**MINIMAL, "apis": [first, {**first, "name": "b", "profile": "edge"}]})
    assert [each.query.plus_is_space for each in config.apis] == [False, True]


@pytest.mark.parametrize(
    "key",
    ["http.fully_decode_reserved_expansion", "path.merge_slashes", "path.repeated", "json.form", "metadata.authorization",
     "metadata.underscores"],
)  # fmt: skip
def test_no_profile_touches_what_policies_rely_on(key: str) -> None:
    """How a path is read, what may stand for another method, and who may say what of themselves are an operator's to decide."""
    assert key not in {row.key for _, row in ROWS}


@pytest.mark.parametrize(("profile", "row"), ROWS)
def test_the_page_tells_of_every_row(profile: str, row: Row) -> None:
    """docs/profiles.md has a line for each key."""
    assert any(line.startswith("|") and f"`{row.key}`" in line for line in PAGE.read_text().splitlines())
