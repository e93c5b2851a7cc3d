"""Request bodies: which there are, and which media types they take."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from edge.wire.codec import BindingError, CompileError, JsonOptions, Render, Source
from tests.unit.wire.portable.compiling import api_of, bind, bound, message_class, method

WHOLE = method("t.BookRequest")
BOOK = method("t.BookRequest", body="book")
FORM = method("t.BookRequest", path=("shelf",), form=True)
FORM_TYPE = "application/x-www-form-urlencoded"


def refused(codec: Any, *path: str, body: bytes | str, type_: str = "") -> BindingError:
    """The refusal of a body."""
    with pytest.raises(BindingError) as caught:
        bind(codec, *path, body=body, type_=type_)
    return caught.value


def test_no_body_is_an_empty_message() -> None:
    """B1: an empty body is an empty message for `*`, whatever type it declares; for a field it is absence."""
    assert bind(WHOLE, type_="text/plain").message == b""
    assert not bound(BOOK).HasField("book")


def test_absent_null_and_empty_differ() -> None:
    """B1: absent vs `null` vs `{}`."""
    assert not bound(BOOK, body="null").HasField("book")
    assert bound(BOOK, body="{}").HasField("book")
    assert "not null" in refused(WHOLE, body="null").description
    assert bound(method("t.BookRequest", body="value"), body="null").value.WhichOneof("kind") == "null_value"
    assert not bound(method("t.BookRequest", body="value")).HasField("value")


@pytest.mark.parametrize(
    ("field", "body", "value"),
    [
        ("note", '"x"', "x"),
        ("page_size", "5", 5),
        ("ids", '["1",2]', [1, 2]),
        ("tags", "null", []),
        ("view", '"BOOK_VIEW_FULL"', 2),
        ("labels", '{"a":"b"}', {"a": "b"}),
    ],
)
def test_a_body_field_of_any_kind(field: str, body: str, value: Any) -> None:
    """B2: body field scalar, repeated, map, enum."""
    held = getattr(bound(method("t.BookRequest", body=field), body=body), field)
    assert (dict(held) if isinstance(value, dict) else list(held) if isinstance(value, list) else held) == value


def test_a_body_field_of_messages() -> None:
    """B2: message, repeated message, nested."""
    assert [
        book.details.b for book in bound(method("t.BookRequest", body="books"), body='[{"details":{"b":1}},{}]').books
    ] == [1, 0]
    assert (
        refused(method("t.BookRequest", body="books"), body='[{},{"details":{"b":"x"}}]').field == "books[1].details.b"
    )
    assert refused(BOOK, body='{"nope":1}').field == "book.nope"


def test_excess_bodies_are_not_looked_at() -> None:
    """B3: a bodyless rule takes any body."""
    assert bind(method("t.BookRequest", body=""), body=b"\xff{not json", type_="image/png").message == b""


@pytest.mark.parametrize(
    "type_", ["", "application/json", "application/json; charset=UTF-8", "application/merge-patch+json"]
)
def test_media_types(type_: str) -> None:
    """B4: json with any charset spelling, +json, absent."""
    assert bind(WHOLE, body='{"note":"x"}', type_=type_).message


@pytest.mark.parametrize(
    "type_", ["text/plain", "application/json; charset=utf-16", FORM_TYPE, "application/grpc", "multipart/form-data"]
)
def test_other_media_types_are_refused(type_: str) -> None:
    """B4: unknown is 415; a form only if enabled."""
    assert refused(WHOLE, body='{"note":"x"}', type_=type_).source is Source.MEDIA_TYPE


@pytest.mark.parametrize(
    "body", [b'{"note":"\xc3\x28"}', b'{"note":"\\ud800"}', b"{}x", b"\xef\xbb\xbf{}", b"[" * 10**6, b"{"]
)
def test_malformed_json_is_blamed_on_the_body(body: bytes) -> None:
    """B6: 400 with field or offset."""
    error = refused(WHOLE, body=body)
    assert error.source is Source.BODY
    assert error.offset is not None or "deep" in error.description


def test_duplicate_keys_are_named() -> None:
    """B6: duplicate keys."""
    assert refused(WHOLE, body='{"book":{"title":"a","title":"b"}}').field == "book.title"


def test_forms() -> None:
    """B4: form-encoded bodies, where enabled, bind like a query; the path wins over them too."""
    message = message_class("t.BookRequest").FromString(
        bind(FORM, "1", body="shelf=1&note=a+b&tags=x&tags=y&book.title=t&labels[a]=b", type_=FORM_TYPE).message
    )
    assert (message.note, list(message.tags), message.book.title, dict(message.labels)) == (
        "a b",
        ["x", "y"],
        "t",
        {"a": "b"},
    )
    error = refused(FORM, "1", body="shelf=2", type_=FORM_TYPE)
    assert (error.source, error.description) == (Source.BODY, "the path says '1', the body says '2'")
    for body in (b"nope=1", b"note=%", b"note=\xff", b"page_size=x", b"note=a&note=b"):
        assert refused(FORM, "1", body=body, type_=FORM_TYPE).source is Source.BODY


def test_unknown_form_fields_can_be_skipped() -> None:
    """B7: ignore|reject holds for forms too."""
    codec = method("t.BookRequest", form=True, unknown_fields="ignore")
    assert (
        bind(codec, body="nope=1&note=x", type_=FORM_TYPE).message
        == bind(codec, body="note=x", type_=FORM_TYPE).message
    )


def test_a_form_for_a_body_field() -> None:
    codec = method("t.BookRequest", body="book", path=("book.shelf",), form=True)
    message = message_class("t.BookRequest").FromString(
        bind(codec, "1", query="note=n", body="title=t&details.a=x", type_=FORM_TYPE).message
    )
    assert (message.book.title, message.book.details.a, message.note, message.book.shelf) == ("t", "x", "n", "1")
    assert refused(codec, "1", body="shelf=2", type_=FORM_TYPE).field == "book.shelf"


def test_http_body_as_the_request() -> None:
    """B11: content_type and data as they come, of any type."""
    message = message_class("google.api.HttpBody").FromString(
        bind(method("google.api.HttpBody"), body=b"\xff\x00", type_="image/png").message
    )
    assert (message.content_type, message.data) == ("image/png", b"\xff\x00")


def test_http_body_as_any_message_where_asked() -> None:
    """In the RPC dialects it is one: JSON both ways."""
    codec = method("google.api.HttpBody", "google.api.HttpBody", http_body="json")
    message = bind(codec, body='{"contentType":"image/png","data":"/wA="}').message
    assert message_class("google.api.HttpBody").FromString(message).data == b"\xff\x00"
    answer = codec.response(message, Render())
    assert (answer.content_type, answer.body) == ("application/json", b'{"contentType":"image/png","data":"/wA="}')


def test_http_body_as_a_field() -> None:
    """B11: data in the field, the other fields from path and query."""
    message = message_class("t.Upload").FromString(
        bind(method("t.Upload", path=("name",), body="file"), "n", body=b"{", type_="text/x").message
    )
    assert (message.name, message.file.content_type, message.file.data) == ("n", "text/x", b"{")


@pytest.mark.parametrize("body", ["nope", "book.title", "pageSize", "where"])
def test_body_must_be_a_top_level_field(body: str) -> None:
    with pytest.raises(CompileError) as caught:
        method("t.BookRequest", body=body)
    assert caught.value.field == body


def test_well_known_types_as_the_whole_request() -> None:
    assert method("google.protobuf.Struct").request((), "", b'{"a":1}', "").message
    assert method("google.protobuf.Empty").request((), "", b"", "").message == b""


def test_a_binding_names_fields_by_their_proto_names() -> None:
    """P7, B2: where one field's JSON name is another's proto name, path and body mean the proto name, JSON the JSON name."""
    files = FileDescriptorSet()
    message = files.file.add(name="n.proto", package="n", syntax="proto3").message_type.add(name="N")
    message.field.add(name="a", json_name="b", number=1, type=9, label=1)
    message.field.add(name="b", json_name="c", number=2, type=9, label=1)
    codec = api_of(files.SerializeToString()).method(
        input_type="n.N",
        output_type="n.N",
        path_fields=("a",),
        body="b",
        response_body="",
        http_method="POST",
        options=JsonOptions(),
    )
    message_bytes = bind(codec, "path", body='"body"').message
    assert codec.response(message_bytes, Render()).body == b'{"b":"path","c":"body"}'
