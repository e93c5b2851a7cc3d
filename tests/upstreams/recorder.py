"""
An upstream that accepts ANY path, keeps what arrived and answers what it is told to.

In the test's own loop:

    async with Recorder() as upstream:
        upstream.replies["/bookstore.v1.Bookstore/GetBook"] = Reply(book.SerializeToString(), trailers=(("x-cost", "3"),))
        ...  # the gateway, dialling upstream.address
        assert upstream.last.message == expected

From synchronous tests (a thread serves): `with ThreadedRecorder() as upstream:`, otherwise the same.

Paths without a reply of their own get `upstream.default`, an OK with an empty message. A reply may be a function of the call.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import grpc

Metadata = tuple[tuple[str, str | bytes], ...]
OPTIONS = (
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    ("grpc.max_send_message_length", 64 * 1024 * 1024),
    ("grpc.max_metadata_size", 64 * 1024),
)
_CODES = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True)
class Recorded:
    """
    One call as it arrived. `messages` are all of the request's.

    `time_remaining_s` is what grpc-timeout left, None without one; grpcio rounds it up by some milliseconds.
    """

    path: str
    metadata: Metadata
    messages: tuple[bytes, ...]
    time_remaining_s: float | None

    @property
    def message(self) -> bytes:
        """The request of a unary call."""
        (message,) = self.messages
        return message

    def values(self, key: str) -> list[str | bytes]:
        """The values of a metadata key; those of `-bin` keys are bytes."""
        return [value for name, value in self.metadata if name == key]


@dataclass(frozen=True)
class Reply:
    """
    What to answer: `message` (or each of `messages`), then the status.

    A code other than 0 sends no message unless `messages` has some. `details` is the serialized google.rpc.Status for
    grpc-status-details-bin. `delay_s` passes before anything is sent.
    """

    message: bytes = b""
    code: int = 0
    text: str = ""
    details: bytes | None = None
    headers: Metadata = ()
    trailers: Metadata = ()
    delay_s: float = 0.0
    messages: Sequence[bytes] | None = None

    def body(self) -> Sequence[bytes]:
        """The messages to send."""
        if self.messages is not None:
            return self.messages
        return () if self.code else (self.message,)

    def end(self) -> Metadata:
        """All trailing metadata."""
        return self.trailers if self.details is None else (*self.trailers, ("grpc-status-details-bin", self.details))


Answer = Reply | Callable[[Recorded], Reply]


@dataclass
class _Book:
    """What both kinds of recorder share."""

    default: Answer = field(default_factory=Reply)
    replies: dict[str, Answer] = field(default_factory=dict)
    calls: list[Recorded] = field(default_factory=list)
    port: int = 0

    @property
    def address(self) -> str:
        """host:port to dial."""
        return f"127.0.0.1:{self.port}"

    @property
    def last(self) -> Recorded:
        """The last call that arrived."""
        return self.calls[-1]

    def clear(self) -> None:
        """Forget calls and replies."""
        self.calls.clear()
        self.replies.clear()

    def take(self, path: str, context: Any, messages: Sequence[bytes]) -> Reply:
        """Keep a call and find its reply."""
        metadata = tuple((key, value) for key, value in context.invocation_metadata() or ())
        left_s = context.time_remaining()
        if left_s is not None and left_s > 10**8:
            left_s = None  # grpcio's synchronous server says "centuries" for "none"
        call = Recorded(path, metadata, tuple(messages), left_s)
        self.calls.append(call)
        answer = self.replies.get(path, self.default)
        return answer if isinstance(answer, Reply) else answer(call)


class AnyPath(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic in the stubs only
    """Routes every path to one function of (path, requests, context)."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        # A partial, not a lambda: grpcio has to see that the function is an asynchronous generator.
        return grpc.stream_stream_rpc_method_handler(partial(self._function, handler_call_details.method))


class Recorder(_Book):
    """A recorder in the running event loop; an asynchronous context manager."""

    async def __aenter__(self) -> Recorder:
        self._server = grpc.aio.server(options=OPTIONS)
        self._server.add_generic_rpc_handlers((AnyPath(self._serve),))
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop(None)

    async def _serve(self, path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        reply = self.take(path, context, [message async for message in requests])
        if reply.delay_s:
            await asyncio.sleep(reply.delay_s)
        if reply.headers:  # else an error without messages goes out as trailers only, as most services send it
            await context.send_initial_metadata(reply.headers)
        for message in reply.body():
            yield message
        if reply.code:
            await context.abort(_CODES[reply.code], reply.text, trailing_metadata=reply.end())
        context.set_trailing_metadata(reply.end())


class ThreadedRecorder(_Book):
    """A recorder on threads, for synchronous tests; a context manager."""

    def __enter__(self) -> ThreadedRecorder:
        self._server = grpc.server(ThreadPoolExecutor(4), options=OPTIONS)
        self._server.add_generic_rpc_handlers((AnyPath(self._serve),))
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(None).wait()

    def _serve(self, path: str, requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        reply = self.take(path, context, list(requests))
        if reply.delay_s:
            time.sleep(reply.delay_s)
        if reply.headers:
            context.send_initial_metadata(reply.headers)
        yield from reply.body()
        context.set_trailing_metadata(reply.end())
        if reply.code:
            context.abort(_CODES[reply.code], reply.text)
