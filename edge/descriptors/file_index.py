"""
Where things are declared in a number of descriptor sets: by file, symbol and extension.

Owns the verdict when two APIs bring a file of one name: the first one's is shown. And that services which are not exposed are shown
nowhere: they are left out of their files, and a file that has no other is left out whole, unless one that is shown imports it.
Everything is looked up by full names without a leading dot. Source: the questions of grpc/reflection/v1/reflection.proto.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

from edge.descriptors.services import full_name


class FileIndex:
    """`services` are the exposed ones, sorted; `files` the serialized FileDescriptorProtos by name."""

    def __init__(self, descriptor_sets: Iterable[bytes], services: Iterable[str]) -> None:
        self.services = tuple(sorted(set(services)))
        self.files: dict[str, bytes] = {}
        self._dependencies: dict[str, Sequence[str]] = {}
        self._symbols: dict[str, str] = {}
        self._messages: set[str] = set()
        self._extensions: dict[str, dict[int, str]] = {}
        files: dict[str, FileDescriptorProto] = {}
        for data in descriptor_sets:
            for file in FileDescriptorSet.FromString(data).file:
                files.setdefault(file.name, file)
        for name in _shown(files, self.services):
            self._add(files[name])

    def file_of_symbol(self, name: str) -> str | None:
        """The file that declares a service, method, message, enum, enum value, field, oneof or extension."""
        return self._symbols.get(name)

    def file_of_extension(self, type_name: str, number: int) -> str | None:
        """The file that extends a message by this field number."""
        return self._extensions.get(type_name, {}).get(number)

    def extension_numbers(self, type_name: str) -> list[int] | None:
        """The numbers a message is extended by; None when there is no such message."""
        return sorted(self._extensions.get(type_name, ())) if type_name in self._messages else None

    def imports(self, name: str) -> list[str]:
        """The files a file needs, directly or not, without itself."""
        found = dict.fromkeys(self._dependencies.get(name, ()))
        waiting = list(found)
        while waiting:
            for other in self._dependencies.get(waiting.pop(), ()):
                if other not in found:
                    found[other] = None
                    waiting.append(other)
        return [other for other in found if other in self.files and other != name]

    def _add(self, file: FileDescriptorProto) -> None:
        self.files[file.name] = file.SerializeToString()
        self._dependencies[file.name] = tuple(file.dependency)
        for symbol in _symbols(file):
            self._symbols.setdefault(symbol, file.name)
        for scope, message in _messages(file.package, file.message_type):
            self._messages.add(scope)
            self._extend(file, message.extension)
        self._extend(file, file.extension)

    def _extend(self, file: FileDescriptorProto, extensions: Iterable[FieldDescriptorProto]) -> None:
        for extension in extensions:
            numbers = self._extensions.setdefault(extension.extendee.removeprefix("."), {})
            numbers.setdefault(extension.number, file.name)


def _shown(files: Mapping[str, FileDescriptorProto], services: Collection[str]) -> list[str]:
    """The names of the files that may be shown, without the services that may not."""
    shown: list[str] = []
    for file in files.values():
        exposed = [service for service in file.service if full_name(file.package, service.name) in services]
        if exposed or not file.service:
            shown.append(file.name)
        if len(exposed) < len(file.service):
            del file.service[:]
            file.service.extend(exposed)
    for name in shown:  # grows while it is gone through
        shown += [other for other in files[name].dependency if other in files and other not in shown]
    return shown


def _messages(scope: str, messages: Iterable[DescriptorProto]) -> Iterator[tuple[str, DescriptorProto]]:
    """Every message, nested ones too, with its full name."""
    for message in messages:
        name = full_name(scope, message.name)
        yield name, message
        yield from _messages(name, message.nested_type)


def _symbols(file: FileDescriptorProto) -> Iterator[str]:
    for service in file.service:
        name = full_name(file.package, service.name)
        yield name
        yield from (f"{name}.{method.name}" for method in service.method)
    yield from (full_name(file.package, extension.name) for extension in file.extension)
    yield from _enum_symbols(file.package, file.enum_type)
    for name, message in _messages(file.package, file.message_type):
        yield name
        for field in (*message.field, *message.extension):
            yield f"{name}.{field.name}"
        yield from (f"{name}.{oneof.name}" for oneof in message.oneof_decl)
        yield from _enum_symbols(name, message.enum_type)


def _enum_symbols(scope: str, enums: Iterable[EnumDescriptorProto]) -> Iterator[str]:
    """Enums, and their values, which are named beside their enum."""
    for enum in enums:
        yield full_name(scope, enum.name)
        yield from (full_name(scope, value.name) for value in enum.value)
