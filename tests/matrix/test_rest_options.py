"""
The per-API JSON options (list R1, B7, C of transcoding.md), each switched at a whole gateway of its own against the recorder.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.gateway import bookstore_config
from tests.matrix.rest_site import LAB, Site, compiled, recorded, serving
from tests.upstreams.bookstore import known
from tests.upstreams.recorder import Reply, ThreadedRecorder

Specimen = known().Specimen


@contextmanager
def options(folder: Path, **json: Any) -> Iterator[Site]:
    """A gateway with these JSON options."""
    with recorded(folder, api={"json": json}) as site:
        yield site


def test_proto_names(tmp_path: Path) -> None:
    """R1: `names: proto` in answers, nested and in masks; requests may use either."""
    with options(tmp_path, names="proto") as site:
        value = {
            "stringValue": "a",
            "anotherName": "b",
            "messageValue": {"words": ["c"]},
            "mapStringString": {"keyName": "v"},
        }
        assert site.post(LAB, value).json() == {
            "string_value": "a",
            "renamed": "b",
            "message_value": {"words": ["c"]},
            "map_string_string": {"keyName": "v"},
        }
        assert site.get(f"{LAB}?stringValue=a&boolValue=true&$fields=string_value").json() == {"string_value": "a"}


@pytest.mark.parametrize(
    ("style", "printed"),
    [("names", {"enumValue": "COLOUR_RED", "enums": ["COLOUR_GREEN"], "mapStringEnum": {"a": "COLOUR_ULTRAVIOLET"}}),
     ("numbers", {"enumValue": 1, "enums": [2], "mapStringEnum": {"a": -1}}),
     ("short", {"enumValue": "RED", "enums": ["GREEN"], "mapStringEnum": {"a": "ULTRAVIOLET"}})],
)  # fmt: skip
def test_enums(tmp_path: Path, style: str, printed: dict[str, Any]) -> None:
    """R1: as names, numbers or without their prefix; in requests every spelling is understood whatever the style."""
    with options(tmp_path, enums=style) as site:
        for red in ("COLOUR_RED", 1, "RED"):
            answer = site.post(LAB, {"enumValue": red, "enums": ["VERDANT"], "mapStringEnum": {"a": -1}})
            assert answer.json() == printed
        assert site.get(f"{LAB}?enumValue=RED").json() == {"enumValue": printed["enumValue"]}
        assert site.get(f"{LAB}/a/1/RED").json()["enumValue"] == printed["enumValue"]
        assert site.get(f"{LAB}?enumValue=RED&$alt=json;enum-encoding=int").json() == {"enumValue": 1}
        assert site.post(f"{LAB}:enum", "RED").json() == printed["enumValue"]


def test_defaults(tmp_path: Path) -> None:
    """R1, R2: `defaults: true` prints every field without presence; an empty list is `[]`, an empty map `{}`, messages stay absent."""
    with options(tmp_path, defaults=True) as site:
        printed = site.get(LAB).json()
        assert printed["strings"] == []
        assert printed["messages"] == []
        assert printed["mapStringString"] == {}
        assert (printed["int64Value"], printed["int32Value"], printed["boolValue"], printed["stringValue"]) == (
            "0",
            0,
            False,
            "",
        )
        assert printed["enumValue"] == "COLOUR_UNSPECIFIED"
        assert not {"messageValue", "optionalInt32", "choiceString", "wrappedInt64", "timestamp"} & set(printed)


def test_int64_as_numbers(tmp_path: Path) -> None:
    """R1: `int64: number`, for those whose clients can read them."""
    with options(tmp_path, int64="number") as site:
        answer = site.post(
            LAB, {"int64Value": "9007199254740993", "uint64Value": str(2**64 - 1), "int64s": ["1"], "wrappedInt64": "5"}
        )
        assert (
            answer.text
            == '{"int64Value":9007199254740993,"uint64Value":18446744073709551615,"int64s":[1],"wrappedInt64":5}'
        )


def test_pretty(tmp_path: Path) -> None:
    """R1: `pretty: true` for every answer; `$prettyPrint=false` switches it off for one."""
    with options(tmp_path, pretty=True) as site:
        assert site.get(f"{LAB}?boolValue=true").text.rstrip() == '{\n  "boolValue": true\n}'
        assert site.get(f"{LAB}?boolValue=true&$prettyPrint=false").text == '{"boolValue":true}'


def test_options_are_one_api_s_own(tmp_path: Path) -> None:
    """Two APIs of the same descriptors in one gateway, each with its own JSON."""
    with ThreadedRecorder() as upstream:
        described = compiled(tmp_path)
        config = bookstore_config(tmp_path, upstream.port, api={**described, "services": ["bookstore.v1.Laboratory"]})
        rule = {"selector": "bookstore.v1.Bookstore.GetShelf", "get": "/v1/shelves/{shelf}"}
        other = {
            **config["apis"][0],
            "name": "other",
            "services": ["bookstore.v1.Bookstore"],
            "json": {"names": "proto"},
            "http": {"rules": [rule]},
        }
        config["apis"].append(other)
        with serving(tmp_path, config, upstream) as site:
            site.fresh()
            assert site.get(f"{LAB}?stringValue=a").json() == {"stringValue": "a"}
            upstream.default = Reply(known().Shelf(book_count=3).SerializeToString())
            assert site.get("/v1/shelves/1").json() == {"book_count": 3}
