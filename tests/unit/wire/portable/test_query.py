"""The query of a request: system parameters, unknown parameters, and what a body leaves to it."""

from __future__ import annotations

from typing import Any

import pytest

from edge.wire.codec import BindingError, Render, Source
from tests.unit.wire.portable.compiling import bind, bound, method

NONE = method("t.All", body="")
FIELD = method("t.BookRequest", body="book")
WHOLE = method("t.BookRequest", body="*")


def refused(codec: Any, query: str) -> BindingError:
    """The refusal of a query."""
    with pytest.raises(BindingError) as caught:
        bind(codec, query=query)
    assert caught.value.source is Source.QUERY
    return caught.value


@pytest.mark.parametrize(
    ("query", "render"),
    [
        ("", Render()),
        ("$alt=json", Render()),
        ("alt=json", Render()),
        ("$alt=json;enum-encoding=int", Render(enums="numbers")),
        ("%24alt=json%3Benum-encoding%3Dint", Render(enums="numbers")),
        ("$prettyPrint=true", Render(pretty=True)),
        ("prettyPrint=1&alt=json", Render(pretty=True)),
        ("$fields=i32,inner/a", Render(fields=("i32", "inner.a"))),
        (
            "key=k&$key=k&access_token=t&oauth_token=t&callback=c&quotaUser=q&$userProject=p&$.xgafv=2&uploadType=media&upload_protocol=raw",
            Render(),
        ),
    ],
)
def test_system_parameters(query: str, render: Render) -> None:
    """Q5: $alt, %24alt=json;enum-encoding=int, $prettyPrint, $fields and the parameters that mean nothing here."""
    assert bind(NONE, query=query).render == render


def test_options_are_where_a_render_starts() -> None:
    """R1: pretty and enums by config, and by request."""
    codec = method("t.All", body="", pretty=True, enums="numbers")
    assert bind(codec).render == Render(enums="numbers", pretty=True)
    assert bind(codec, query="$prettyPrint=false&$alt=json;enum-encoding=string").render == Render()


@pytest.mark.parametrize("query", ["$alt=proto", "alt=media", "$alt=json;x=y", "$prettyPrint=yes", "$fields=nope"])
def test_what_a_system_parameter_cannot_ask(query: str) -> None:
    assert refused(NONE, query).field == query.partition("=")[0]


def test_a_field_of_the_message_comes_first() -> None:
    """Q5: `key` is a field of this message."""
    assert bound(method("t.BookRequest", body=""), query="key=k&callback=c").key == "k"


def test_system_parameters_can_be_off() -> None:
    assert "no such" in refused(method("t.All", body="", system_parameters=False), "$alt=json").description


def test_unknown_parameters_by_policy() -> None:
    """Q3: unknown param - reject (default), ignore, capture, or a list of names that are always ignored."""
    assert refused(NONE, "nope=1").field == "nope"
    assert bind(method("t.All", body="", unknown_query="ignore"), query="nope=1").captured == ()
    captured = bind(method("t.All", body="", unknown_query="capture"), query="a=1&i32=5&b&a=2").captured
    assert captured == (("a", "1"), ("b", ""), ("a", "2"))
    assert (
        bound(method("t.All", body="", ignored_query=("utm", "i32")), query="utm=1&i32=x&i64=2", name="t.All").i64 == 2
    )


def test_policy_never_covers_a_wrong_value() -> None:
    assert refused(method("t.All", body="", unknown_query="ignore"), "i32=x").field == "i32"


@pytest.mark.parametrize("query", ["note=%", "note=%zz", "note=%ff"])
def test_malformed_queries(query: str) -> None:
    """Q2: a malformed escape is refused."""
    refused(method("t.BookRequest", body=""), query)


def test_spaces_and_separators() -> None:
    """Q2: `+` and %20 are spaces, %2B a plus, `;` no separator, `&&` nothing; section 3: `+` literal by option."""
    codec = method("t.BookRequest", body="")
    assert bound(codec, query="note=a+b%20c%2B;d&&city").note == "a b c+;d"
    assert bound(method("t.BookRequest", body="", plus_is_space=False), query="note=a+b").note == "a+b"


def test_under_a_whole_body_no_field_comes_from_the_query() -> None:
    """Q5: body `*` - every parameter but system parameters falls to the unknown-query policy."""
    assert refused(WHOLE, "note=x").field == "note"
    assert bind(WHOLE, query="$alt=json;enum-encoding=int").render.enums == "numbers"
    assert bound(method("t.BookRequest", unknown_query="ignore"), query="note=x").note == ""
    assert bind(method("t.BookRequest", unknown_query="capture"), query="note=x").captured == (("note", "x"),)


def test_beside_a_body_field_the_query_fills_the_others() -> None:
    """Q5: with body `field`, the query fills other fields only."""
    message = bound(FIELD, query="note=x&ids=1", body='{"title":"t"}')
    assert (message.note, list(message.ids), message.book.title) == ("x", [1], "t")
    for query in ("book.title=x", "book.details.a=x", "book.labels[a]=b"):
        assert "no such parameter" in refused(FIELD, query).description


def test_repeated_parameters_append_to_the_body() -> None:
    """Q1: repeated values are also appended to those of the body."""
    assert list(bound(FIELD, query="book.authors=b&book.authors=c", body='{"authors":["a"]}').book.authors) == [
        "a",
        "b",
        "c",
    ]
    assert list(bound(method("t.BookRequest", body="tags"), query="tags=b", body='["a"]').tags) == ["a", "b"]


def test_the_query_cannot_unset_the_body() -> None:
    """Q3: a oneof whose member is the body."""
    assert refused_beside_body().field == "city"


def refused_beside_body() -> BindingError:
    """A query that would displace the body's member of a oneof."""
    with pytest.raises(BindingError) as caught:
        bind(method("t.BookRequest", body="place"), query="city=x", body='{"a":"y"}')
    return caught.value


def test_under_a_body_a_system_parameter_is_one_whatever_the_fields_are_called() -> None:
    """Q5: body `*` leaves no field to the query, so `key` is the API key there, though the message has a field of that name."""
    assert bound(WHOLE, query="key=k", body='{"note":"n"}').key == ""
    assert bind(method("t.BookRequest", body="key"), query="key=k", body='"b"').captured == ()


def test_a_long_name_is_not_sent_back_whole() -> None:
    assert len(refused(NONE, "k" * 8000 + "=1").field) == 98
