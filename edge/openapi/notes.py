"""
What a descriptor set says of its elements beside their structure: comments, deprecation, field behaviour.

Owns the walk that pairs source info (addressed by position) with full names. Descriptors built into a pool have lost the source info.
Source: google/protobuf/descriptor.proto (SourceCodeInfo), google/api/field_behavior.proto.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from google.api import field_behavior_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from edge.openapi.prose import cleaned


class Note(NamedTuple):
    """An element's comment, cleaned; whether it is deprecated; for fields, the names of their google.api.FieldBehavior."""

    text: str = ""
    deprecated: bool = False
    behaviors: tuple[str, ...] = ()


_NONE = Note()
_Path = tuple[int, ...]
_Element = Any
"""One of the messages of descriptor.proto: they share no base."""

_KINDS: dict[str, tuple[tuple[str, int], ...]] = {
    "FileDescriptorProto": (("message_type", 4), ("enum_type", 5), ("service", 6)),
    "DescriptorProto": (("field", 2), ("nested_type", 3), ("enum_type", 4), ("oneof_decl", 8)),
    "EnumDescriptorProto": (("value", 2),),
    "ServiceDescriptorProto": (("method", 2),),
}
"""The lists of named elements of each kind of descriptor, with their field numbers in descriptor.proto."""


@dataclass(frozen=True, slots=True)
class Notes:
    """
    Notes by full name.

    An enum value is filed under its enum (`pkg.Genre.GENRE_POETRY`), not beside it as C++ scoping has it.
    """

    by_name: Mapping[str, Note]

    def of(self, full_name: str) -> Note:
        """The note of an element; an empty one when nothing is said of it."""
        return self.by_name.get(full_name, _NONE)


def read_notes(descriptor_set: bytes) -> Notes:
    """The notes of all elements of a serialized FileDescriptorSet."""
    files = FileDescriptorSet.FromString(descriptor_set).file
    return Notes({name: note for file in files for name, note in _file(file) if note != _NONE})


def _file(file: FileDescriptorProto) -> Iterator[tuple[str, Note]]:
    comments = {
        tuple(location.path): location.leading_comments or location.trailing_comments
        for location in file.source_code_info.location
    }
    return _children(file, file.package, (), comments)


def _children(element: _Element, name: str, path: _Path, comments: Mapping[_Path, str]) -> Iterator[tuple[str, Note]]:
    for attribute, number in _KINDS.get(type(element).__name__, ()):
        for index, child in enumerate(getattr(element, attribute)):
            child_path = (*path, number, index)
            child_name = f"{name}.{child.name}" if name else child.name
            yield child_name, _note(child, cleaned(comments.get(child_path, "")))
            yield from _children(child, child_name, child_path, comments)


def _note(element: _Element, text: str) -> Note:
    options = element.options
    behaviors: tuple[str, ...] = ()
    if type(element).__name__ == "FieldDescriptorProto":
        given = options.Extensions[field_behavior_pb2.field_behavior]
        known = field_behavior_pb2.FieldBehavior.DESCRIPTOR.values_by_number
        behaviors = tuple(known[number].name for number in given if number in known)
    return Note(text, bool(getattr(options, "deprecated", False)), behaviors)
