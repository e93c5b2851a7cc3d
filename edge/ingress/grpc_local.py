"""
Services that the gateway answers itself, behind the seam of every other upstream.

Owns that they are called like any service: through the same policies, limits and log, in every dialect. What they say is in
`grpc_health` and `grpc_reflection`, which know nothing of streams.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from edge.core.grpc_status import Code
from edge.outcome import Fault, Refusal
from edge.upstream.call import Done, Header, MessageStream, Running, Trace, UnaryReply, UnaryRequest

_READ_AHEAD = 16
"""Answers a client may leave unread before it is no longer listened to."""

LocalUnary = Callable[[bytes], UnaryReply]
"""A method: the serialized request to the reply."""


class LocalDialogue(Protocol):
    """A streaming method, for one call."""

    def begin(self, say: Callable[[bytes], None], end: Callable[[UnaryReply], None]) -> None:
        """The call has begun. `say` and `end` may be used at any time until `close`."""

    def take(self, message: bytes) -> None:
        """A message of the client's."""

    def half_closed(self) -> None:
        """The client has no more messages."""

    def close(self) -> None:
        """The call is over, however it ended."""


class _Answered:
    """`edge.upstream.call.Running` of a call that has been answered."""

    def cancel(self) -> None:
        """Too late."""


_ANSWERED = _Answered()


class LocalServices:
    """`edge.upstream.call.Upstream` over methods of our own, by their gRPC paths."""

    def __init__(
        self, unary: Mapping[bytes, LocalUnary], streaming: Mapping[bytes, Callable[[], LocalDialogue]]
    ) -> None:
        self._unary = unary
        self._streaming = streaming

    def unary(self, request: UnaryRequest, done: Done) -> Running:
        """Answer at once."""
        done(self._unary[request.path](request.message))
        return _ANSWERED

    async def open_stream(
        self,
        path: bytes,
        metadata: Sequence[Header] = (),
        deadline: float | None = None,
        *,
        max_message_bytes: int = 4 * 1024 * 1024,
        trace: Trace | None = None,
    ) -> MessageStream:
        """Begin a dialogue."""
        return LocalStream(self._streaming[path](), deadline)


class LocalStream:
    """`edge.upstream.call.MessageStream` with a dialogue at the other end."""

    def __init__(self, dialogue: LocalDialogue, deadline: float | None) -> None:
        loop = asyncio.get_running_loop()
        self._dialogue = dialogue
        self._said: deque[bytes] = deque()
        self._changed = asyncio.Event()
        self.outcome: UnaryReply | Refusal | None = None
        self._timer = None if deadline is None else loop.call_at(deadline, self._expire)
        dialogue.begin(self._say, self._end)

    async def send(self, message: bytes, *, end: bool = False) -> None:
        """Let the dialogue answer, unless its answers are not read."""
        while len(self._said) >= _READ_AHEAD and self.outcome is None:
            await self._wait()
        if self.outcome is None:
            self._dialogue.take(message)
        if end:
            await self.end()

    async def end(self) -> None:
        """Half-close."""
        if self.outcome is None:
            self._dialogue.half_closed()

    async def head(self) -> Sequence[Header] | None:
        """At once, and empty: there is a head to wait for only where there is a network."""
        return ()

    async def receive(self) -> bytes | None:
        """What the dialogue says next."""
        while not self._said:
            if self.outcome is not None:
                return None
            await self._wait()
        message = self._said.popleft()
        self._changed.set()
        return message

    def take(self, count: int, size_bytes: int) -> list[bytes]:
        """Nothing: a dialogue says one thing at a time."""
        return []

    def cancel(self) -> None:
        """Nobody listens any more."""
        self._said.clear()
        self._settle(Refusal(Fault.CANCELLED))

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _say(self, message: bytes) -> None:
        if self.outcome is None:
            self._said.append(message)
            self._changed.set()

    def _end(self, reply: UnaryReply) -> None:
        self._settle(reply)

    def _expire(self) -> None:
        self._settle(Refusal(Fault.DEADLINE_EXCEEDED))

    def _settle(self, outcome: UnaryReply | Refusal) -> None:
        if self.outcome is not None:
            return
        self.outcome = outcome
        if self._timer is not None:
            self._timer.cancel()
        self._dialogue.close()
        self._changed.set()


def ok(message: bytes | None = None) -> UnaryReply:
    """A good end."""
    return UnaryReply(Code.OK, message)


def error(code: Code, text: str) -> UnaryReply:
    """A bad one."""
    return UnaryReply(code, None, text)
