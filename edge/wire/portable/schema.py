"""
The message classes of one API, from its descriptor set, in a descriptor pool of their own.

Owns isolation: two APIs may define the same name differently, and nothing an API brings reaches the process-wide pool.
Files may come in any order. The google/protobuf files and google/rpc/error_details.proto are added where the set lacks them:
error details travel as Any and services rarely import them in their API.

Maps with integer keys are declared to protobuf as what they are on the wire, repeated entries. Its own hash of integers is known to
everyone (upb folds the halves together), so that two megabytes of chosen keys would keep a worker busy for a quarter of a minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from google.protobuf import (
    any_pb2,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2

from edge.wire.codec import CompileError

_STANDARD: dict[str, bytes] = {
    module.DESCRIPTOR.name: module.DESCRIPTOR.serialized_pb
    for module in (
        any_pb2,
        duration_pb2,
        empty_pb2,
        field_mask_pb2,
        struct_pb2,
        timestamp_pb2,
        wrappers_pb2,
        error_details_pb2,
    )
}


Files = dict[str, FileDescriptorProto]


class Schema:
    """The messages of one descriptor set, by full name."""

    def __init__(self, descriptor_set: bytes) -> None:
        self._pool = DescriptorPool()
        files = _parse(descriptor_set)
        for name in _dependencies_first(files):
            self._add(name, files[name].SerializeToString())
        self._add_standard(files)
        self.full_names = frozenset(_full_names(files.values()))
        """Of every message there is, so that who meets many names need not ask for each."""

    def message(self, full_name: str) -> Descriptor | None:
        """The descriptor of a message type, None when there is none."""
        try:
            return self._pool.FindMessageTypeByName(full_name)
        except KeyError:
            return None

    def of_url(self, type_url: str) -> Descriptor | None:
        """The descriptor of the type an Any names: what follows the last slash."""
        _, slash, full_name = type_url.rpartition("/")
        return self.message(full_name) if slash and full_name else None

    @staticmethod
    def class_of(descriptor: Descriptor) -> type[Message]:
        """The Python class of a message type of this schema."""
        return GetMessageClass(descriptor)

    def _add(self, name: str, file: bytes) -> None:
        try:
            self._pool.AddSerializedFile(file)
        except TypeError as error:
            raise CompileError(name, f"the descriptors contradict each other: {error}") from error

    def _add_standard(self, files: Files) -> None:
        """Offer the standard types to Any; a set that defines them under other file names keeps its own."""
        for name in _STANDARD:
            if name not in files:
                try:
                    self._pool.AddSerializedFile(_STANDARD[name])
                except TypeError:
                    continue
                files[name] = FileDescriptorProto.FromString(_STANDARD[name])


def _full_names(files: Iterable[FileDescriptorProto]) -> Iterator[str]:
    pending = [(file.package, message) for file in files for message in file.message_type]
    while pending:
        scope, message = pending.pop()
        name = f"{scope}.{message.name}" if scope else message.name
        yield name
        pending += [(name, inner) for inner in message.nested_type]


def is_nullable(field: FieldDescriptor) -> bool:
    """Whether its absence is printed as null where nulls are printed: not in a oneof, of which proto3 `optional` is made too."""
    return bool(field.has_presence and field.containing_oneof is None)


def map_entry(field: FieldDescriptor) -> Descriptor | None:
    """The entry type of a map (on the wire: repeated entries), None for every other field."""
    entry = field.message_type
    return entry if entry is not None and is_map_entry(entry) else None


def is_map_entry(message: Descriptor) -> bool:
    """Whether a message is the entry of a map, of either kind."""
    return bool(message.GetOptions().map_entry) or is_plain_entry(message)


def is_plain_entry(message: Descriptor) -> bool:
    """Whether a message is the entry of a map that protobuf holds as a list of entries."""
    return bool(message.GetOptions().no_standard_descriptor_accessor)


def _parse(descriptor_set: bytes) -> Files:
    try:
        files = FileDescriptorSet.FromString(descriptor_set).file
    except DecodeError as error:
        raise CompileError("", "the bytes are no FileDescriptorSet") from error
    for file in files:
        _spell_out_integer_maps(file.message_type)
    return {file.name: file for file in files}


_HASHED_WELL = (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BOOL)
"""Strings with a secret seed; and there are two booleans."""


def _spell_out_integer_maps(messages: Iterable[DescriptorProto]) -> None:
    """
    Turn each map of integers, at any depth, into a repeated field of its entries.

    The mark is an option that Java's first compiler took and nothing reads any more; a message of the user's that has it loses it.
    """
    pending = list(messages)
    while pending:
        message = pending.pop()
        pending += message.nested_type
        if not message.HasField("options"):
            continue
        message.options.ClearField("no_standard_descriptor_accessor")
        if message.options.map_entry and not any(f.number == 1 and f.type in _HASHED_WELL for f in message.field):
            message.options.ClearField("map_entry")
            message.options.no_standard_descriptor_accessor = True


def _dependencies_first(files: Files) -> Iterator[str]:
    """The names in an order the pool takes, each missing import filled from the standard files (into `files`) or refused."""
    done: set[str] = set()
    for root in list(files):
        stack = [root]
        while stack:
            name = stack[-1]
            waiting = [] if name in done else [d for d in _imports(files, name) if d not in done]
            if waiting:
                if waiting[0] in stack:
                    raise CompileError(name, f"imports itself by way of {waiting[0]}")
                stack.append(waiting[0])
                continue
            stack.pop()
            if name not in done:
                done.add(name)
                yield name


def _imports(files: Files, name: str) -> list[str]:
    imports = list(files[name].dependency)
    for dependency in imports:
        if dependency not in files:
            if dependency not in _STANDARD:
                raise CompileError(name, f"imports {dependency}, which the descriptor set does not contain")
            files[dependency] = FileDescriptorProto.FromString(_STANDARD[dependency])
    return imports
