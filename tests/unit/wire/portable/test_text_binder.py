"""Named text values: names, maps, oneofs, once only."""

from __future__ import annotations

from typing import Any

import pytest

from edge.wire.codec import BindingError, Source
from tests.unit.wire.portable.compiling import bind, bound, method

QUERY = method("t.BookRequest", body="")
ALL = method(body="")


def refused(query: str, codec: Any = QUERY, *path: str) -> BindingError:
    """The refusal of a query."""
    with pytest.raises(BindingError) as caught:
        bind(codec, *path, query=query)
    assert caught.value.source is Source.QUERY
    return caught.value


def test_names() -> None:
    """Q1: snake_case, json_name, custom json_name; a.b.c."""
    message = bound(ALL, query="two_words=a&veryOdd=b&inner.next.b=5&inner.tags=x&inner.tags=y", name="t.All")
    assert (message.two_words, message.odd_name, message.inner.next.b, list(message.inner.tags)) == (
        "a",
        "b",
        5,
        ["x", "y"],
    )


def test_repeated_parameters_append() -> None:
    """Q1: repeated = append."""
    assert list(bound(QUERY, query="tags=a&tags=&tags=b&ids=1&ids=2").tags) == ["a", "", "b"]


def test_singular_given_twice() -> None:
    """Q3: singular given twice is refused, in whatever spelling, and even when equal."""
    for query in ("note=a&note=b", "note=a&note=a", "page_size=1&pageSize=1", "place.a=1&place.a=2"):
        assert "twice" in refused(query).description


def test_a_oneof_set_twice() -> None:
    """Q3: oneof set twice, nested and scalar in either order."""
    for query, field in (
        ("city=a&place.b=1", "place"),
        ("place.b=1&city=a", "city"),
        ("place.left=a&place.right=b", "place.right"),
        ("city=&place.b=1", "place"),
    ):
        assert (refused(query).field, "beside" in refused(query).description) == (field, True)
    assert bound(QUERY, query="place.a=1&place.b=2").place.b == 2


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("books.name=a", "books"),
        ("labels.key=a", "labels"),
        ("labels[a].b=c", "labels"),
        ("note.x=1", "note"),
        ("since.seconds=1", "since"),
        ("value.stringValue=1", "value"),
        ("books=a", "books"),
        ("book=a", "book"),
        ("book.details=x", "book.details"),
        ("labels=a", "labels"),
        ("book.labels=a", "book.labels"),
        ("tags[0]=a", "tags"),
        ("labels[a=b", "labels"),
        ("book.extra=%7B%7D", "book.extra"),
    ],
)
def test_names_that_lead_nowhere(query: str, field: str) -> None:
    """Q3: a dotted path through repeated or map, and a type that text cannot give, are refused by name."""
    assert refused(query).field == field


@pytest.mark.parametrize("name", ["nope", "book.nope", "book..name", ".note", "note.", "", "nope[a]", "nope.a.b"])
def test_unknown_names(name: str) -> None:
    """Q3: an unknown parameter is refused."""
    assert "no such parameter" in refused(f"{name}=1").description or name == "note."


def test_maps() -> None:
    """Q4: m[k]=v with string, int and bool keys, and odd characters in keys."""
    message = bound(
        ALL,
        query="labels[a]=1&labels[]=2&labels[x.y]=3&labels[%5Bz%5D]=4&labels%5Bq%5D=5"
        "&byFlag[true]=1.5&viewOf[k]=BOOK_VIEW_FULL&byU64[7]=AQ",
        name="t.All",
    )
    assert dict(message.labels) == {"a": "1", "": "2", "x.y": "3", "[z]": "4", "q": "5"}
    assert dict(message.by_flag) == {True: 1.5}
    assert dict(message.by_u64) == {7: b"\x01"}
    assert bound(QUERY, query="book.labels[k]=v").book.labels["k"] == "v"


@pytest.mark.parametrize(
    "query",
    [
        "labels[a]=1&labels[a]=2",
        "byU64[1]=AQ&byU64[01]=AQ",
        "byFlag[1]=1",
        "byNumber[1]=x",
        "byU64[x]=AQ",
        "viewOf[k]=NOPE",
    ],
)
def test_map_entries_that_do_not_fit(query: str) -> None:
    refused(query, ALL)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("i32=2147483648", "i32"),
        ("i64=9223372036854775808", "i64"),
        ("u32=-1", "u32"),
        ("u64=18446744073709551616", "u64"),
        ("flt=3.5e38", "flt"),
        ("dbl=nan", "dbl"),
        ("view=NOPE", "view"),
        ("view=99", "view"),
        ("flag=1", "flag"),
        ("flag=TRUE", "flag"),
        ("i64s=1&i64s=x", "i64s"),
        ("inner.b=x", "inner.b"),
        ("i32=", "i32"),
    ],
)
def test_values_that_do_not_fit(query: str, field: str) -> None:
    """Q4: limits, overflow, unknown enums and other booleans are refused, the field is named."""
    assert refused(query, ALL).field == field


def test_values_that_fit() -> None:
    """Q4: NaN and infinities by name, enums by name and number, an empty string; 1 and 0 as booleans by option."""
    message = bound(ALL, query="dbl=NaN&flt=-Infinity&view=2&text=&data=-_8", name="t.All")
    assert (message.dbl != message.dbl, message.flt, message.view, message.data) == (
        True,
        float("-inf"),
        2,
        b"\xfb\xff",
    )
    assert bound(method(body="", lenient_bools=True), query="flag=1", name="t.All").flag


def test_depth_is_bounded() -> None:
    assert "too deep" in refused("self." * 200 + "i32=1", ALL).description


PATH = method("t.BookRequest", path=("shelf",), body="book")
NESTED = method("t.BookRequest", path=("book.shelf",), body="")


def test_the_query_may_repeat_the_path() -> None:
    """Q5: equal values are fine."""
    assert bound(PATH, "1", query="shelf=1&shelf=1").shelf == "1"
    assert bound(NESTED, "1", query="book.shelf=1&book.title=t").book.title == "t"


@pytest.mark.parametrize(
    ("codec", "query", "field"),
    [(PATH, "shelf=2", "shelf"), (PATH, "shelf=", "shelf"), (NESTED, "book.shelf=2", "book.shelf")],
)
def test_the_query_may_not_change_the_path(codec: Any, query: str, field: str) -> None:
    """Q5, section 3: path var also in query - the path wins, a different value is refused."""
    error = refused(query, codec, "1")
    assert error.field == field
    assert error.description == f"the path says '1', the query says {query.partition('=')[2]!r}"


def test_the_query_may_not_unset_the_path() -> None:
    """Q5: nor by way of a oneof."""
    assert refused("place.a=x", method("t.BookRequest", path=("city",), body=""), "c").field == "place"
    assert refused("city=x", method("t.BookRequest", path=("place.a",), body=""), "c").field == "city"


def test_a_repeated_path_field() -> None:
    codec = method("t.BookRequest", path=("ids",), body="", repeated_path=True)
    assert list(bound(codec, "1", query="ids=1").ids) == [1]
    assert refused("ids=2", codec, "1").field == "ids"
