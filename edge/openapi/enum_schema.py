"""
Enums as schemas, in the style the API prints them in.

Owns the list of values: of aliases only the first is printed. Requests take names, short names and numbers whatever is printed here;
the document tells the one form that comes back.
"""

from __future__ import annotations

from typing import Any, Literal

from google.protobuf.descriptor import EnumDescriptor

from edge.openapi.notes import Notes
from edge.openapi.source import Json
from edge.wire.portable.enums import NULL_VALUE, enum_names

EnumStyle = Literal["names", "numbers", "short"]


def is_null(enum: EnumDescriptor) -> bool:
    """Whether this is google.protobuf.NullValue, whose only value is JSON's null."""
    return bool(enum.full_name == NULL_VALUE)


def enum_schema(enum: EnumDescriptor, notes: Notes, style: EnumStyle) -> Json:
    """An enum, its values described."""
    names = enum_names(enum, "names")
    shown: dict[int, Any] = {n: n for n in names} if style == "numbers" else dict(enum_names(enum, style))
    note = notes.of(enum.full_name)
    texts = {number: _value_text(notes, f"{enum.full_name}.{name}") for number, name in names.items()}
    lines = [_line(shown[n], names[n] if style == "numbers" else "", texts[n]) for n in names]
    schema: Json = {"type": "integer", "format": "int32"} if style == "numbers" else {"type": "string"}
    schema["description"] = "\n\n".join(filter(None, (note.text, "\n".join(lines))))
    schema["enum"] = list(shown.values())
    if style == "numbers":
        schema["x-enum-varnames"] = list(names.values())
    if note.deprecated:
        schema["deprecated"] = True
    return schema


def _value_text(notes: Notes, full_name: str) -> str:
    note = notes.of(full_name)
    return " ".join(filter(None, ("Deprecated." if note.deprecated else "", " ".join(note.text.split()))))


def _line(value: object, name: str, text: str) -> str:
    return f"- `{value}`{f' ({name})' if name else ''}{f': {text}' if text else ''}"
