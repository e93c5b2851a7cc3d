"""
What buf adds to a descriptor set: whether a file is there only because another imports it.

Owns the reading of that mark, so that the services of imports are not exposed unasked. A set made by protoc has no marks.
Source: buf/alpha/image/v1/image.proto (`ImageFileExtension.is_import`, extension 8042 of a file).
"""

from __future__ import annotations

from google.protobuf.descriptor_pb2 import FileDescriptorProto, SourceCodeInfo
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

_EXTENSION = 8042
_IS_IMPORT = 1


def is_import(file: FileDescriptorProto) -> bool:
    """Whether buf marked the file as an import."""
    return any(_marked(data) for data in _values(file, _EXTENSION) if isinstance(data, bytes))


def _marked(extension: bytes) -> bool:
    # Any message that does not know field 1 as a varint will do to read unknown fields with: this one has it as a message.
    holder = SourceCodeInfo.FromString(extension)
    return any(value == 1 for value in _values(holder, _IS_IMPORT))


def _values(message: Message, number: int) -> list[object]:
    unknown = UnknownFieldSet(message)
    fields = (unknown[index] for index in range(len(unknown)))
    return [field.data for field in fields if field.field_number == number]
