"""
Response messages into answers: JSON of the whole message or one field, or an HttpBody's own bytes.

Owns what `response_body` and `$fields` select, and that a field that is not set still answers: `[]`, `{}`, the default, or null.
Source: google/api/http.proto (response_body), google/api/httpbody.proto.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from edge.wire.codec import CompileError, EncodeError, Render, ResponseBody
from edge.wire.portable.body import HTTP_BODY
from edge.wire.portable.encode import Print, dump
from edge.wire.portable.partial import keep, tree_of
from edge.wire.portable.plan import Proto
from edge.wire.portable.schema import Schema
from edge.wire.portable.well_known import SPECIAL

JSON = "application/json"
_UNKNOWN_MEDIA_TYPE = "application/octet-stream"

Enums = Literal["names", "numbers", "short"]


class Answer(Protocol):
    """How one binding's responses become bodies."""

    def print(self, message: bytes, render: Render) -> ResponseBody:
        """One response. Raises EncodeError."""


class JsonAnswer:
    """JSON of at most `max_bytes`; `printers` by enum style."""

    def __init__(self, message_class: type[Message], printers: Mapping[Enums, Print], max_bytes: int) -> None:
        self._class = message_class
        self._printers = printers
        self._max_bytes = max_bytes

    def print(self, message: bytes, render: Render) -> ResponseBody:
        """Decode, turn into a JSON value, cut, write."""
        decoded = decode(self._class, message)
        try:
            value = self._printers[render.enums](decoded)
        except (ValueError, RecursionError) as error:
            raise EncodeError(f"the answer has no JSON form: {error}") from error
        if render.fields:
            value = keep(value, tree_of(render.fields))
        text = dump(value, render.pretty)
        if len(text) > self._max_bytes:
            raise EncodeError(f"the answer cannot be printed: its JSON would be larger than {self._max_bytes} bytes")
        return ResponseBody(JSON, text)


class RawAnswer:
    """An HttpBody: the response itself, or its field `name`."""

    def __init__(self, message_class: type[Message], name: str) -> None:
        self._class = message_class
        self._name = name

    def print(self, message: bytes, render: Render) -> ResponseBody:
        """The bytes and their type as they are."""
        decoded = decode(self._class, message)
        raw: Proto = getattr(decoded, self._name) if self._name else decoded
        return ResponseBody(raw.content_type or _UNKNOWN_MEDIA_TYPE, raw.data)


def decode(message_class: type[Message], message: bytes) -> Message:
    """A message from its bytes. Raises EncodeError."""
    try:
        return message_class.FromString(message)
    except DecodeError as error:
        raise EncodeError(f"the answer cannot be decoded: {error}") from error


def answer_field(output: Descriptor, response_body: str) -> FieldDescriptor | None:
    """The field `response_body` names, None for the whole message. Raises CompileError."""
    if not response_body:
        return None
    field = output.fields_by_name.get(response_body)
    if field is None:
        raise CompileError(response_body, f"response_body must be a top-level field of {output.full_name}")
    return field


def answer(
    output: Descriptor,
    field: FieldDescriptor | None,
    printers: Mapping[Enums, Print],
    max_bytes: int,
    *,
    raw: bool = True,
) -> Answer:
    """The answers of a binding; `raw` false prints an HttpBody like any message."""
    message_class = Schema.class_of(output)
    if raw and is_raw(output, field):
        return RawAnswer(message_class, field.name if field else "")
    return JsonAnswer(message_class, printers, max_bytes)


def is_raw(output: Descriptor, field: FieldDescriptor | None) -> bool:
    """Whether the answer is an HttpBody."""
    if field is None:
        return bool(output.full_name == HTTP_BODY)
    return bool(field.message_type and field.message_type.full_name == HTTP_BODY and not field.is_repeated)


def field_printer(field: FieldDescriptor, print_value: Print) -> Callable[[Any], Any]:
    """Prints one field of a message; null where its absence can be told, but `{}` for a plain message."""
    name = field.name
    if not field.has_presence or (field.message_type and field.message_type.full_name not in SPECIAL):
        return lambda message: print_value(getattr(message, name))
    return lambda message: print_value(getattr(message, name)) if message.HasField(name) else None
