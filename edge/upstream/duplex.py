"""
A streaming call: messages both ways, in order, with back-pressure in both directions.

Owns the bound on what a slow reader makes us hold: messages that were not read keep the stream's window shut, so at most the
window and one incomplete message are held. They stay compressed until they are read, so that the bound holds for them too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from math import inf

from edge.core.grpc_frame import PREFIX_BYTES, Frame, FrameError, encode_frame
from edge.core.held_frames import HeldFrames
from edge.outcome import Fault, Refusal
from edge.upstream import reply
from edge.upstream.call import Header, Trace, UnaryReply
from edge.upstream.stream import Stream, Unprocessed, frame_refusal
from edge.wire.session import CANCEL

_OPENED_BYTES = 8 * 1024
"""What was read opens the window by so many bytes at a time while more waits to be read: not for each of many small messages."""


class DuplexStream(Stream):
    """A streaming call: `edge.upstream.call.MessageStream`. One task may send while another receives; `cancel` when done."""

    __slots__ = ("_frames", "_loop", "_read_bytes", "_readable", "_timer", "_trace", "_unacknowledged", "_writable")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        max_message_bytes: int,
        deadline: float | None,
        trace: Trace | None = None,
    ) -> None:
        super().__init__(max_message_bytes, inf, ended_out=False)
        self._trace = trace
        self._loop = loop
        self._frames = HeldFrames()
        self._unacknowledged = self._read_bytes = 0
        self._readable: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._timer = None if deadline is None else loop.call_at(deadline, self.expire)

    @property
    def outcome(self) -> UnaryReply | Refusal | None:
        """How the call ended. What could be retried is, to a streaming caller, a service that cannot be reached."""
        ended = self.settled_as
        return Refusal(Fault.UPSTREAM_UNAVAILABLE, ended.reason) if isinstance(ended, Unprocessed) else ended

    async def head(self) -> Sequence[Header] | None:
        """The service's initial metadata, once it has come; None when the call ended without any."""
        while self._head is None and self.settled_as is None:
            self._readable = self._loop.create_future()
            await self._readable
        return None if self._head is None else self._head.metadata

    async def send(self, message: bytes, *, end: bool = False) -> None:
        """Send one message; returns when flow control has taken it all. On a stream that has ended it does nothing."""
        await self._send(encode_frame(message), end=end)

    async def end(self) -> None:
        """Half-close."""
        await self._send(b"", end=True)

    async def _send(self, data: bytes, *, end: bool) -> None:
        if self.settled_as is not None or self.ended_out or self.carrier is None:
            return
        self.unsent = data
        self.ended_out = end
        self.carrier.push(self)
        if self.unsent:
            self._writable = self._loop.create_future()
            await self._writable

    async def receive(self) -> bytes | None:
        """The next message; None when there are no more, and then `outcome` says why."""
        while not self._frames.count:
            if self.settled_as is not None:
                return None
            self._readable = self._loop.create_future()
            await self._readable
        return self._next()

    def take(self, count: int, size_bytes: int) -> list[bytes]:
        """As in MessageStream."""
        taken: list[bytes] = []
        while size_bytes > 0 and len(taken) < count and self._frames.count:
            message = self._next()
            if message is None:
                break
            taken.append(message)
            size_bytes -= len(message)
        return taken

    def _next(self) -> bytes | None:
        """The first that is held; None when it is broken, with which the call ends."""
        frames = self._frames
        frame = frames.popleft()
        compressed, payload = frame
        self._read_bytes += PREFIX_BYTES + len(payload)
        if not frames.count or self._read_bytes >= _OPENED_BYTES:
            self._consumed(self._read_bytes)
            self._read_bytes = 0
        if not compressed:
            return payload
        try:
            return self._message(frame)
        except FrameError as error:
            frames.clear()
            self.settle(frame_refusal(error), reset_code=CANCEL)
            self.settled_as = frame_refusal(error)  # even if good trailers came first: the reader did not get all
            return None

    def cancel(self) -> None:
        """Reset the stream and drop what was not read; harmless when it has ended."""
        super().cancel()
        self._frames.clear()
        self._consumed(0)

    def _consumed(self, size: int) -> None:
        """Open the window by what was read; by everything, once only an incomplete message (or nothing) is held."""
        size = min(size, self._unacknowledged) if self._frames.count else self._unacknowledged
        if size and self.carrier is not None:
            self._unacknowledged -= size
            self.carrier.acknowledge(self.id, size)

    def head_received(self, headers: Sequence[Header], *, end: bool) -> None:
        """Wake who waits for the head."""
        super().head_received(headers, end=end)
        _wake(self._readable)

    def bytes_received(self, flow_bytes: int) -> None:
        """Owed to the peer until messages are read."""
        self._unacknowledged += flow_bytes
        if self._trace is not None:
            self._trace.moved = self._loop.time()

    def frames_received(self, frames: list[Frame]) -> None:
        """Queue messages; while the reader is behind, the window stays shut."""
        self._frames.extend(frames)
        if not self._frames.count:
            self._consumed(0)
        elif frames:
            _wake(self._readable)

    def concluded(self, metadata: Sequence[Header], trailers: Sequence[Header]) -> UnaryReply | Refusal:
        """The status is the outcome; a stream may bring any number of messages."""
        return reply.conclude(metadata, trailers, None)

    def drained(self) -> None:
        """Let the sender go on."""
        _wake(self._writable)

    def settled(self) -> None:
        """Wake both sides; an incomplete message will not be read, what it took of the window is given back."""
        if not self._frames.count:
            self._consumed(0)
        if self._timer is not None:
            self._timer.cancel()
        if self._trace is not None and self._trace.started:
            self._trace.upstream_s = self._loop.time() - self._trace.started
        _wake(self._readable)
        _wake(self._writable)


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
