"""
One HTTP/1.1 connection: bytes in, one request at a time to the Service, answers out.

Owns the connection's states and the promises made to a Call: exactly one of `finish` and `abandon`, then `sent` exactly once,
whether the answer left, the client went away, a timer ran out or the service crashed. Pipelined requests wait as bytes, unread
by the parser, in bounded memory. A client that closes its side is taken to be gone, as Go's net/http and Envoy have it: its
call is cancelled. No task outlives the connection's entry in Connections.
Source: RFC 9112 (9.3 persistence, 9.6 tear-down), RFC 9110 10.1.1.
"""

from __future__ import annotations

import asyncio
from typing import cast

from edge.ingress.connections import Admission, Connections, peer_address
from edge.ingress.containment import Contained
from edge.ingress.http1_limits import DISCARD_BYTES, DRAIN_GRACE_S, QUEUE_BYTES, Http1Limits
from edge.ingress.http1_reader import RequestReader
from edge.ingress.http1_response import CONTINUE
from edge.ingress.http1_writer import AnswerWriter
from edge.ingress.lazy_timer import LazyTimer
from edge.ingress.receive_queue import ReceiveQueue
from edge.ingress.service import Answer, Call, Head, over_limit
from edge.outcome import Fault, Refusal

# Where a connection stands. Up to _DISCARD bytes go to the reader; up to _READY they are kept; then they are dropped.
# Plain integers: an Enum member costs 80 ns each time it is named, and a request names a dozen.
_IDLE = 0  # between requests
_HEAD = 1  # a request's first byte was seen
_BODY = 2  # the service took the call on
_DISCARD = 3  # answered already; the rest of a small body passes by
_CALL = 4  # the call runs
_FLUSH = 5  # the answer waits for a slow reader
_READY = 6  # the next pipelined request is due in the next turn of the loop
_LINGER = 7  # the answer was the last; the client's remaining bytes are dropped so that it can read it
_CLOSED = 8  # closing or gone


