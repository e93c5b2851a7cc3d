"""
From messages to JSON values: compiles each message type, once per style, into closures that print it.

Owns the proto3 JSON mapping's printing half. Fields come in the order of their numbers, map entries in the order of their keys, so
that equal messages print equal bytes. Unknown fields and extensions are dropped: a newer service must not break its clients.
Source: https://protobuf.dev/programming-guides/json/.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from operator import itemgetter
from typing import Any, Literal, NamedTuple

import orjson
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from edge.wire.codec import CompileError, EncodeError
from edge.wire.portable import well_known
from edge.wire.portable.any_type import opaque
from edge.wire.portable.enums import NULL_VALUE, enum_names
from edge.wire.portable.json_parse import Json
from edge.wire.portable.numbers import print_double, print_float
from edge.wire.portable.plan import Proto
from edge.wire.portable.schema import Schema, is_nullable, is_plain_entry, map_entry

Print = Callable[[Any], Any]
"""From what a message field holds to a JSON value; raises ValueError when there is none."""

_INT64_TYPES = frozenset(
    {
        FieldDescriptor.TYPE_INT64,
        FieldDescriptor.TYPE_UINT64,
        FieldDescriptor.TYPE_SINT64,
        FieldDescriptor.TYPE_FIXED64,
        FieldDescriptor.TYPE_SFIXED64,
    }
)


class Style(NamedTuple):
    """What of JsonOptions and Render decides how a value looks."""

    proto_names: bool
    enums: Literal["names", "numbers", "short"]
    print_defaults: bool
    print_nulls: bool
    int64: Literal["string", "number"]


class FieldPrinter(NamedTuple):
    """
    One field: its printed name, its proto name, whether absence can be told and is printed as null.

    `print`: how its whole value prints (None: as it is).
    """

    name: str
    attribute: str
    presence: bool
    nullable: bool
    print: Print | None


class MessagePrinter:
    """A message type's printer; `print` is what a caller uses."""

    __slots__ = ("fields", "print", "special")

    def __init__(self, special: bool) -> None:
        self.fields: dict[FieldDescriptor, FieldPrinter] = {}
        self.print: Print = _unfinished
        self.special = special


class Encoder:
    """The printers of one API in one style, compiled on demand and kept."""

    def __init__(self, schema: Schema, style: Style) -> None:
        self._schema = schema
        self._style = style
        self._printers: dict[str, MessagePrinter] = {}
        self._pending: list[tuple[Descriptor, MessagePrinter]] = []
        self._declared: list[str] = []  # by the compilation that runs

    def printer(self, descriptor: Descriptor) -> MessagePrinter:
        """The printer of a message type and, with it, of all it can contain. Raises CompileError for a group."""
        self._declared.clear()
        printer = self._declare(descriptor)
        try:
            self._finish()
        except CompileError:
            # What was declared on the way refers to what failed: forget it all, or the next caller would get a half-made printer.
            self._pending.clear()
            for declared in self._declared:
                del self._printers[declared]
            raise
        return printer

    def field(self, field: FieldDescriptor) -> Print:
        """How one field's whole value prints (for response_body). Its message has been compiled."""
        return self._field(field).print or (lambda value: value)

    def _finish(self) -> None:
        while self._pending:
            pending, unfinished = self._pending.pop()
            for field in sorted(pending.fields, key=lambda field: field.number):
                unfinished.fields[field] = self._field(field)

    def print_any(self, message: Proto) -> dict[str, Any]:
        """An Any by its type; as base64 when the type is unknown or the bytes are not of it."""
        url, value = message.type_url, message.value
        if not url and not value:
            return {}
        descriptor = self._schema.of_url(url)
        if descriptor is None:
            return opaque(url, value)
        try:
            printer = self.printer(descriptor)
            printed = printer.print(self._schema.class_of(descriptor).FromString(value))
        except (DecodeError, ValueError, CompileError):
            return opaque(url, value)
        return {"@type": url, "value": printed} if printer.special else {"@type": url, **printed}

    def _declare(self, descriptor: Descriptor) -> MessagePrinter:
        name = descriptor.full_name
        printer = self._printers.get(name)
        if printer is None:
            printer = MessagePrinter(name in well_known.SPECIAL)
            printer.print = self._special(descriptor) if printer.special else self._message(printer)
            self._printers[name] = printer
            self._declared.append(name)
            if not printer.special:
                self._pending.append((descriptor, printer))
        return printer

    def _special(self, descriptor: Descriptor) -> Print:
        if descriptor.full_name == well_known.ANY:
            return self.print_any
        if descriptor.full_name not in well_known.WRAPPERS:
            return well_known.PRINTERS[descriptor.full_name]
        convert = self._scalar(descriptor.fields_by_name["value"])
        return (lambda message: message.value) if convert is None else (lambda message: convert(message.value))

    def _message(self, printer: MessagePrinter) -> Print:
        return (
            _all_fields_printer(printer.fields) if self._style.print_defaults else _set_fields_printer(printer.fields)
        )

    def _field(self, field: FieldDescriptor) -> FieldPrinter:
        if field.type == FieldDescriptor.TYPE_GROUP:
            raise CompileError(field.full_name, "groups (and delimited fields) have no JSON form")
        name = field.name if self._style.proto_names else field.json_name
        nullable = self._style.print_nulls and is_nullable(field)
        return FieldPrinter(name, field.name, field.has_presence, nullable, self._shape(field))

    def _shape(self, field: FieldDescriptor) -> Print | None:
        entry = map_entry(field)
        if entry is not None:
            value = entry.fields_by_name["value"]
            convert = self._element(value)
            if is_plain_entry(entry):
                return _entries_printer(convert, closed=value.enum_type is not None and value.enum_type.is_closed)
            return _map_printer(entry.fields_by_name["key"].type == FieldDescriptor.TYPE_BOOL, convert)
        convert = self._element(field)
        if not field.is_repeated:
            return convert
        return list if convert is None else lambda values: [convert(value) for value in values]

    def _element(self, field: FieldDescriptor) -> Print | None:
        if not field.message_type:
            return self._scalar(field)
        printer = self._declare(field.message_type)
        return printer.print

    def _scalar(self, field: FieldDescriptor) -> Print | None:
        if field.enum_type is not None:
            return self._enum(field.enum_type)
        if field.type in _INT64_TYPES:
            return str if self._style.int64 == "string" else None
        if field.type == FieldDescriptor.TYPE_BYTES:
            return _print_bytes
        return {FieldDescriptor.TYPE_DOUBLE: print_double, FieldDescriptor.TYPE_FLOAT: print_float}.get(field.type)

    def _enum(self, enum: EnumDescriptor) -> Print | None:
        style = self._style.enums
        if enum.full_name == NULL_VALUE:
            return lambda number: None
        if style == "numbers":
            return None
        names = enum_names(enum, style)
        return lambda number: names.get(number, number)


