"""
Messages as JSON schemas, each once, under `components`.

Owns the components of one document and the references to them. A message bound in part by the path is written out where it is used,
without what the path says. Schemas are open: unknown properties come with the next version of a service.
Source: https://protobuf.dev/programming-guides/json/; OpenAPI 3.1.1 section 4.8.24; google/api/field_behavior.proto.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, OneofDescriptor

from edge.openapi.enum_schema import enum_schema, is_null
from edge.openapi.kinds import scalar, special
from edge.openapi.notes import Note, Notes
from edge.openapi.references import reference
from edge.openapi.required import Required, Use
from edge.openapi.source import Json
from edge.wire.codec import JsonOptions
from edge.wire.portable.schema import is_nullable, map_entry

Bound = Collection[tuple[str, ...]]
"""Fields the path fills, as tuples of proto names starting at the message in question."""


class Schemas:
    """The schemas of one API; `components` grows with what is asked for."""

    def __init__(self, notes: Notes, options: JsonOptions) -> None:
        self.components: dict[str, Json] = {}
        self._notes = notes
        self._options = options
        self._required = Required(notes, print_defaults=options.print_defaults, print_nulls=options.print_nulls)

    def name(self, field: FieldDescriptor) -> str:
        """The field's name as the API prints it."""
        return str(field.name if self._options.proto_names else field.json_name)

    def note(self, full_name: str) -> Note:
        """What is said of an element."""
        return self._notes.of(full_name)

    def message(self, message: Descriptor, use: Use) -> Json:
        """A message: a reference, or the schema itself for well-known types."""
        known = special(message, self._options.int64)
        if known is not None:
            return known
        use = self._required.use_for(message, use)
        name = message.full_name + use.value
        if name not in self.components:
            self.components[name] = {}  # the message may hold itself
            self.components[name].update(self.written_out(message, use))
        return reference(name)

    def written_out(self, message: Descriptor, use: Use, bound: Bound = ()) -> Json:
        """A message's schema itself, without the fields in `bound`."""
        whole = {path[0] for path in bound if len(path) == 1}
        fields = [field for field in message.fields if field.name not in whole and field.type != field.TYPE_GROUP]
        schema: Json = {"title": message.name, "type": "object"} if bound else {"type": "object"}
        note = self.note(message.full_name)
        if note.text:
            schema["description"] = note.text
        schema["properties"] = {self.name(f): self.field(f, use, _below(bound, f.name)) for f in fields}
        required = [self.name(field) for field in fields if self._required.is_required(field, use)]
        if required:
            schema["required"] = required
        schema |= self._exclusions(message, {field.name for field in fields})
        if note.deprecated:
            schema["deprecated"] = True
        return schema

    def is_required(self, field: FieldDescriptor) -> bool:
        """Whether a request must have the field."""
        return self._required.is_required(field, Use.INPUT)

    def field(self, field: FieldDescriptor, use: Use, bound: Bound = ()) -> Json:
        """A field's whole value, described."""
        schema = self.value(field, use, bound)
        if use is Use.OUTPUT and self._options.print_nulls and self._options.print_defaults and is_nullable(field):
            schema = {"anyOf": [schema, {"type": "null"}]}
        note = self.note(field.full_name)
        text = "\n\n".join(filter(None, (note.text, "" if "$ref" in schema else schema.get("description", ""))))
        if text:
            schema["description"] = text
        return schema | _marks(note)

    def value(self, field: FieldDescriptor, use: Use, bound: Bound = ()) -> Json:
        """A field's whole value: an element, an array of them, or an object for a map."""
        entry = map_entry(field)
        if entry is not None:
            value = self.element(entry.fields_by_name["value"], use)
            return {"type": "object", "additionalProperties": value}
        if field.is_repeated:
            return {"type": "array", "items": self.element(field, use)}
        if bound and field.message_type:
            return self.written_out(field.message_type, use, bound)
        return self.element(field, use)

    def element(self, field: FieldDescriptor, use: Use) -> Json:
        """One value of a field."""
        if field.message_type:
            return self.message(field.message_type, use)
        if field.enum_type:
            return self.enum(field.enum_type)
        return scalar(field, self._options.int64)

    def enum(self, enum: EnumDescriptor) -> Json:
        """A reference to an enum."""
        if is_null(enum):
            return {"type": "null"}
        if enum.full_name not in self.components:
            self.components[enum.full_name] = enum_schema(enum, self._notes, self._options.enums)
        return reference(enum.full_name)

    def _exclusions(self, message: Descriptor, kept: Collection[str]) -> Json:
        """At most one member of each oneof."""
        rules = [rule for oneof in message.oneofs if (rule := self._exclusion(oneof, kept))]
        if len(rules) == 1:
            return rules[0]
        return {"allOf": rules} if rules else {}

    def _exclusion(self, oneof: OneofDescriptor, kept: Collection[str]) -> Json:
        names = [self.name(field) for field in oneof.fields if field.name in kept]
        if len(names) < 2:  # among them the oneofs that proto3 `optional` is made of
            return {}
        each: list[Any] = [{"required": [name]} for name in names]
        return {"oneOf": [*each, {"not": {"anyOf": each}}]}


def _below(bound: Bound, name: str) -> Bound:
    return [path[1:] for path in bound if len(path) > 1 and path[0] == name]


def _marks(note: Note) -> Json:
    """The keywords a note comes to. IDENTIFIER and IMMUTABLE have none of their own in JSON Schema."""
    marks: Json = {}
    if "OUTPUT_ONLY" in note.behaviors:
        marks["readOnly"] = True
    if "INPUT_ONLY" in note.behaviors:
        marks["writeOnly"] = True
    others = sorted({"IDENTIFIER", "IMMUTABLE"}.intersection(note.behaviors))
    if others:
        marks["x-field-behavior"] = others
    if note.deprecated:
        marks["deprecated"] = True
    return marks
