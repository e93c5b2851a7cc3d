"""Accept negotiation, from the RFC's examples and from what browsers send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.accept import choose, quality, split_outside_quotes, weighted
from tests.unit.keeping import LONG, kept_bytes

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
RFC = "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5"


@pytest.mark.parametrize(
    ("accept", "media_type", "expected"),
    [
        ("", "application/json", 1.0),
        ("*/*", "application/json", 1.0),
        ("application/*;q=0.2", "application/json", 0.2),
        ("application/json;q=0.2, */*", "application/json", 0.2),
        ("APPLICATION/JSON", "application/json", 1.0),
        ("application/json", "application/json; charset=utf-8", 1.0),
        ("application/json;charset=ascii", "application/json", 0.0),
        ("text/html", "application/json", 0.0),
        ("application/json;q=0", "application/json", 0.0),
        ("application/json;q=oops", "application/json", 0.0),
        ("application/json; q = 0.5", "application/json", 0.5),
        ("application/json;q=1.5", "application/json", 0.0),
        (BROWSER, "application/json", 0.8),
        # RFC 9110 12.5.1, the table of its example
        (RFC, "text/plain;format=flowed", 1.0),
        (RFC, "text/plain", 0.7),
        (RFC, "text/html", 0.3),
        (RFC, "image/jpeg", 0.5),
        (RFC, "text/plain;format=fixed", 0.4),
    ],
)
def test_quality(accept: str, media_type: str, expected: float) -> None:
    assert quality(accept, media_type) == expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/event-stream", "text/event-stream"),
        ("application/json;q=0.5, application/x-ndjson", "application/x-ndjson"),
        ("application/x-ndjson, application/json", "application/json"),
        ("image/png", None),
        ("*/*;q=0", None),
    ],
)
def test_choose(accept: str, expected: str | None) -> None:
    """The client's weight decides; between equals, our order."""
    assert choose(accept, ["application/json", "application/x-ndjson", "text/event-stream"]) == expected


def test_quoted_separators() -> None:
    assert split_outside_quotes(r'a;b="x,\"y",c', ",") == [r'a;b="x,\"y"', "c"]
    assert [member.value for member in weighted('a/b;title="x,y;q=0", c/d')] == ["a/b", "c/d"]


def test_only_so_many_members_are_read() -> None:
    """A field of many members costs what a short one does."""
    assert len(weighted(",".join(f"a/{n}" for n in range(1000)))) == 64


@given(st.text(max_size=200))
def test_any_field_is_read(accept: str) -> None:
    assert 0 <= quality(accept, "application/json") <= 1


def test_what_is_not_read_is_not_remembered() -> None:
    """Past the part that counts, a field may be as long as it likes."""
    beginning = "a/b," * 1024

    def say(number: int) -> None:
        assert weighted(beginning + f"{number}" + "a" * LONG)

    assert kept_bytes(say) < LONG
