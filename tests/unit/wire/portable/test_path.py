"""Path captures: every type, and the rule that the path wins over the body."""

from __future__ import annotations

from typing import Any

import pytest

from edge.wire.codec import BindingError, CompileError, Source
from tests.unit.wire.portable.compiling import bind, bound, method


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("i32", "-5", -5),
        ("i64", "9223372036854775807", 2**63 - 1),
        ("u32", "4294967295", 2**32 - 1),
        ("u64", "18446744073709551615", 2**64 - 1),
        ("s32", "-1", -1),
        ("s64", "-1", -1),
        ("f32", "1", 1),
        ("f64", "1", 1),
        ("sf32", "-1", -1),
        ("sf64", "-1", -1),
        ("flt", "0.5", 0.5),
        ("dbl", "1e300", 1e300),
        ("flag", "true", True),
        ("text", "a/b c+%", "a/b c+%"),
        ("text", "", ""),
        ("data", "-_8", b"\xfb\xff"),
        ("data", "+/8=", b"\xfb\xff"),
        ("view", "BOOK_VIEW_FULL", 2),
        ("view", "2", 2),
        ("maybe", "0", 0),
        ("name", "x", "x"),
        ("number", "7", 7),
        ("odd_name", "x", "x"),
    ],
)
def test_every_scalar(field: str, text: str, value: Any) -> None:
    """P7: all scalars, enums by name and number, base64 of either alphabet, members of oneofs."""
    message = bound(method(path=(field,), body=""), text, name="t.All")
    assert getattr(message, field) == value


@pytest.mark.parametrize(
    ("field", "text", "shown"),
    [
        ("ts", "1970-01-01T00:00:01Z", "seconds: 1"),
        ("dur", "1s", "seconds: 1"),
        ("mask", "fooBar,b", 'paths: "foo_bar"'),
        ("w_i64", "5", "value: 5"),
        ("w_text", "x", 'value: "x"'),
        ("w_bool", "true", "value: true"),
        ("w_double", "1.5", "value: 1.5"),
    ],
)
def test_well_known_types(field: str, text: str, shown: str) -> None:
    """P7: wrappers, Timestamp, Duration and FieldMask as text."""
    message = bound(method(path=(field,), body=""), text, name="t.All")
    assert message.HasField(field)
    assert shown in str(getattr(message, field))


def test_nested_fields_create_their_parents() -> None:
    """P7: nested a.b.c."""
    message = bound(method(path=("inner.next.b", "nested.a"), body=""), "0", "", name="t.All")
    assert message.inner.HasField("next")
    assert message.WhichOneof("choice") == "nested"


def test_a_repeated_field_by_option() -> None:
    """P7: repeated path param as opt-in."""
    codec = method(path=("i64s",), body="", repeated_path=True)
    assert list(bound(codec, "7", name="t.All").i64s) == [7]
    with pytest.raises(CompileError, match="repeated"):
        method(path=("i64s",), body="")


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("i32", "2147483648"),
        ("i32", "x"),
        ("i32", ""),
        ("u32", "-1"),
        ("dbl", "nan"),
        ("flt", "1e39"),
        ("flag", "1"),
        ("view", "NOPE"),
        ("view", "99"),
        ("ts", "null"),
        ("data", "*"),
        ("inner.b", "x"),
    ],
)
def test_text_that_does_not_fit(field: str, text: str) -> None:
    """P7: int overflow and NaN text are refused, the field is named."""
    with pytest.raises(BindingError) as caught:
        bind(method(path=(field,), body=""), text)
    assert (caught.value.source, caught.value.field) == (Source.PATH, field)


@pytest.mark.parametrize(
    "fields",
    [
        ("nope",),
        ("inner.nope",),
        ("twoWords",),
        ("veryOdd",),
        ("text.a",),
        ("inner",),
        ("labels",),
        ("inners",),
        ("inners.a",),
        ("labels.value",),
        ("ts.seconds",),
        ("w_i64.value",),
        ("struct",),
        ("value",),
        ("list",),
        ("any",),
        ("empty",),
        ("by_number",),
        ("name", "number"),
        ("nested.left", "nested.right"),
        ("name", "nested.a"),
        ("i32", "i32"),
        ("null.x",),
    ],
)
def test_variables_that_cannot_be_bound(fields: tuple[str, ...]) -> None:
    """P7, P1: missing, repeated, map and message-typed path fields are refused at load, and two that exclude each other."""
    with pytest.raises(CompileError) as caught:
        method(path=fields, body="")
    assert caught.value.field == fields[-1]


def test_a_variable_does_not_reach_into_a_well_known_type() -> None:
    with pytest.raises(CompileError, match="well-known type"):
        method(path=("ts.seconds",), body="")


