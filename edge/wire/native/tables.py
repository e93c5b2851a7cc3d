"""
Message types as the native codec is told them: plain tuples, in batches that refer only to themselves and what was told before.

Owns what is asked of protobuf's own descriptors, so that presence, packing, UTF-8 checks and closed enums are what protobuf made of
proto2, proto3 and editions. native/src/codec/load.rs reads what is written here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FeatureSet

from edge.wire.portable.decode import shared_oneof, takes_null
from edge.wire.portable.enums import enum_names, enum_numbers
from edge.wire.portable.schema import Schema, is_nullable, map_entry

_REPEATED, _PACKED, _PRESENCE, _REQUIRED, _UTF8, _HIDDEN, _NULLABLE, _TAKES_NULL, _MAP = (1 << bit for bit in range(9))

Row = tuple[Any, ...]


class Tables(Protocol):
    """edge_native.Tables: where types are told."""

    def add(self, enums: list[Row], types: list[Row]) -> None:
        """Add types that refer to each other and to those added before."""

    def knows(self, full_name: str) -> bool:
        """Whether a type has been added."""


class Telling:
    """
    Tells the types of one schema. Called by the codec with its tables and the name of a type that an Any holds.

    It holds no tables: they hold it, and a reload frees both.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._groups: dict[str, str] = {}
        self._requiring: set[str] = set()

    def __call__(self, tables: Tables, full_name: str) -> None:
        """Tell a type, if there is one, and all it reaches that has not been told."""
        descriptor = self._schema.message(full_name)
        if descriptor is None or tables.knows(full_name):
            return
        batch = _reached(descriptor, tables)
        enums = {enum.full_name: enum for each in batch for enum in _enums(each)}
        self._groups |= _with_groups(batch, self._groups)
        self._requiring |= _requiring(batch, self._requiring)
        tables.add([_enum_row(enum) for enum in enums.values()], [self._type_row(each) for each in batch])

    def _type_row(self, descriptor: Descriptor) -> Row:
        declared = {field.number: field.index for field in descriptor.fields}
        fields = sorted((*descriptor.fields, *extensions(descriptor)), key=lambda field: field.number)
        places = {field.number: place for place, field in enumerate(fields)}
        oneofs = list(dict.fromkeys(name for field in descriptor.fields if (name := shared_oneof(field)) is not None))
        name = descriptor.full_name
        return (
            name,
            [_field_row(field, oneofs, declared.get(field.number, 0)) for field in fields],
            [(key, places[field.number], is_name) for key, field, is_name in spellings(descriptor)],
            oneofs,
            self._groups.get(name, ""),
            name in self._requiring,
        )


def spellings(descriptor: Descriptor) -> list[tuple[str, FieldDescriptor, bool]]:
    """Each key of a type's JSON, its field, and whether it is the proto name of a field with another JSON name."""
    fields = {field.name: field for field in descriptor.fields} | {
        field.json_name: field for field in descriptor.fields
    }
    return [(key, field, key == field.name != field.json_name) for key, field in fields.items()]


def extensions(descriptor: Descriptor) -> list[FieldDescriptor]:
    """The extensions that the pool knows of a type: decoded, and dropped from JSON."""
    if not descriptor.is_extendable:
        return []
    return list(descriptor.file.pool.FindAllExtensions(descriptor))


def _field_row(field: FieldDescriptor, oneofs: list[str], declared: int) -> Row:
    entry = map_entry(field)
    value = field if entry is None else entry.fields_by_name["value"]
    shared = None if field.is_extension else shared_oneof(field)
    return (
        field.name,
        field.json_name,
        field.number,
        field.type,
        sum(flag for flag, is_set in _flags(field, value, is_map=entry is not None) if is_set),
        -1 if shared is None else oneofs.index(shared),
        field.message_type.full_name if field.message_type else "",
        field.enum_type.full_name if field.enum_type else "",
        field.default_value if field.enum_type and not field.is_repeated else 0,
        declared,
    )


def _flags(field: FieldDescriptor, value: FieldDescriptor, *, is_map: bool) -> Iterator[tuple[int, bool]]:
    yield _REPEATED, field.is_repeated
    yield _PACKED, field.is_packed
    yield _PRESENCE, field.has_presence
    yield _REQUIRED, field.is_required
    yield _UTF8, field.type == FieldDescriptor.TYPE_STRING and _is_checked(field)
    yield _HIDDEN, field.is_extension
    yield _NULLABLE, is_nullable(field)
    yield _TAKES_NULL, not field.is_repeated and takes_null(value)
    yield _MAP, is_map


def _is_checked(field: FieldDescriptor) -> bool:
    features = field._GetFeatures()  # type: ignore[attr-defined]  # the one place where protobuf tells; the stubs do not know it
    return bool(features.utf8_validation == FeatureSet.VERIFY)


def _enum_row(enum: EnumDescriptor) -> Row:
    short = enum_names(enum, "short")
    names = [(number, name, short[number]) for number, name in enum_names(enum, "names").items()]
    return enum.full_name, enum.is_closed, list(enum_numbers(enum).items()), names


def _reached(root: Descriptor, tables: Tables) -> list[Descriptor]:
    """The type and all that its fields hold, but what has been told."""
    found: dict[str, Descriptor] = {root.full_name: root}
    pending = [root]
    while pending:
        for inner in _held(pending.pop()):
            if inner.full_name not in found and not tables.knows(inner.full_name):
                found[inner.full_name] = inner
                pending.append(inner)
    return list(found.values())


def _held(descriptor: Descriptor) -> Iterator[Descriptor]:
    for field in (*descriptor.fields, *extensions(descriptor)):
        if field.message_type:
            yield field.message_type


def _enums(descriptor: Descriptor) -> Iterator[EnumDescriptor]:
    for field in (*descriptor.fields, *extensions(descriptor)):
        if field.enum_type:
            yield field.enum_type


def _with_groups(batch: Iterable[Descriptor], known: dict[str, str]) -> dict[str, str]:
    """Of the types that reach a group by fields of theirs: why they have no JSON form, by the first group met."""
    found = dict(known)
    grown = True
    while grown:
        grown = False
        for each in batch:
            reason = None if each.full_name in found else _group(each, found)
            if reason is not None:
                found[each.full_name] = reason
                grown = True
    return found


def _group(descriptor: Descriptor, known: dict[str, str]) -> str | None:
    for field in descriptor.fields:
        if field.type == FieldDescriptor.TYPE_GROUP:
            return f"{field.full_name}: groups (and delimited fields) have no JSON form"
        if field.message_type and field.message_type.full_name in known:
            return known[field.message_type.full_name]
    return None


def _requiring(batch: Iterable[Descriptor], known: set[str]) -> set[str]:
    """The types that reach a required field."""
    found = set(known)
    grown = True
    while grown:
        grown = False
        for each in batch:
            if each.full_name not in found and any(
                field.is_required or (field.message_type and field.message_type.full_name in found)
                for field in each.fields
            ):
                found.add(each.full_name)
                grown = True
    return found
