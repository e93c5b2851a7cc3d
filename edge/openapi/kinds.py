"""
The JSON schemas of single values: scalars, and the well-known types with a JSON form of their own.

Owns that each says what the codec prints, and nothing it does not take. Floating-point NaN and infinities, which travel as strings,
are left out: as unions they would spoil every generated client for values hardly any service has.
Source: https://protobuf.dev/programming-guides/json/; JSON Schema 2020-12; https://spec.openapis.org/registry/format/.
"""

from __future__ import annotations

from typing import Any, Literal

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from edge.openapi.source import Json
from edge.wire.portable import well_known

_F = FieldDescriptor
Int64 = Literal["string", "number"]

_INT64 = {"type": "string", "format": "int64", "pattern": "^-?[0-9]{1,19}$"}
_UINT64 = {"type": "string", "format": "uint64", "pattern": "^[0-9]{1,20}$"}
_INT32 = {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1}
_UINT32 = {"type": "integer", "format": "uint32", "minimum": 0, "maximum": 2**32 - 1}

_SCALARS: dict[int, Json] = {
    _F.TYPE_DOUBLE: {"type": "number", "format": "double"},
    _F.TYPE_FLOAT: {"type": "number", "format": "float"},
    _F.TYPE_BOOL: {"type": "boolean"},
    _F.TYPE_STRING: {"type": "string"},
    _F.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
    **dict.fromkeys((_F.TYPE_INT32, _F.TYPE_SINT32, _F.TYPE_SFIXED32), _INT32),
    **dict.fromkeys((_F.TYPE_UINT32, _F.TYPE_FIXED32), _UINT32),
    **dict.fromkeys((_F.TYPE_INT64, _F.TYPE_SINT64, _F.TYPE_SFIXED64), _INT64),
    **dict.fromkeys((_F.TYPE_UINT64, _F.TYPE_FIXED64), _UINT64),
}

_SPECIAL: dict[str, Json] = {
    well_known.TIMESTAMP: {"type": "string", "format": "date-time", "examples": ["2026-01-05T09:00:00Z"]},
    well_known.DURATION: {"type": "string", "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,9})?s$", "examples": ["1.500s"]},
    well_known.FIELD_MASK: {
        "type": "string",
        "description": "Field paths, separated by commas.",
        "examples": ["title,price.units"],
    },
    well_known.STRUCT: {"type": "object", "additionalProperties": True},
    well_known.LIST_VALUE: {"type": "array", "items": {}},
    well_known.VALUE: {"description": "Any JSON value."},
    well_known.ANY: {
        "type": "object",
        "description": "A message of any type; a type with a JSON form of its own stands under `value`.",
        "properties": {"@type": {"type": "string", "description": "The URL of the message's type."}},
        "additionalProperties": True,
    },
}


def scalar(field: FieldDescriptor, int64: Int64) -> Json:
    """The schema of one value of a scalar field; enums are not scalars."""
    schema = dict(_SCALARS[field.type])
    if int64 == "number" and schema.get("format") in ("int64", "uint64"):
        del schema["pattern"]
        schema["type"] = "integer"
        if schema["format"] == "uint64":
            schema["minimum"] = 0
    return schema


def special(descriptor: Descriptor, int64: Int64) -> Json | None:
    """The schema of a well-known type with a JSON form of its own, None for every other message. A wrapper may be null."""
    if descriptor.full_name in well_known.WRAPPERS:
        schema: dict[str, Any] = scalar(descriptor.fields_by_name["value"], int64)
        return {**schema, "type": [schema["type"], "null"]}
    found = _SPECIAL.get(descriptor.full_name)
    return None if found is None else dict(found)


def without_null(schema: Json) -> Json:
    """The schema without null among its types: a path or query text has none."""
    kind = schema.get("type")
    return {**schema, "type": kind[0]} if isinstance(kind, list) else schema
