"""Small .proto trees on disk and descriptor sets in memory for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from edge.descriptors.compile import compile_protos


def written(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files under a folder; the folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def compiled(folder: Path, text: str, name: str = "t.proto") -> bytes:
    """The descriptor set of one proto3 file of package `t`, whose body is `text`."""
    written(folder, {name: f'syntax = "proto3";\npackage t;\nimport "google/api/annotations.proto";\n{text}'})
    return compile_protos([folder], [name])


def file(name: str, *imports: str, messages: Iterable[tuple[str, str]] = ()) -> FileDescriptorProto:
    """A proto3 file of package `p`; each message has one field of the named type, or none."""
    proto = FileDescriptorProto(name=name, package="p", dependency=imports, syntax="proto3")
    for message, type_name in messages:
        made = proto.message_type.add(name=message)
        if type_name:
            made.field.add(name="a", number=1, type="TYPE_MESSAGE", label="LABEL_OPTIONAL", type_name=type_name)
    return proto


def names(data: bytes) -> list[str]:
    """The names of a serialized set's files, in order."""
    return [each.name for each in FileDescriptorSet.FromString(data).file]
