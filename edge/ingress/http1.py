"""
One HTTP/1.1 connection: bytes in, one request at a time to the Service, answers out.

Owns the connection's states: which bytes go to the parser, whose turn it is, when the connection ends. What is promised to a call
is `Turn`'s, what flows while one streams `Http1Stream`'s. Pipelined requests wait as bytes, unread by the parser, in bounded memory.
A client that closes its side is taken to be gone, as Go's net/http and Envoy have it: its call is cancelled. No task outlives the
connection's entry in Connections.
Source: RFC 9112 (9.3 persistence, 9.6 tear-down), RFC 9110 10.1.1.
"""

from __future__ import annotations

import asyncio
from typing import cast

from edge.ingress.connections import Admission, Connections, peer_address
from edge.ingress.containment import Contained, last_resort
from edge.ingress.http1_inlet import Inlet
from edge.ingress.http1_limits import DISCARD_BYTES, DRAIN_GRACE_S, Http1Limits
from edge.ingress.http1_reader import RequestReader
from edge.ingress.http1_response import CONTINUE
from edge.ingress.http1_sink import LeavingAnswer
from edge.ingress.http1_stream import Http1Stream
from edge.ingress.http1_turn import Turn
from edge.ingress.http1_writer import AnswerWriter
from edge.ingress.lazy_timer import LazyTimer
from edge.ingress.service import Answer, Head, StreamCall, over_limit
from edge.ingress.upgrade import Handover, Upgrade
from edge.outcome import Fault, Refusal

# Where a connection stands. Up to _STREAM bytes go to the reader; up to _READY they are kept; then they are dropped.
# Plain integers: an Enum member costs 80 ns each time it is named, and a request names a dozen.
_IDLE = 0  # between requests
_HEAD = 1  # a request's first byte was seen
_BODY = 2  # the service took the call on
_DISCARD = 3  # answered already; the rest of a small body passes by
_STREAM = 4  # a streaming call runs, and its body still comes
_CALL = 5  # the call runs; its body is whole
_FLUSH = 6  # the answer waits for a slow reader
_READY = 7  # the next pipelined request is due in the next turn of the loop
_DEAF = 8  # a streaming call runs, and its body broke off
_LINGER = 9  # the answer was the last; the client's remaining bytes are dropped so that it can read it
_CLOSED = 10  # closing or gone


