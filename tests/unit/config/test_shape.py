"""The models as a shape: sections, fields and elements by place."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest

from edge.config.document import Loc
from edge.config.models import Api, Config, CustomPattern, HttpRule, Listener, Model, ReflectionSource, Upstream
from edge.config.shape import as_section, bare, element, field_at, fields_of, section_at


@pytest.mark.parametrize(
    ("loc", "section"),
    [
        ((), Config),
        (("listeners", 0), Listener),
        (("upstreams", "any"), Upstream),
        (("apis", 3, "reflection"), ReflectionSource),
        (("apis", 0, "http", "rules", 1, "additional_bindings", 0), HttpRule),
        (("apis", 0, "http", "rules", 1, "additional_bindings", 0, "custom"), CustomPattern),
        (("apis", 0, "name"), None),
        (("nowhere", "deeper"), None),
    ],
)
def test_section_at(loc: Loc, section: type[Model] | None) -> None:
    """Lists, mappings and optional sections are walked through."""
    assert section_at(loc) is section


def test_field_at() -> None:
    """A field by its written key; none for list items and unknown keys."""
    assert field_at(("apis", 0, "json")) is Api.model_fields["json_"]
    assert field_at(("listeners", 0)) is None
    assert field_at(("apis", 0, "jsn")) is None
    assert field_at(()) is None


def test_keys_are_as_written() -> None:
    """An alias replaces the Python name."""
    assert "json" in fields_of(Api)
    assert "json_" not in fields_of(Api)


def test_types() -> None:
    """Annotated and `| None` fall away, elements are found."""
    assert bare(Annotated[int | None, "x"]) is int
    assert bare(int | str) == int | str
    assert element(tuple[int, ...]) is int
    assert element(dict[str, bool]) is bool
    assert element(Literal["a"]) is None
    assert as_section(Api) is Api
    assert as_section(int) is None
