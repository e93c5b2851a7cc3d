"""
Laboratory's methods: echoes, delays, payloads and failures to order.

Owns nothing but the promise to do as told, within bounds.
"""

from __future__ import annotations

import asyncio
import base64
import re
import time
from collections.abc import Callable, Mapping

from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import error_details_pb2

from edge.core.grpc_status import Code
from edge.demo.failure import Failure, invalid, reason
from edge.demo.messages import Messages, Msg

MAX_DELAY_S = 600.0
MAX_PAYLOAD_BYTES = 4 * 1024 * 1024
NANOS = 1_000_000_000
_METADATA_KEY = re.compile(r"(?!grpc-)[0-9a-z_.-]+")
_METADATA_VALUE = re.compile(r"[\x20-\x7e]*")
_FILLER = "The quick brown fox jumps over the lazy dog. "


class Laboratory:
    """The RPCs for trying things out."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._details = _details(messages)

    def echo_specimen(self, request: Msg) -> Msg:
        """The same."""
        return request

    def echo_tree(self, request: Msg) -> Msg:
        """The same."""
        return request

    def echo_payload(self, request: Msg) -> Msg:
        """The same, or a text of the length asked for."""
        if not 0 <= request.make_bytes <= MAX_PAYLOAD_BYTES:
            raise invalid(("make_bytes", f"must be 0 to {MAX_PAYLOAD_BYTES}, is {request.make_bytes}"))
        if request.make_bytes:
            text = (_FILLER * (request.make_bytes // len(_FILLER) + 1))[: request.make_bytes]
            return self._messages.Payload(text=text)
        return request

    def echo_body(self, request: Msg) -> Msg:
        """The body alone."""
        return request.body

    def echo_whole_body(self, request: Msg) -> Msg:
        """The same."""
        return request

    async def echo_metadata(self, request: Msg, context: Msg) -> Msg:
        """The metadata that arrived; what was asked for goes back as metadata."""
        _require_metadata("headers", request.headers)
        _require_metadata("trailers", request.trailers)
        response = self._messages.EchoMetadataResponse()
        for key, value in context.invocation_metadata() or ():
            text = base64.b64encode(value).decode() if isinstance(value, bytes) else value
            response.metadata[key].values.append(text)
        left_s = context.time_remaining()
        if left_s is not None:
            response.time_remaining.FromNanoseconds(int(left_s * NANOS))
        context.set_trailing_metadata(tuple(request.trailers.items()))
        await context.send_initial_metadata(tuple(request.headers.items()))
        return response

    def anything(self, request: Msg) -> Msg:
        """Nothing."""
        return self._messages.of("google.protobuf.Empty")()

    async def slow(self, request: Msg, context: Msg) -> Msg:
        """The time it took."""
        delay_s = request.delay.seconds + request.delay.nanos / NANOS
        if not 0 <= delay_s <= MAX_DELAY_S:
            raise invalid(("delay", f"must be 0 to {MAX_DELAY_S:g} s, is {delay_s:g} s"))
        begun = time.monotonic_ns()
        await asyncio.sleep(delay_s)
        response = self._messages.SlowResponse()
        response.waited.FromNanoseconds(time.monotonic_ns() - begun)
        return response

    async def unbound(self, request: Msg, context: Msg) -> Msg:
        """As `slow`, without an HTTP rule."""
        return await self.slow(request, context)

    def fail(self, request: Msg) -> Msg:
        """A failure; nothing when the code is OK."""
        if request.code == Code.OK:
            return self._messages.of("google.protobuf.Empty")()
        details = [self._details[detail]() for detail in request.details if detail in self._details]
        raise Failure(request.code, request.message, details)


def _require_metadata(field: str, entries: Mapping[str, str]) -> None:
    """Refuse what gRPC cannot carry: grpcio would fail the call with INTERNAL, as if the service were broken."""
    for key, value in entries.items():
        if not _METADATA_KEY.fullmatch(key) or not _METADATA_VALUE.fullmatch(value):
            raise invalid((field, f"not gRPC metadata: {key!r}: {value!r}"))


def _details(messages: Messages) -> dict[int, Callable[[], Msg]]:
    """Makers of FailRequest.Detail, by number."""
    return {
        1: lambda: invalid(("title", "must not be empty"), ("pages", "must not be negative")).details[0],
        2: lambda: reason("AS_TOLD", caller="laboratory"),
        3: _retry_info,
        4: lambda: messages.OutOfStock(book=2, requested=10, available=3),
        5: lambda: AnyMessage(type_url="type.googleapis.com/elsewhere.v1.Mystery", value=b"\x08\x2a"),
        6: lambda: AnyMessage(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\x0a\xff"),
    }


def _retry_info() -> Msg:
    info = error_details_pb2.RetryInfo()
    info.retry_delay.FromMilliseconds(1500)
    return info
