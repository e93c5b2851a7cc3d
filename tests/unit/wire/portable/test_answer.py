"""Answers: response_body, HttpBody, and what an unset field reads as."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edge.wire.codec import CompileError, EncodeError, Render, ResponseBody
from tests.unit.wire.portable.compiling import bind, message_class, method

LISTING = message_class("t.Listing")


def answered(field: str, message: Any, **render: Any) -> Any:
    """What a response_body answers, as a JSON value."""
    codec = method(response="t.Listing", body="", response_body=field)
    answer = codec.response(message.SerializeToString(), Render(**render))
    assert answer.content_type == "application/json"
    return json.loads(answer.body)


def test_one_field_is_the_answer() -> None:
    """R3: scalar, list, message, map, imported type."""
    message = LISTING(text="x", labels={"b": "1", "a": "2"}, total=5, view=2)
    message.books.add(title="t")
    message.book.title = "u"
    message.ts.seconds = 1
    assert [answered(f, message) for f in ("text", "books", "book", "labels", "ts", "total", "view")] == [
        "x",
        [{"title": "t"}],
        {"title": "u"},
        {"a": "2", "b": "1"},
        "1970-01-01T00:00:01Z",
        "5",
        "BOOK_VIEW_FULL",
    ]
    assert answered("view", message, enums="numbers") == 2


def test_an_unset_field_still_answers() -> None:
    """R2, R3: an empty list is [], Empty is {}; absence that can be told is null."""
    empty = LISTING()
    assert [answered(f, empty) for f in ("books", "labels", "book", "text", "total", "maybe", "ts")] == [
        [],
        {},
        {},
        "",
        "0",
        None,
        None,
    ]
    assert method(response="google.protobuf.Empty").response(b"", Render()).body == b"{}"


def test_fields_select_within_the_answer() -> None:
    message = LISTING()
    message.books.add(title="t", shelf="s")
    codec = method(response="t.Listing", body="", response_body="books")
    render = bind(codec, query="$fields=title").render
    assert codec.response(message.SerializeToString(), render).body == b'[{"title":"t"}]'


@pytest.mark.parametrize("pretty", [False, True])
def test_json_larger_than_the_bound_is_no_answer(pretty: bool) -> None:
    """Small messages with all their defaults are many times what they are on the wire. What is just as large is printed."""
    message = LISTING()
    for _ in range(200):
        message.books.add()
    wire, render = message.SerializeToString(), Render(pretty=pretty)

    def printed(max_bytes: int) -> bytes:
        codec = method(response="t.Listing", body="", print_defaults=True, max_printed_bytes=max_bytes)
        return codec.response(wire, render).body

    whole = printed(1 << 20)
    assert len(whole) > 20 * len(wire)
    assert printed(len(whole)) == whole
    for too_few in (len(whole) - 1, len(wire)):
        with pytest.raises(EncodeError, match=rf"cannot be printed: its JSON would be larger than {too_few} bytes"):
            printed(too_few)


def test_a_whole_answer_of_a_special_type() -> None:
    assert (
        method(response="google.protobuf.Timestamp").response(b"\x08\x01", Render()).body == b'"1970-01-01T00:00:01Z"'
    )
    assert method(response="google.protobuf.ListValue").response(b"", Render()).body == b"[]"


def test_http_body_is_the_answer() -> None:
    """R4: its own content type and bytes, no JSON."""
    raw = message_class("google.api.HttpBody")(content_type="text/csv", data=b"a,b\n")
    codec = method(response="google.api.HttpBody", body="")
    assert codec.response(raw.SerializeToString(), Render()) == ResponseBody("text/csv", b"a,b\n")
    assert codec.response(b"", Render()) == ResponseBody("application/octet-stream", b"")
    assert bind(codec, query="alt=media").render == Render()


def test_http_body_in_a_field() -> None:
    """R3, R4: response_body may name an HttpBody."""
    message = LISTING()
    message.file.content_type, message.file.data = "text/x", b"\xff"
    codec = method(response="t.Listing", response_body="file")
    assert codec.response(message.SerializeToString(), Render()) == ResponseBody("text/x", b"\xff")


@pytest.mark.parametrize("field", ["nope", "book.title", "*"])
def test_response_body_must_be_a_top_level_field(field: str) -> None:
    with pytest.raises(CompileError) as caught:
        method(response="t.Listing", response_body=field)
    assert caught.value.field == field


@pytest.mark.parametrize("response", ["t.All", "google.api.HttpBody"])
def test_bytes_that_are_no_message(response: str) -> None:
    with pytest.raises(EncodeError):
        method(response=response).response(b"\xff", Render())
