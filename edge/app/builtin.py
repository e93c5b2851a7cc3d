"""
The services a gateway serves of its own, unless told not to: health and reflection, as one more API with one more upstream.

Owns their description and that an API which exposes such a service itself comes first. They have no HTTP bindings: REST does not
show them. Source: grpc/health/v1/health.proto, grpc/reflection/v1/reflection.proto.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache, partial

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from edge.config.models import Builtin
from edge.core.metadata import MetadataRules
from edge.descriptors.file_index import FileIndex
from edge.descriptors.model import Description
from edge.descriptors.services import declared
from edge.ingress import grpc_health, grpc_reflection
from edge.ingress.grpc_health import Health
from edge.ingress.grpc_local import LocalDialogue, LocalServices
from edge.ingress.grpc_reflection import Reflection
from edge.ingress.serving import ApiSettings
from edge.routes import ApiRoutes, RouteTable
from edge.wire.codec import Engine, JsonOptions

BUILTIN = "(gateway)"
"""The API's and the upstream's name, in metrics and logs."""

SETTINGS = ApiSettings(MetadataRules(forward_all=False))


@cache
def description() -> Description:
    """Health and reflection, as protobuf describes them."""
    files = FileDescriptorSet(file=[_file(health_pb2), _file(reflection_pb2), _reflection_v1()])
    rpcs = tuple(rpc for service in declared(files).values() for rpc in service.rpcs())
    return Description(files.SerializeToString(deterministic=True), rpcs, ())


def builtin_api(engine: Engine, wanted: Builtin) -> ApiRoutes:
    """The API, to make targets of: what is not wanted is no part of it, and neither listed nor checked."""
    known = description()
    services = {
        *([grpc_health.SERVICE] if wanted.health else ()),
        *(grpc_reflection.SERVICES if wanted.reflection else ()),
    }
    known = replace(known, rpcs=tuple(rpc for rpc in known.rpcs if rpc.service in services))
    return ApiRoutes(BUILTIN, known, engine.api(known.descriptor_set), JsonOptions(), BUILTIN, 15.0, 4 * 1024 * 1024)


def local_services(health: Health, routes: RouteTable, descriptor_sets: Iterable[bytes]) -> LocalServices:
    """The upstream, for one generation: what `routes` exposes, described by `descriptor_sets`."""
    services = frozenset(target.rpc.service for target in routes.targets.values())
    sets = (*descriptor_sets, description().descriptor_set)

    @cache
    def index() -> FileIndex:  # made when first asked for: most gateways are never
        return FileIndex(sets, services)

    def reflection() -> LocalDialogue:
        return Reflection(index())

    check, watch = f"/{grpc_health.SERVICE}/Check".encode(), f"/{grpc_health.SERVICE}/Watch".encode()
    streaming: Mapping[bytes, Callable[[], LocalDialogue]] = {
        watch: partial(health.watch, services),
        **{f"/{name}/ServerReflectionInfo".encode(): reflection for name in grpc_reflection.SERVICES},
    }
    return LocalServices({check: partial(health.check, services)}, streaming)


def _file(module: object) -> FileDescriptorProto:
    return FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)  # type: ignore[attr-defined]  # generated


def _reflection_v1() -> FileDescriptorProto:
    """Version 1, which grpcio-reflection does not bring: version 1alpha under another name."""
    file = _file(reflection_pb2)
    file.name, file.package = "grpc/reflection/v1/reflection.proto", "grpc.reflection.v1"
    for message in file.message_type:
        for field in message.field:
            if field.type_name:
                field.type_name = _renamed(field.type_name)
    for service in file.service:
        for method in service.method:
            method.input_type, method.output_type = _renamed(method.input_type), _renamed(method.output_type)
    return file


def _renamed(type_name: str) -> str:
    return type_name.replace(".grpc.reflection.v1alpha.", ".grpc.reflection.v1.")