class Http1Connection(asyncio.Protocol):
    """The protocol handler of one downstream connection."""

    __slots__ = (
        "_call", "_connections", "_flushing", "_head", "_limits", "_loop", "_peer", "_queue", "_reader", "_reading_paused",
        "_running", "_secure", "_service", "_started", "_state", "_task", "_timer", "_transport", "_writer",
    )  # fmt: skip

    def __init__(
        self, service: Contained, limits: Http1Limits, connections: Connections, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._service = service
        self._limits = limits
        self._connections = connections
        self._loop = loop
        self._state = _IDLE
        self._timer = LazyTimer(loop, self._expired)
        self._reader = RequestReader(limits)
        self._queue = ReceiveQueue()
        self._transport: asyncio.Transport
        self._writer: AnswerWriter
        self._peer = ""
        self._secure = False
        self._started = 0.0
        self._head: Head | None = None
        self._call: Call | None = None
        self._task: asyncio.Task[None] | None = None
        self._running = False  # the task has had its first step: cancelling it reaches the call
        self._reading_paused = False
        self._flushing: tuple[int, bool] | None = None  # the size `sent` is owed, and whether to close after it

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a slot, or tell the client that there is none."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self._writer = AnswerWriter(self._transport)
        self._peer = peer_address(transport)
        self._secure = transport.get_extra_info("sslcontext") is not None
        admission = self._connections.add(self)
        if admission is Admission.SERVE:
            # A new connection that says nothing is held no longer than one that starts a head and stops.
            wait_s = self._limits.header_timeout_s
            self._timer.at(self._loop.time() + (min(wait_s, DRAIN_GRACE_S) if self._connections.draining else wait_s))
        elif admission is Admission.REFUSE:
            self._refuse(Refusal(Fault.OVERLOADED, "too many connections", retry_after_s=1.0))
        else:
            self._state = _CLOSED
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read on, keep for later, or drop."""
        if self._state <= _DISCARD:
            self._receive(data, 0)
        elif self._state <= _READY:
            self._queue.add(data)
            if len(self._queue) > QUEUE_BYTES and not self._reading_paused:
                self._reading_paused = True
                self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone: whatever was owed to a call is paid now."""
        self._state = _CLOSED
        self._timer.close()
        self._queue.clear()
        self._reader.close()
        if self._task is not None:
            if self._running:  # a task cancelled before its first step would not even tell the call
                self._task.cancel()
            return  # its end takes this connection off the list
        if self._flushing is not None:
            self._settle(self._flushing[0])
        elif self._call is not None:
            self._abandon_unheard(self._call)
        self._connections.discard(self)

    def pause_writing(self) -> None:
        """The reader is slower than we are."""
        self._writer.paused = True

    def resume_writing(self) -> None:
        """It took enough: the answer counts as sent, the next request may come."""
        self._writer.paused = False
        if self._state == _FLUSH and self._flushing is not None:
            (size, close), self._flushing = self._flushing, None
            self._answered(size, close=close)

    # What the listener calls.

    def drain(self) -> None:
        """Close now when idle; otherwise the running request's answer says `Connection: close`."""
        if self._state == _IDLE:
            self._close()

    def cut(self) -> None:
        """Close now, whatever runs; connection_lost does the rest."""
        self._transport.abort()

    # Reading.

    def _receive(self, data: bytes, offset: int) -> None:
        """Read until the data is used up, or until a request is whole and the rest must wait its turn."""
        reader, size = self._reader, len(data)
        while offset < size:
            if self._state == _IDLE:
                self._state = _HEAD
                self._started = self._loop.time()
            offset = reader.feed(data, offset)
            if offset < size:
                self._queue.hold(data, offset)
            if reader.refusal is not None:
                self._refuse(reader.refusal)
            else:
                self._advance()
            if self._state > _DISCARD:
                return
            self._queue.clear()
        if self._state == _HEAD:
            self._timer.at(self._started + self._limits.header_timeout_s)

    def _advance(self) -> None:
        """Act on what the reader has completed."""
        if self._state == _HEAD and self._reader.head_complete:
            self._begin()
        if self._reader.complete:
            if self._state == _BODY:
                self._run_call()
            elif self._state == _DISCARD:
                self._answered(0, close=False)

    def _resume(self) -> None:
        """The turn of the next pipelined request."""
        if self._state is not _READY:
            return
        self._state = _IDLE
        self._receive(*self._queue.take())
        if len(self._queue) <= QUEUE_BYTES:
            self._read_again()

    def _read_again(self) -> None:
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resume_reading()

    # Requests.

    def _begin(self) -> None:
        """A head is whole and sound: ask the service."""
        reader = self._reader
        head = self._head = reader.head(self._peer, self._started, secure=self._secure)
        taken = self._service.begin(head)
        if isinstance(taken, Answer):
            self._answer_early(head, taken)
            return
        self._call = taken
        self._state = _BODY
        limit = reader.max_body_bytes = taken.max_body_bytes
        if (head.content_length or 0) > limit:
            self._refuse(over_limit(limit))
        elif not reader.complete:
            self._timer.at(self._loop.time() + self._limits.body_timeout_s)
            if reader.expects_continue:
                self._transport.write(CONTINUE)

    def _answer_early(self, head: Head, answer: Answer) -> None:
        """Answered on the head alone. A small body still to come is passed over; otherwise the connection ends."""
        reader = self._reader
        if reader.complete:
            self._answer(answer)
            return
        small = head.content_length is not None and head.content_length <= DISCARD_BYTES
        # A client that waits for 100 may send the body or not once it reads this answer: nobody could tell which.
        if not small or reader.expects_continue or self._closes(answer):
            self._answer(answer, close=True)
            return
        self._writer.send(answer, reader, close=False)
        self._state = _DISCARD
        reader.max_body_bytes = DISCARD_BYTES
        self._timer.at(self._loop.time() + self._limits.body_timeout_s)

    def _run_call(self) -> None:
        assert self._call is not None
        self._state = _CALL
        self._timer.off()
        self._running = False
        self._task = self._loop.create_task(self._run(self._call, self._reader.take_body()))

    async def _run(self, call: Call, body: bytes) -> None:
        self._running = True
        answer: Answer | None = None
        try:
            if self._state == _CLOSED:  # gone before the first step
                self._abandon_unheard(call)
            else:
                answer = await self._service.finish(call, self._head, body)
        finally:
            self._task = None
            self._finished(answer)

    def _finished(self, answer: Answer | None) -> None:
        """The call has ended; `answer` is None when it was cancelled."""
        if self._state == _CLOSED:
            self._settle(0)
            self._connections.discard(self)
        elif answer is None:  # cancelled by someone else: the loop is shutting down
            self._settle(0)
            self._transport.abort()
        else:
            self._answer(answer)

    # Refusing.

    def _refuse(self, refusal: Refusal) -> None:
        """Answer what cannot go on, and end the connection."""
        if self._call is not None:
            self._answer(self._service.abandon(self._call, refusal), close=True)
            return
        if self._reader.head_complete and self._head is None:
            self._head = self._reader.head(self._peer, self._started, secure=self._secure)
        self._answer(self._service.refuse(self._head, refusal), close=True)

    def _abandon_unheard(self, call: Call) -> None:
        """The client went away before its request was whole, or before the call began."""
        self._service.abandon(call, Refusal(Fault.CANCELLED))
        self._settle(0)

    def _settle(self, size: int) -> None:
        """Pay the call the `sent` it is owed, if there is one."""
        call, self._call = self._call, None
        if call is not None:
            self._service.sent(call, size)

    # Answering.

    def _closes(self, answer: Answer) -> bool:
        return answer.close or not self._reader.keep_alive or self._connections.draining

    def _answer(self, answer: Answer, *, close: bool = False) -> None:
        close = close or self._closes(answer)
        self._answered(self._writer.send(answer, self._reader, close=close), close=close)

    def _answered(self, size: int, *, close: bool) -> None:
        """Settle and go on: now, or when a slow reader has taken the answer."""
        if self._writer.paused:
            self._state = _FLUSH
            self._flushing = (size, close)
            self._watch_writes()
        else:
            self._settle(size)
            self._proceed(close=close)

    def _proceed(self, *, close: bool) -> None:
        """After an answer: the next request, or the end."""
        if close:
            self._end()
            return
        self._reader.reset()
        self._head = None
        if self._queue:
            # Not in a loop here: a buffer full of tiny requests would keep every other connection waiting.
            self._state = _READY
            self._timer.off()
            self._loop.call_soon(self._resume)
            return
        self._state = _IDLE
        self._read_again()
        if self._connections.draining:
            self._close()
        else:
            self._timer.at(self._loop.time() + self._limits.idle_timeout_s)

    # Ending.

    def _end(self) -> None:
        """
        Close, after a while if the client may be sending still (RFC 9112 9.6).

        Closing with its bytes unread would make the kernel send a reset, which may reach it before the answer does.
        """
        if self._reader.complete and not self._reader.keep_alive and not self._queue:
            self._close()  # it has said itself that nothing follows
            return
        self._state = _LINGER
        self._queue.clear()
        self._writer.half_close()
        self._read_again()
        self._timer.at(self._loop.time() + self._limits.linger_s)

    def _close(self) -> None:
        self._state = _CLOSED
        self._queue.clear()
        self._watch_writes()  # the transport waits for what it still has to send: not forever
        self._transport.close()

    def _watch_writes(self) -> None:
        self._writer.watch()
        self._timer.at(self._loop.time() + self._limits.write_timeout_s)

    def _expired(self) -> None:
        """A deadline has passed; what it meant depends on the state."""
        state = self._state
        if state == _BODY or (state == _HEAD and self._reader.target):
            part = "body" if state == _BODY else "head"
            self._refuse(Refusal(Fault.REQUEST_TIMEOUT, f"the {part} did not arrive in time"))
        elif state in (_FLUSH, _CLOSED):
            if self._writer.stalled():
                self._transport.abort()
            else:
                self._watch_writes()
        else:  # nothing was asked, or it was answered: nobody waits for an answer
            self._close()
