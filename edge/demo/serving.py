"""
From plain functions to a gRPC service: handlers for every RPC of the protos, health and reflection.

Owns the match of RPC names to functions (GetBook is get_book) and of Failure to a status with its details.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeAlias, cast

import grpc
from google.protobuf.descriptor import MethodDescriptor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc

from edge.demo.failure import Failure
from edge.demo.messages import PACKAGE, SERVICES, Messages, Msg

REFLECTION_V1 = "grpc.reflection.v1.ServerReflection"
OPTIONS = (("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", 16 * 1024 * 1024))
Handler: TypeAlias = "grpc.RpcMethodHandler[Msg, Msg]"
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_HUMP = re.compile(r"(?<!^)(?=[A-Z])")


def python_name(rpc: str) -> str:
    """`BatchGetBooks` is `batch_get_books`."""
    return _HUMP.sub("_", rpc).lower()


def add_services(server: grpc.aio.Server, messages: Messages, implementations: Sequence[object]) -> None:
    """Serve every RPC of the bookstore, each by the first implementation that has it; LookupError when none has."""
    for name in SERVICES:
        handlers = {
            method.name: _handler(messages, method, _function(method.name, implementations))
            for method in messages.service(name).methods
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(f"{PACKAGE}.{name}", handlers),))


async def add_health(server: grpc.aio.Server) -> Any:  # noqa: ANN401  # grpc_health ships no types
    """grpc.health.v1, SERVING for the server and each service; the servicer, to tell it of the end."""
    servicer = health.aio.HealthServicer()  # type: ignore[attr-defined]  # grpc_health ships no types
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    for name in ("", *(f"{PACKAGE}.{service}" for service in SERVICES)):
        await servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
    return servicer


def add_reflection(server: grpc.aio.Server, messages: Messages) -> None:
    """Server reflection, v1 and v1alpha: their messages have the same form, and grpcio brings the older one only."""
    names = [*(f"{PACKAGE}.{service}" for service in SERVICES), "grpc.health.v1.Health", REFLECTION_V1]
    servicer = reflection.aio.ReflectionServicer(names, pool=messages.pool)  # type: ignore[attr-defined]  # nor this one
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, server)
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    handlers = {"ServerReflectionInfo": handler}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(REFLECTION_V1, handlers),))


def _function(rpc: str, implementations: Sequence[object]) -> Callable[..., Any]:
    for implementation in implementations:
        function = getattr(implementation, python_name(rpc), None)
        if function is not None:
            return cast(Callable[..., Any], function)
    raise LookupError(f"nothing implements {rpc}")


def _handler(messages: Messages, method: MethodDescriptor, function: Callable[..., Any]) -> Handler:
    """The grpcio handler of the method's kind. Functions of one argument do without the context."""
    if len(inspect.signature(function).parameters) == 1:
        function = _without_context(function)
    behaviour = _streaming(function) if method.server_streaming else _single(function)
    make = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[method.client_streaming, method.server_streaming]
    return cast(Callable[..., Handler], make)(
        behaviour,
        request_deserializer=messages.of(method.input_type.full_name).FromString,
        response_serializer=messages.of(method.output_type.full_name).SerializeToString,
    )


def _without_context(function: Callable[[Msg], Msg]) -> Callable[[Msg, Msg], Msg]:
    return lambda request, context: function(request)


def _single(function: Callable[[Msg, Msg], Msg]) -> Callable[[Msg, Msg], Awaitable[Msg]]:
    async def call(request: Msg, context: Msg) -> Msg:
        try:
            result = function(request, context)
            return await result if inspect.isawaitable(result) else result
        except Failure as failure:
            return await _abort(context, failure)

    return call


def _streaming(function: Callable[[Msg, Msg], AsyncIterator[Msg]]) -> Callable[[Msg, Msg], AsyncIterator[Msg]]:
    async def call(request: Msg, context: Msg) -> AsyncIterator[Msg]:
        try:
            async for message in function(request, context):
                yield message
        except Failure as failure:
            await _abort(context, failure)

    return call


async def _abort(context: Msg, failure: Failure) -> None:
    code = _CODES.get(failure.code, grpc.StatusCode.UNKNOWN)
    trailers = (("grpc-status-details-bin", failure.status()),)
    await context.abort(code, failure.message, trailing_metadata=trailers)
