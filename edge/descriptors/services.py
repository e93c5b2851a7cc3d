"""
The services of a descriptor set, which of them an API exposes, and their RPCs.

Owns the default when a user names none: every service of the files that were named (or of the set), not of their imports. Services
that are not an API of their own (reflection, health, the mixins of Google's APIs) are exposed only when named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.descriptor_pb2 import (
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    MethodOptions,
    ServiceDescriptorProto,
)

from edge.core.problem import Problem
from edge.descriptors.did_you_mean import did_you_mean
from edge.descriptors.model import Rpc

_INFRASTRUCTURE = ("grpc.reflection.", "grpc.health.", "grpc.channelz.")
_MIXINS = frozenset({"google.longrunning.Operations", "google.cloud.location.Locations", "google.iam.v1.IAMPolicy"})


@dataclass(frozen=True, slots=True)
class Declared:
    """A service as a file declares it; `index` is its position there, by which source info finds it."""

    name: str
    file: FileDescriptorProto
    index: int
    proto: ServiceDescriptorProto

    def rpcs(self) -> list[Rpc]:
        """Its methods in the order of the file."""
        return [_rpc(self.name, method) for method in self.proto.method]


def declared(files: FileDescriptorSet) -> dict[str, Declared]:
    """Every service of the set by its full name."""
    found = (
        Declared(full_name(file.package, proto.name), file, index, proto)
        for file in files.file
        for index, proto in enumerate(file.service)
    )
    return {service.name: service for service in found}


def full_name(package: str, name: str) -> str:
    """A name in a package, which may be the empty one."""
    return f"{package}.{name}" if package else name


def in_files(services: Mapping[str, Declared], files: Iterable[str]) -> list[str]:
    """The services of the named files."""
    wanted = set(files)
    return [name for name, service in services.items() if service.file.name in wanted]


def without_infrastructure(names: Iterable[str]) -> list[str]:
    """The names that are an API of their own."""
    return [name for name in names if name not in _MIXINS and not name.startswith(_INFRASTRUCTURE)]


def exposed(
    wanted: Sequence[str], default: Sequence[str], services: Mapping[str, Declared], path: str
) -> tuple[list[Declared], list[Problem]]:
    """
    The services to expose: those named in `wanted`, or the default when it is empty.

    A name that the set does not declare is a problem; so is having nothing to expose. `path` is the API's, for error texts.
    """
    names = wanted or default
    problems = [
        Problem("", f"{path}.services[{index}]", f'there is no service "{name}"', did_you_mean(name, services))
        for index, name in enumerate(wanted)
        if name not in services
    ]
    if not names:
        known = did_you_mean("", services)
        fix = f"name those meant in services ({known})" if known else "name the files that declare a service"
        problems.append(Problem("", path, "the description has no service to expose", fix))
    return [services[name] for name in dict.fromkeys(names) if name in services], problems


def _rpc(service: str, method: MethodDescriptorProto) -> Rpc:
    return Rpc(
        service=service,
        method=method.name,
        input_type=method.input_type.removeprefix("."),
        output_type=method.output_type.removeprefix("."),
        client_streaming=method.client_streaming,
        server_streaming=method.server_streaming,
        idempotent=method.options.idempotency_level != MethodOptions.IDEMPOTENCY_UNKNOWN,
        side_effect_free=method.options.idempotency_level == MethodOptions.NO_SIDE_EFFECTS,
    )
