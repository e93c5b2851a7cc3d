"""
What changed between two descriptor sets, and whether callers of the old one would notice.

Owns the judgement `breaking`: an RPC, message, field or enum value that is gone, or whose type, name, number or cardinality differs.
Names count, not only numbers: REST callers see JSON. Pure; the lines go into the log when a description is swapped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorSet

from edge.descriptors.descriptor_set import linked, parsed
from edge.descriptors.services import full_name

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference, in words."""

    text: str
    breaking: bool

    def __str__(self) -> str:
        return f"breaking: {self.text}" if self.breaking else self.text


@dataclass(frozen=True, slots=True)
class Difference:
    """All that changed, in the order of names."""

    changes: tuple[Change, ...]

    @property
    def breaking(self) -> bool:
        """Whether a caller that was right under the old set may fail under the new one."""
        return any(change.breaking for change in self.changes)

    @property
    def lines(self) -> list[str]:
        """One line for each change."""
        return [str(change) for change in self.changes]


@dataclass(slots=True)
class _Symbols:
    """What the files that differ declare, by full name."""

    methods: dict[str, MethodDescriptor]
    messages: dict[str, Descriptor]
    enums: dict[str, EnumDescriptor]


def compared(old: bytes, new: bytes) -> Difference:
    """The difference between two linkable sets. Files that are equal byte for byte cost nothing but the comparison."""
    before, after = parsed(old, "old"), parsed(new, "new")
    same = _equal_files(before, after)
    one, two = _symbols(before, same), _symbols(after, same)
    return Difference(
        (
            *_pairs(one.methods, two.methods, "RPC", _method_changes),
            *_pairs(one.messages, two.messages, "message", _message_changes),
            *_pairs(one.enums, two.enums, "enum", _enum_changes),
        )
    )


def _equal_files(before: FileDescriptorSet, after: FileDescriptorSet) -> set[str]:
    known = {file.name: file for file in before.file}
    return {file.name for file in after.file if known.get(file.name) == file}


def _symbols(files: FileDescriptorSet, same: set[str]) -> _Symbols:
    pool = linked(files, "")
    symbols = _Symbols({}, {}, {})
    for file in files.file:
        if file.name in same:
            continue
        for service in file.service:
            found = pool.FindServiceByName(full_name(file.package, service.name))
            symbols.methods.update({method.full_name: method for method in found.methods})
        for enum in file.enum_type:
            _add_enum(symbols, pool.FindEnumTypeByName(full_name(file.package, enum.name)))
        for message in file.message_type:
            _add_message(symbols, pool.FindMessageTypeByName(full_name(file.package, message.name)))
    return symbols


def _add_message(symbols: _Symbols, top: Descriptor) -> None:
    pending = [top]
    while pending:
        message = pending.pop()
        symbols.messages[message.full_name] = message
        for enum in message.enum_types:
            _add_enum(symbols, enum)
        pending.extend(message.nested_types)


def _add_enum(symbols: _Symbols, enum: EnumDescriptor) -> None:
    symbols.enums[enum.full_name] = enum


def _pairs(
    old: Mapping[str, T], new: Mapping[str, T], noun: str, changes: Callable[[T, T], Iterator[Change]]
) -> Iterator[Change]:
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield Change(f"{noun} {name} is gone", breaking=True)
        elif name not in old:
            yield Change(f"{noun} {name} is new", breaking=False)
        else:
            yield from changes(old[name], new[name])


def _method_changes(old: MethodDescriptor, new: MethodDescriptor) -> Iterator[Change]:
    facts: tuple[tuple[str, object, object], ...] = (
        ("takes", old.input_type.full_name, new.input_type.full_name),
        ("returns", old.output_type.full_name, new.output_type.full_name),
        ("is client-streaming", old.client_streaming, new.client_streaming),
        ("is server-streaming", old.server_streaming, new.server_streaming),
    )
    yield from _differing(f"RPC {new.full_name}", facts)


def _message_changes(old: Descriptor, new: Descriptor) -> Iterator[Change]:
    by_number = dict(old.fields_by_number)
    numbers = {field.name: number for number, field in new.fields_by_number.items()}
    for number, field in sorted(by_number.items()):
        moved = numbers.get(field.name)
        if moved is not None and moved != number:
            yield Change(f"field {field.full_name}: number is {moved}, was {number}", breaking=True)
        elif number in new.fields_by_number:
            yield from _field_changes(field, new.fields_by_number[number])
        else:
            yield Change(f"field {field.full_name} = {number} is gone", breaking=True)
    names = {field.name for field in by_number.values()}
    for number, field in sorted(new.fields_by_number.items()):
        if number not in by_number and field.name not in names:
            yield Change(f"field {field.full_name} = {number} is new", breaking=field.is_required)


def _field_changes(old: FieldDescriptor, new: FieldDescriptor) -> Iterator[Change]:
    facts: tuple[tuple[str, object, object], ...] = (
        ("name is", old.name, new.name),
        (
            "JSON name is",
            old.json_name,
            new.json_name if old.name == new.name else old.json_name,
        ),  # else it follows the name
        ("type is", _type(old), _type(new)),
        ("label is", _label(old), _label(new)),
        ("oneof is", _oneof(old), _oneof(new)),
    )
    yield from _differing(f"field {old.full_name}:", facts)


def _enum_changes(old: EnumDescriptor, new: EnumDescriptor) -> Iterator[Change]:
    for name, value in old.values_by_name.items():
        if name not in new.values_by_name:
            yield Change(f"enum value {old.full_name}.{name} = {value.number} is gone", breaking=True)
        elif new.values_by_name[name].number != value.number:
            number = new.values_by_name[name].number
            yield Change(f"enum value {old.full_name}.{name}: number is {number}, was {value.number}", breaking=True)
    for name, value in new.values_by_name.items():
        if name not in old.values_by_name:
            yield Change(f"enum value {old.full_name}.{name} = {value.number} is new", breaking=False)


def _differing(subject: str, facts: tuple[tuple[str, object, object], ...]) -> Iterator[Change]:
    for words, old, new in facts:
        if old != new:
            yield Change(f"{subject} {words} {new}, was {old}", breaking=True)


def _type(field: FieldDescriptor) -> str:
    if field.message_type is not None:
        group = field.type == FieldDescriptor.TYPE_GROUP
        return f"group {field.message_type.full_name}" if group else field.message_type.full_name
    if field.enum_type is not None:
        return field.enum_type.full_name
    return FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()  # type: ignore[arg-type]  # one enum, two stub types


def _label(field: FieldDescriptor) -> str:
    if field.is_repeated:
        return "repeated"
    if field.is_required:
        return "required"
    return "optional" if field.has_presence else "implicit"


def _oneof(field: FieldDescriptor) -> str:
    """The oneof a field is in; proto3's `optional` makes one of its own that no caller sees."""
    oneof = field.containing_oneof
    return "none" if oneof is None or (oneof.name == f"_{field.name}" and len(oneof.fields) == 1) else oneof.name