def dump(value: Json, pretty: bool) -> bytes:
    """A JSON value as UTF-8 text. Raises EncodeError."""
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 if pretty else None)
    except TypeError as error:
        raise EncodeError(f"the answer cannot be printed: {error}") from error


def _set_fields_printer(fields: dict[FieldDescriptor, FieldPrinter]) -> Print:
    def print_message(message: Message) -> dict[str, Any]:
        result = {}
        for descriptor, value in message.ListFields():
            field = fields.get(descriptor)
            if field is not None:  # an extension has no entry
                name, _, _, _, convert = field
                result[name] = value if convert is None else convert(value)
        return result

    return print_message


def _all_fields_printer(fields: dict[FieldDescriptor, FieldPrinter]) -> Print:
    def print_message(message: Message) -> dict[str, Any]:
        result = {}
        for name, attribute, presence, nullable, convert in fields.values():
            if not presence or message.HasField(attribute):
                value = getattr(message, attribute)
                result[name] = value if convert is None else convert(value)
            elif nullable:
                result[name] = None
        return result

    return print_message


def _map_printer(boolean_keys: bool, convert: Print | None) -> Print:
    text: Callable[[Any], Any] = (lambda key: "true" if key else "false") if boolean_keys else lambda key: key

    def print_map(entries: Proto) -> dict[str, Any]:
        try:
            keys = sorted(entries)
        except TypeError as error:  # proto2 does not check: such a string comes as bytes (one alone fails in `dump`)
            raise ValueError("a map's key is not UTF-8") from error
        return {text(key): entries[key] if convert is None else convert(entries[key]) for key in keys}

    return print_map


def _entries_printer(convert: Print | None, *, closed: bool) -> Print:
    """
    For a map that protobuf holds as a list of entries: of entries with one key the last counts, as on the wire.

    An entry whose number a `closed` enum does not declare is dropped, as a map would drop it.
    """

    def print_entries(entries: Proto) -> dict[str, Any]:
        pairs = ((entry.key, entry) for entry in entries if not closed or entry.HasField("value"))
        ordered = sorted(pairs, key=itemgetter(0))
        return {str(key): entry.value if convert is None else convert(entry.value) for key, entry in ordered}

    return print_entries


def _print_bytes(value: bytes) -> str:
    return b64encode(value).decode()


def _unfinished(value: Json) -> Json:
    raise AssertionError("the printer is not compiled yet")
