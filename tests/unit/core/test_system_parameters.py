"""The syntax of Google's system parameters."""

from __future__ import annotations

import pytest

from edge.core.system_parameters import SystemParameterError, parse_alt, parse_fields, parse_flag


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("json", None), ("json;enum-encoding=int", True), ("json;enum-encoding=string", False)],
)
def test_alt(text: str, numbers: bool | None) -> None:
    assert parse_alt(text) is numbers


@pytest.mark.parametrize(
    "text", ["proto", "media", "", "JSON", "json;enum-encoding=x", "json;x=int", "json;enum-encoding"]
)
def test_alt_refuses_all_but_json(text: str) -> None:
    with pytest.raises(SystemParameterError):
        parse_alt(text)


@pytest.mark.parametrize(("text", "flag"), [("true", True), ("1", True), ("", True), ("false", False), ("0", False)])
def test_flag(text: str, flag: bool) -> None:
    assert parse_flag(text) is flag


def test_flag_refuses_the_rest() -> None:
    with pytest.raises(SystemParameterError):
        parse_flag("yes")


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("a", [("a",)]),
        ("a,b/c", [("a",), ("b", "c")]),
        ("d(e,f.g)", [("d", "e"), ("d", "f", "g")]),
        ("a(b(c,d),e),f", [("a", "b", "c"), ("a", "b", "d"), ("a", "e"), ("f",)]),
        ("a/b(c)", [("a", "b", "c")]),
        ("a, b", [("a",), ("b",)]),
        ("a,a", [("a",)]),
        ("*", []),
        ("", []),
        ("a/*", [("a", "*")]),
    ],
)
def test_fields(text: str, paths: list[tuple[str, ...]]) -> None:
    assert parse_fields(text) == tuple(paths)


@pytest.mark.parametrize(
    "text", ["a,", ",a", "a(", "a(b", "a)", "a(b))", "a()", "a..b", "a(b)c", "(" * 5000, "a(" * 5000]
)
def test_malformed_fields_are_refused(text: str) -> None:
    with pytest.raises(SystemParameterError):
        parse_fields(text)


@pytest.mark.parametrize(
    "text", ["a." * 100 + "a", "a." * 99 + "a(b)", "a." * 30_000 + "a(" + "b," * 10_000 + "b)", "a," * 1000 + "a"]
)
def test_masks_that_cost_more_than_they_say_are_refused(text: str) -> None:
    """A prefix is repeated under each selector: 80 kB of text must not become gigabytes of paths."""
    with pytest.raises(SystemParameterError, match=r"too deep|more than 1000"):
        parse_fields(text)


def test_masks_of_any_honest_size_are_taken() -> None:
    """A hundred levels, a thousand fields."""
    assert len(parse_fields("a." * 99 + "a")[0]) == 100
    assert len(parse_fields(",".join(f"a{n}" for n in range(1000)))) == 1000