class Http1Connection(asyncio.Protocol):
    """The protocol handler of one downstream connection."""

    __slots__ = (
        "_connections", "_flushing", "_inlet", "_limits", "_loop", "_peer", "_reader", "_secure", "_service", "_started", "_state",
        "_stream", "_timer", "_transport", "_turn", "_writer",
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
        self._turn = Turn(service, loop, self._finished)
        self._transport: asyncio.Transport
        self._writer: AnswerWriter
        self._inlet: Inlet
        self._peer = ""
        self._secure = False
        self._started = 0.0
        self._stream: Http1Stream | None = None  # while a streaming call runs
        self._flushing: tuple[int, bool] | None = None  # the size `sent` is owed, and whether to close after it

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a slot, or tell the client that there is none."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self._writer = AnswerWriter(self._transport)
        self._inlet = Inlet(self._transport)
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
        if self._state <= _STREAM:
            self._receive(data, 0)
        elif self._state <= _READY:
            self._inlet.keep(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone: whatever was owed to a call is paid now."""
        self._state = _CLOSED
        self._timer.close()
        self._inlet.clear()
        self._reader.close()
        if self._flushing is not None:
            self._turn.settle(self._flushing[0])
        self._turn.gone()
        if not self._turn.busy:  # else the end of its task takes this connection off the list
            self._connections.discard(self)

    def pause_writing(self) -> None:
        """The reader is slower than we are."""
        self._writer.paused = True
        if self._stream is not None:
            self._stream.watch()

    def resume_writing(self) -> None:
        """It took enough: the answer goes on, or counts as sent, and the next request may come."""
        self._writer.resume()
        if self._stream is not None:
            self._stream.watch()
        elif self._state == _FLUSH and self._flushing is not None:
            (size, close), self._flushing = self._flushing, None
            self._answered(size, close=close)

    # What protocol detection calls.

    @property
    def untouched(self) -> bool:
        """Nothing was read yet, nothing answered: the connection may still turn out to speak another protocol."""
        return self._state == _IDLE

    def retire(self) -> None:
        """It does: this object is not its handler any more."""
        self._state = _CLOSED
        self._timer.close()
        self._reader.close()

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
                self._inlet.hold(data, offset)
            if reader.refusal is not None:
                self._unreadable(reader.refusal)
            else:
                self._advance()
            if self._state > _STREAM:
                return
            if self._inlet.data:
                self._inlet.clear()
        if self._state == _HEAD:
            self._timer.at(self._started + self._limits.header_timeout_s)

    def _advance(self) -> None:
        """Act on what the reader has completed."""
        if self._state == _HEAD and self._reader.head_complete:
            self._begin()
        if self._state == _STREAM and self._stream is not None:
            self._stream.fed()
        if self._reader.complete:
            if self._state == _BODY:
                self._state = _CALL
                self._timer.off()
                self._turn.finish(self._reader.take_body())
            elif self._state == _STREAM:
                self._state = _CALL
            elif self._state == _DISCARD:
                self._answered(0, close=False)

    def _unreadable(self, refusal: Refusal) -> None:
        """What came is no request, or no rest of one."""
        if self._stream is not None:
            self._deafen(self._stream, refusal)
        else:
            self._refuse(refusal)

    def _resume(self) -> None:
        """The turn of the next pipelined request."""
        if self._state is not _READY:
            return
        self._state = _IDLE
        self._receive(*self._inlet.take())
        self._inlet.resume()

    # Requests.

    def _begin(self) -> None:
        """A head is whole and sound: ask the service."""
        reader = self._reader
        head = reader.head(self._peer, self._started, secure=self._secure)
        taken = self._service.begin(head)
        if isinstance(taken, Answer):
            self._answer_early(head, taken)
            return
        self._turn.take(taken, head)
        reader.max_body_bytes = taken.max_body_bytes
        if taken.streams:
            self._begin_stream(taken, head)
            return
        self._state = _BODY
        if (head.content_length or 0) > taken.max_body_bytes:
            self._refuse(over_limit(taken.max_body_bytes))
        elif not reader.complete:
            self._timer.at(self._loop.time() + self._limits.body_timeout_s)
            if reader.expects_continue:
                self._transport.write(CONTINUE)

    def _begin_stream(self, call: StreamCall, head: Head) -> None:
        """Body and answer flow from now on, each at its own pace."""
        if isinstance(call, Upgrade):
            self._hand_over(call, head)
            return
        self._state = _CALL if self._reader.complete else _STREAM
        stream = self._stream = Http1Stream(
            self._transport,
            self._reader,
            self._inlet,
            self._writer,
            self._timer,
            self._limits,
            self._loop,
            self._closes,
            bounded=call.max_body_bytes is not None,
        )
        if call.max_body_bytes is not None and (head.content_length or 0) > call.max_body_bytes:
            self._deafen(stream, over_limit(call.max_body_bytes))
        self._turn.run(stream.body, stream.sink)

    def _hand_over(self, upgrade: Upgrade, head: Head) -> None:
        """The socket speaks another protocol from now on. What came behind the head is its: it never was a request."""
        data, offset = self._inlet.take()
        self._inlet.resume()
        self.retire()
        upgrade.take(
            Handover(
                self._transport, self, self._connections, self._service, self._limits, self._loop, head, data[offset:]
            )
        )

    def _deafen(self, stream: Http1Stream, refusal: Refusal) -> None:
        """A streaming call's body broke off: what comes now can be nothing any more."""
        self._state = _DEAF
        self._inlet.clear()
        stream.broke(refusal)

    def _head(self) -> Head:
        return self._reader.head(self._peer, self._started, secure=self._secure)

    def _answer_early(self, head: Head, answer: Answer) -> None:
        """Answered on the head alone. A small body still to come is passed over; otherwise the connection ends."""
        reader = self._reader
        if reader.complete:
            self._answer(answer)
            return
        small = head.content_length is not None and head.content_length <= DISCARD_BYTES
        # A client that waits for 100 may send the body or not once it reads this answer: nobody could tell which.
        if not small or reader.expects_continue or answer.close or self._closes():
            self._answer(answer, close=True)
            return
        self._writer.send(answer, reader, close=False)
        self._state = _DISCARD
        reader.max_body_bytes = DISCARD_BYTES
        self._timer.at(self._loop.time() + self._limits.body_timeout_s)

    def _finished(self, answer: Answer | None) -> None:
        """The call has ended; `answer` is None when it was cancelled, or answered by itself."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        if self._state == _CLOSED:
            self._turn.settle(stream.sink.body_bytes if stream is not None else 0)
            self._connections.discard(self)
        elif stream is not None:
            self._streamed(stream.sink)
        elif answer is None:  # cancelled by someone else: the loop is shutting down
            self._turn.settle(0)
            self._transport.abort()
        else:
            self._answer(answer)

    def _streamed(self, sink: LeavingAnswer) -> None:
        """A streaming call has ended, with or without its answer."""
        if sink.over and not sink.aborted:
            self._conclude(sink)
        elif sink.started or sink.aborted:
            sink.abort()
            self._turn.settle(sink.body_bytes)
            self._close()
        else:  # a bug of the call's, or the loop is shutting down
            self._answer(last_resort(), close=True)

    def _conclude(self, sink: LeavingAnswer) -> None:
        """The answer is whole. A small rest of the body is passed over; a larger one has made the answer say that the connection ends."""
        rest = self._state == _STREAM
        close = sink.close or self._state == _DEAF or self._closes()
        if close or not rest or self._writer.paused:  # nobody would pass over the rest while the reader is waited for
            self._answered(sink.body_bytes, close=close or rest)
            return
        self._turn.settle(sink.body_bytes)
        self._state = _DISCARD
        self._inlet.resume()
        self._timer.at(self._loop.time() + self._limits.body_timeout_s)

    def _refuse(self, refusal: Refusal) -> None:
        """Answer what cannot go on, and end the connection."""
        head = self._head() if self._reader.head_complete else None
        self._answer(self._turn.refuse(head, refusal), close=True)

    # Answering.

    def _closes(self) -> bool:
        return not self._reader.keep_alive or self._connections.draining

    def _answer(self, answer: Answer, *, close: bool = False) -> None:
        close = close or answer.close or not self._reader.keep_alive or self._connections.draining
        self._answered(self._writer.send(answer, self._reader, close=close), close=close)

    def _answered(self, size: int, *, close: bool) -> None:
        """Settle and go on: now, or when a slow reader has taken the answer."""
        if self._writer.paused:
            self._state = _FLUSH
            self._flushing = (size, close)
            self._watch_writes()
        else:
            self._turn.settle(size)
            self._proceed(close=close)

    def _proceed(self, *, close: bool) -> None:
        """After an answer: the next request, or the end."""
        if close:
            self._end()
            return
        self._reader.reset()
        if self._inlet.data:
            # Not in a loop here: a buffer full of tiny requests would keep every other connection waiting.
            self._state = _READY
            self._timer.off()
            self._loop.call_soon(self._resume)
            return
        self._state = _IDLE
        if self._inlet.paused:
            self._inlet.resume()
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
        if self._reader.complete and not self._reader.keep_alive and not self._inlet:
            self._close()  # it has said itself that nothing follows
            return
        self._state = _LINGER
        self._inlet.clear()
        self._writer.half_close()
        self._inlet.resume()
        self._timer.at(self._loop.time() + self._limits.linger_s)

    def _close(self) -> None:
        self._state = _CLOSED
        self._inlet.clear()
        self._watch_writes()  # the transport waits for what it still has to send: not forever
        self._transport.close()

    def _watch_writes(self) -> None:
        self._writer.watch()
        self._timer.at(self._loop.time() + self._limits.write_timeout_s)

    def _expired(self) -> None:
        """A deadline has passed; what it meant depends on the state."""
        state = self._state
        if self._stream is not None:
            refusal = self._stream.expired()
            if refusal is not None:
                self._deafen(self._stream, refusal)
        elif state == _BODY or (state == _HEAD and self._reader.target):
            part = "body" if state == _BODY else "head"
            self._refuse(Refusal(Fault.REQUEST_TIMEOUT, f"the {part} did not arrive in time"))
        elif state in (_FLUSH, _CLOSED):
            if self._writer.stalled():
                self._transport.abort()
            else:
                self._watch_writes()
        else:  # nothing was asked, or it was answered: nobody waits for an answer
            self._close()
