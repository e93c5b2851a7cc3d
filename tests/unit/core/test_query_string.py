"""Raw query strings to pairs."""

from __future__ import annotations

from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.query_string import MalformedQueryError, parse_query


@pytest.mark.parametrize(
    ("raw", "pairs"),
    [
        ("", []),
        ("a=1&b=2", [("a", "1"), ("b", "2")]),
        ("a=1&&b=2&", [("a", "1"), ("b", "2")]),
        ("x", [("x", "")]),
        ("x=", [("x", "")]),
        ("a=1;b=2", [("a", "1;b=2")]),
        ("a=b=c", [("a", "b=c")]),
        ("a=x+y%20z%2B", [("a", "x y z+")]),
        ("%24alt=json", [("$alt", "json")]),
        ("a=%C3%A9%2f%2F", [("a", "é//")]),
        ("a=%00", [("a", "\0")]),
        ("=v", [("", "v")]),
    ],
)
def test_pairs(raw: str, pairs: list[tuple[str, str]]) -> None:
    """Q2: `+` and %20 are spaces, %2B a plus, `;` is data, `&&` nothing, `?x` an empty value."""
    assert parse_query(raw, plus_is_space=True) == pairs


def test_plus_stays_where_it_is_not_a_space() -> None:
    assert parse_query("a=x+y", plus_is_space=False) == [("a", "x+y")]


@pytest.mark.parametrize("raw", ["a=%", "a=%1", "a=%zz", "%=1", "a=%C3%28", "a=%ff", "a=é"])
def test_malformed_is_refused(raw: str) -> None:
    """Q2: a malformed escape, or what is not UTF-8, is refused and quoted."""
    with pytest.raises(MalformedQueryError, match=r"a=|'"):
        parse_query(raw, plus_is_space=True)


@given(st.lists(st.tuples(st.text(), st.text())))
def test_what_a_form_encoder_writes_reads_back(pairs: list[tuple[str, str]]) -> None:
    safe = [(n, v) for n, v in pairs if _encodable(n) and _encodable(v)]
    raw = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in safe)
    assert parse_query(raw, plus_is_space=True) == safe


def _encodable(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text)


@pytest.mark.parametrize("raw", ["a=%zz" + "k" * 10**6, "a=" + "ä" * 10**6, "a=%C3" + "k" * 10**6])
def test_a_message_quotes_only_the_beginning(raw: str) -> None:
    """B6: forms come through here too: a megabyte is not sent back."""
    with pytest.raises(MalformedQueryError) as caught:
        parse_query(raw, plus_is_space=True)
    assert len(str(caught.value)) < 200
