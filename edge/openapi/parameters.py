"""
The parameters of an operation: what the path fills, and every other field the query can.

Owns which fields are query parameters: leaves of singular messages, by dotted names; repeated ones are given several times, maps as
`name[key]=value`, Struct and its kin as JSON text. A message inside itself is entered once. What only the service sets is left out.
Source: google/api/http.proto (query parameters); OpenAPI 3.1.1 section 4.8.12.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from edge.openapi.kinds import without_null
from edge.openapi.readable_path import PathParameter
from edge.openapi.required import Use
from edge.openapi.schemas import Schemas
from edge.openapi.source import Json
from edge.wire.portable import well_known
from edge.wire.portable.schema import map_entry

_MAX_DEPTH = 8
"""Levels of messages entered: a wide schema must not become a document of a million parameters."""

_TEXT_FORMS = well_known.PATH_TYPES


class _Leaf(NamedTuple):
    """A field and how it is reached. `required` says that it and all above it are."""

    steps: tuple[FieldDescriptor, ...]
    required: bool


def path_parameters(message: Descriptor, parameters: Collection[PathParameter], schemas: Schemas) -> list[Json]:
    """The parameters of a path whose variables fill fields of `message`."""
    return [_path_parameter(message, parameter, schemas) for parameter in parameters]


def _path_parameter(message: Descriptor, parameter: PathParameter, schemas: Schemas) -> Json:
    schema: Json = {"type": "string"}
    marks: Json = {}
    text = ""
    if parameter.field:
        field = _resolve(message, parameter.field)
        text = schemas.note(field.full_name).text
        marks["x-edge-field"] = parameter.field
        if parameter.part_of:
            text = f"A part of `{parameter.field}`, which is `{parameter.part_of}`."
            marks["x-edge-part-of"] = parameter.part_of
        else:
            schema = without_null(schemas.element(field, Use.INPUT))
    if parameter.spans:
        text = " ".join(filter(None, (text, "May hold several segments, with the slashes between them.")))
        marks["x-edge-spans-segments"] = True
    described = {"description": text} if text else {}
    return {"name": parameter.name, "in": "path", **described, "required": True, "schema": schema, **marks}


def _resolve(message: Descriptor, path: str) -> FieldDescriptor:
    *parents, leaf = path.split(".")
    for name in parents:
        inner = message.fields_by_name[name].message_type
        assert inner is not None  # the route's codec has walked the same path
        message = inner
    return message.fields_by_name[leaf]


def query_parameters(message: Descriptor, taken: Collection[tuple[str, ...]], schemas: Schemas) -> list[Json]:
    """The query parameters for `message`; `taken` are the fields that path and body fill, as tuples of proto names."""
    leaves = _leaves(message, (), taken, required=True, schemas=schemas)
    return [parameter for leaf in leaves if (parameter := _query_parameter(leaf, schemas))]


def _leaves(
    message: Descriptor,
    above: tuple[FieldDescriptor, ...],
    taken: Collection[tuple[str, ...]],
    *,
    required: bool,
    schemas: Schemas,
) -> Iterator[_Leaf]:
    entered = {step.containing_type.full_name for step in above if step.containing_type} | {message.full_name}
    for field in message.fields:
        steps = (*above, field)
        if _names(steps) in taken or "OUTPUT_ONLY" in schemas.note(field.full_name).behaviors:
            continue
        needed = required and schemas.is_required(field)
        inner = field.message_type
        if not inner or field.is_repeated or inner.full_name in well_known.SPECIAL:
            yield _Leaf(steps, needed)
        elif inner.full_name not in entered and len(steps) < _MAX_DEPTH and field.type != field.TYPE_GROUP:
            yield from _leaves(inner, steps, taken, required=needed, schemas=schemas)


def _names(steps: tuple[FieldDescriptor, ...]) -> tuple[str, ...]:
    return tuple(step.name for step in steps)


def _query_parameter(leaf: _Leaf, schemas: Schemas) -> Json | None:
    """A leaf as a parameter; None when its type cannot be written into a query."""
    field = leaf.steps[-1]
    form = _form(field, schemas)
    if form is None:
        return None
    note = schemas.note(field.full_name)
    parameter: Json = {"name": ".".join(schemas.name(step) for step in leaf.steps), "in": "query"}
    text = " ".join(filter(None, (note.text, _exclusive(field, schemas))))
    if text:
        parameter["description"] = text
    if leaf.required:
        parameter["required"] = True
    if note.deprecated:
        parameter["deprecated"] = True
    return parameter | form


def _form(field: FieldDescriptor, schemas: Schemas) -> Json | None:
    """How the value is written: the schema with its style, or JSON as content."""
    entry = map_entry(field)
    if entry is not None:
        value = _text_schema(entry.fields_by_name["value"], schemas)
        if value is None:
            return None
        return {"style": "deepObject", "explode": True, "schema": {"type": "object", "additionalProperties": value}}
    if field.message_type and field.message_type.full_name in well_known.JSON_TEXT and not field.is_repeated:
        return {"content": {"application/json": {"schema": schemas.element(field, Use.INPUT)}}}
    value = _text_schema(field, schemas)
    if value is None:
        return None
    if field.is_repeated:
        return {"style": "form", "explode": True, "schema": {"type": "array", "items": value}}
    return {"schema": value}


def _text_schema(field: FieldDescriptor, schemas: Schemas) -> Json | None:
    """One value as plain text; None when the type has no such form."""
    message = field.message_type
    if message and message.full_name in well_known.JSON_TEXT:
        return {"type": "string", "contentMediaType": "application/json"}
    if message and message.full_name not in _TEXT_FORMS:
        return None
    return without_null(schemas.element(field, Use.INPUT))


def _exclusive(field: FieldDescriptor, schemas: Schemas) -> str:
    """What other fields of its oneof it rules out."""
    members = field.containing_oneof.fields if field.containing_oneof else ()
    others = [f"`{schemas.name(member)}`" for member in members if member.number != field.number]
    return f"Not together with {', '.join(others)}." if others else ""