WHOLE = method("t.BookRequest", path=("shelf",))
NESTED = method("t.BookRequest", path=("book.shelf", "book.details.b"), body="book")
DEEP = method("t.BookRequest", path=("book.details.a",), body="*")


def test_the_body_may_repeat_the_path() -> None:
    """Q5, B7: equal values are fine."""
    assert bound(WHOLE, "1", body='{"shelf":"1","note":"n"}').shelf == "1"
    assert bound(NESTED, "1", "5", body='{"shelf":"1","details":{"b":"5","a":"x"}}').book.details.a == "x"
    assert bound(DEEP, "x", body='{"book":{"details":{"a":"x"}}}').book.details.a == "x"


@pytest.mark.parametrize(
    ("codec", "captures", "body", "field", "told"),
    [
        (WHOLE, ("1",), '{"shelf":"2"}', "shelf", "the path says '1', the body says '2'"),
        (WHOLE, ("1",), '{"shelf":""}', "shelf", "the path says '1', the body says ''"),
        (NESTED, ("1", "5"), '{"shelf":"2"}', "book.shelf", "the path says '1', the body says '2'"),
        (NESTED, ("1", "5"), '{"details":{"b":6}}', "book.details.b", "the path says '5', the body says 6"),
        (NESTED, ("1", "5"), '{"details":{"b":0}}', "book.details.b", "the path says '5', the body says 0"),
        (DEEP, ("x",), '{"book":{"details":{"a":"y"}}}', "book.details.a", "the path says 'x', the body says 'y'"),
        (DEEP, ("",), '{"book":{"details":{"a":"y"}}}', "book.details.a", "the path says '', the body says 'y'"),
        (
            method("t.BookRequest", path=("shelf",), body="shelf"),
            ("1",),
            '"2"',
            "shelf",
            "the path says '1', the body says '2'",
        ),
        (
            method("t.BookRequest", path=("page_size",)),
            ("1",),
            '{"pageSize":2}',
            "page_size",
            "the path says '1', the body says 2",
        ),
        (
            method("t.BookRequest", path=("page_size",)),
            ("1",),
            '{"page_size":2}',
            "page_size",
            "the path says '1', the body says 2",
        ),
        (
            method("t.BookRequest", path=("since",)),
            ("1970-01-01T00:00:00Z",),
            '{"since":"1970-01-01T00:00:01Z"}',
            "since",
            "the path says",
        ),
        (
            method("t.BookRequest", path=("ids",), repeated_path=True),
            ("1",),
            '{"ids":[1,2]}',
            "ids",
            "the path says '1'",
        ),
    ],
)
def test_the_body_may_not_change_the_path(
    codec: Any, captures: tuple[str, ...], body: str, field: str, told: str
) -> None:
    """Q5, B7, section 3: path var also in body - the path wins, a different value is refused; a default is a value too."""
    with pytest.raises(BindingError) as caught:
        bind(codec, *captures, body=body)
    assert (caught.value.source, caught.value.field) == (Source.BODY, field)
    assert told in caught.value.description


def test_null_in_the_body_says_nothing() -> None:
    assert bound(WHOLE, "1", body='{"shelf":null}').shelf == "1"
    assert bound(NESTED, "1", "5", body='{"details":null}').book.details.b == 5


def test_equality_is_of_values_not_of_texts() -> None:
    codec = method("t.BookRequest", path=("ratio", "since", "data"))
    body = '{"ratio":"NaN","since":"1970-01-01T01:00:00+01:00","data":"-_8"}'
    assert bound(codec, "NaN", "1970-01-01T00:00:00Z", "+/8=", body=body).data == b"\xfb\xff"


def test_a_float_is_compared_as_a_float() -> None:
    """0.1 is no 32-bit float: path, body and query say the same all the same."""
    assert bound(method(path=("flt",)), "0.1", body='{"flt":0.1}', name="t.All").flt == pytest.approx(0.1)
    assert bound(method(path=("flt",), body=""), "0.1", query="flt=0.10", name="t.All").flt == pytest.approx(0.1)


def test_a_oneof_sibling_cannot_displace_the_path() -> None:
    """Q5: another member of the oneof would unset what the path bound."""
    for path, body in (
        ("city", '{"place":{"a":"x"}}'),
        ("place.a", '{"city":"x"}'),
        ("place.left", '{"place":{"right":"x"}}'),
    ):
        with pytest.raises(BindingError) as caught:
            bind(method("t.BookRequest", path=(path,)), "v", body=body)
        assert (caught.value.source, caught.value.field) == (Source.BODY, path)
        assert "oneof" in caught.value.description
    assert bound(method("t.BookRequest", path=("place.a",)), "v", body='{"place":{"b":1}}').place.b == 1
