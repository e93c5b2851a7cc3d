"""
One request on an HTTP/2 connection, from its head to its settled end.

Owns what may happen to it in which order: its body comes (gathered for a unary call, flowing for a streaming one), its call runs, its
answer leaves, and any of that may be cut short by the client. `Turn` keeps the promises made to the call; this file keeps the
stream on its connection until the call's task is over, so that a client that resets streams cannot have more calls running than one
that does not. Source: RFC 9113 sections 5.1, 8.1; CVE-2023-44487.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from edge.core import glitches
from edge.ingress import http2_response
from edge.ingress.containment import last_resort, refused
from edge.ingress.http1_limits import Http1Limits
from edge.ingress.http2_body import ArrivingBody
from edge.ingress.http2_head import Origin, read_head
from edge.ingress.http2_limits import CHUNK_BYTES, GATHERED_BYTES, MIN_PROGRESS_BYTES
from edge.ingress.http2_outgoing import Outgoing
from edge.ingress.http2_sink import LeavingAnswer
from edge.ingress.service import Answer, Call, Head, Header, Service, StreamCall, over_limit
from edge.ingress.turn import Turn
from edge.outcome import Fault, Refusal
from edge.wire.session import CANCEL, ENHANCE_YOUR_CALM, INTERNAL_ERROR, NO_ERROR, H2Session

_log = structlog.get_logger("edge.http2")


class Carrier(Protocol):
    """What a stream needs of its connection."""

    session: H2Session
    service: Service
    limits: Http1Limits
    loop: asyncio.AbstractEventLoop
    origin: Origin
    gathered_bytes: int

    def ready(self, stream: Http2Stream) -> None:
        """`stream` has something to send."""

    def flush_soon(self) -> None:
        """The session has something to write."""

    def charge(self, points: int) -> None:
        """The client misbehaved."""

    def hold(self, size: int) -> None:
        """So many more bytes of answers wait for the client; fewer, when negative."""

    def watch(self) -> None:
        """A stream waits for its client."""

    def release(self, stream: Http2Stream) -> None:
        """The stream is over, its task too."""


class Http2Stream:
    """`started` is the monotonic time of its head."""

    __slots__ = (
        "_answered", "_body", "_carrier", "_end_in", "_gathered", "_gone", "_head", "_held_bytes", "_limit", "_lingering", "_marked_bytes",
        "_sink", "_turn", "_until", "id", "outgoing", "started",
    )  # fmt: skip

    def __init__(self, carrier: Carrier, stream: int, started: float) -> None:
        self.id = stream
        self.started = started
        self.outgoing = Outgoing()
        self._carrier = carrier
        self._turn = Turn(carrier.service, carrier.loop, self._finished)
        self._head: Head | None = None
        self._gathered: bytearray | None = None  # of a unary call's body, while it comes
        self._limit = 0
        self._body: ArrivingBody | None = None
        self._sink: LeavingAnswer | None = None
        self._answered = False  # by a whole answer, out or not
        self._end_in = False  # the client has said all
        self._lingering = False  # answered; the client has a while to notice, and to end its body
        self._gone = False  # the client does not listen any more
        self._until: float | None = None  # when the client's time to go on ends
        self._marked_bytes = 0
        self._held_bytes = 0  # of the answer, as the carrier knows

    # What the client sends.

    def begin(self, fields: Sequence[Header], *, end: bool) -> None:
        """A head came."""
        carrier = self._carrier
        self._end_in = end
        read = read_head(fields, carrier.origin, self.started, carrier.limits, end=end)
        head = self._head = read.head
        if read.refusal is not None:
            if read.refusal.fault is Fault.HEADERS_TOO_LARGE:
                carrier.charge(glitches.BROKEN_HEAD)
            self._answer(refused(carrier.service, head, read.refusal))
            return
        taken = self._turn.begin(head)
        if isinstance(taken, Answer):
            self._answer(taken)
            return
        if read.expects_continue:
            carrier.session.send_headers(self.id, http2_response.CONTINUE, end=False)
        if taken.streams:
            self._stream(taken, head)
        else:
            self._gather(taken, head)

    def _gather(self, call: Call, head: Head) -> None:
        self._limit = call.max_body_bytes
        if (head.content_length or 0) > self._limit:
            self._refuse(over_limit(self._limit))
        elif self._end_in:
            self._turn.finish(b"")
        else:
            self._gathered = bytearray()
            self._wait(self._carrier.limits.body_timeout_s)

    def _stream(self, call: StreamCall, head: Head) -> None:
        carrier = self._carrier
        limit = call.max_body_bytes
        body = self._body = ArrivingBody(self._acknowledge, limit, carrier.loop)
        body.ended = self._end_in
        if limit is not None and (head.content_length or 0) > limit:
            body.broke(over_limit(limit))
        elif limit is not None and not self._end_in:  # what has no bound is a dialogue, and may rest
            self._wait(carrier.limits.body_timeout_s)
        self._sink = LeavingAnswer(
            self.outgoing, self._ready, self._abort, carrier.loop, head_only=head.method == "HEAD"
        )
        self._turn.run(body, self._sink)

    def data_received(self, data: bytes, flow_bytes: int, *, end: bool) -> None:
        """A piece of the body came."""
        self._end_in = end
        if self._body is not None:
            self._body.feed(data, flow_bytes, end=end)
            if end and self._awaits_body:
                self._until = None
        else:
            self._acknowledge(flow_bytes)
        if self._gathered is not None:
            if end and not self._gathered and len(data) <= self._limit:  # the whole body in one piece: the common call
                self._gathered = self._until = None
                self._turn.finish(data)
            else:
                self._gather_more(self._gathered, data)
        elif self._lingering and end:
            self._until = None
            self._release()

    def _gather_more(self, gathered: bytearray, data: bytes) -> None:
        carrier = self._carrier
        if len(gathered) + len(data) > self._limit:
            self._refuse(over_limit(self._limit))
        elif carrier.gathered_bytes + len(data) > max(GATHERED_BYTES, self._limit):
            self._refuse(Refusal(Fault.OVERLOADED, "too many large bodies at once on a connection"))
        else:
            carrier.gathered_bytes += len(data)
            gathered += data
            if self._end_in:
                self._until = None
                self._turn.finish(self._take_gathered())

    def body_ended(self) -> None:
        """Trailers came; no metadata is made of them."""
        self.data_received(b"", 0, end=True)

    def reset_received(self) -> None:
        """The client does not want the answer any more, or has broken the protocol on this stream."""
        self._gone = True
        self._until = None
        self._take_gathered()
        self.outgoing.clear()
        self._account()
        if self._answered:
            self._turn.settle(self.outgoing.body_bytes)
        if self._body is not None:
            self._body.broke(Refusal(Fault.CANCELLED))
        self._turn.gone()
        if not self._turn.busy:
            self._settle()

    @property
    def _awaits_body(self) -> bool:
        """A streaming call has not begun to answer: if time runs, it is the body's."""
        return self._sink is not None and not self._sink.started

    # What the connection asks.

    def push(self) -> bool:
        """Send a chunk; whether anything went out."""
        if self._gone:
            return False
        moved = self.outgoing.push(self._carrier.session, self.id, CHUNK_BYTES)
        if self.outgoing.over:
            self._until = None
            if self._sink is None:
                self._settle()
        elif not self.outgoing.waiting:
            self._until = None
        elif self._until is None:
            self._wait(self._carrier.limits.write_timeout_s)
        self._account()
        if self._sink is not None and not self.outgoing.waiting:
            self._sink.drained()
        return moved

    @property
    def pending(self) -> bool:
        """Something is left to send."""
        return self.outgoing.waiting

    @property
    def watched(self) -> bool:
        """The client has until some time to go on."""
        return self._until is not None

    def expire(self, now: float) -> None:
        """See whether the client's time is over."""
        if self._until is None or now < self._until:
            return
        late = Refusal(Fault.REQUEST_TIMEOUT, "the body did not arrive in time")
        if self._gathered is not None:
            self._refuse(late)
        elif self._awaits_body and self._body is not None:
            self._until = None
            self._body.broke(late)
        elif self._lingering:
            self._drop(NO_ERROR)
        elif self.outgoing.body_bytes - self._marked_bytes >= MIN_PROGRESS_BYTES:
            self._wait(self._carrier.limits.write_timeout_s)
        else:
            self._drop(CANCEL)

    def shed(self) -> bool:
        """Give up the answer if it waits for the client: it is no longer held; whether it was."""
        if not self._held_bytes:
            return False
        self._drop(ENHANCE_YOUR_CALM)
        return True

    def _drop(self, code: int) -> None:
        """The client had its time."""
        self._carrier.session.reset(self.id, code)
        self._carrier.flush_soon()
        self.reset_received()

    # The call.

    def _finished(self, answer: Answer | None) -> None:
        """The call's task is over; `answer` is None when it was cancelled, or answered by itself."""
        if self._body is not None:  # however it ended, what was left unread is owed to the window all streams share
            self._body.broke(Refusal(Fault.CANCELLED))
        if self._gone:
            self._settle()
        elif self._sink is not None:
            self._sink.abort()  # if it left its answer open
            if self.outgoing.over:
                self._settle()
            self._sink = None
        elif answer is None:  # cancelled by someone else: the loop is shutting down
            self._abort()
            self._settle()
        else:
            self._answer(answer)

    def _refuse(self, refusal: Refusal) -> None:
        """Answer a request whose body will not be whole."""
        self._until = None
        self._take_gathered()
        self._answer(self._turn.refuse(self._head, refusal))

    def _answer(self, answer: Answer) -> None:
        head_only = self._head is not None and self._head.method == "HEAD"
        try:
            head, body, trailers = http2_response.whole(answer, head_only=head_only)
        except Exception:  # noqa: BLE001  # an unsafe field or a value of the wrong type: a bug of the service, not of the connection
            _log.exception("an answer could not be rendered", status=answer.status)
            head, body, trailers = http2_response.whole(last_resort(), head_only=head_only)
        self._answered = True
        self.outgoing.begin(head)
        self.outgoing.add(body)
        self.outgoing.end(trailers)
        self._ready()

    def _settle(self) -> None:
        """The answer is out, or nobody wants it: pay what is owed."""
        self._turn.settle(self.outgoing.body_bytes)
        if self._gone or self._end_in:
            self._release()
        else:
            # RST_STREAM(NO_ERROR) may be sent at once (RFC 9113 8.1), but curl and httpx then fail and never read the answer.
            self._lingering = True
            self._wait(self._carrier.limits.linger_s)

    # Small things.

    def _release(self) -> None:
        """Nothing is left. The turn knows us: without this, each stream would be garbage for the collector."""
        self._turn.close()
        self._carrier.release(self)

    def _abort(self) -> None:
        self._carrier.session.reset(self.id, INTERNAL_ERROR)
        self._gone = True
        self.outgoing.clear()
        self._account()
        self._carrier.flush_soon()

    def _ready(self) -> None:
        self._carrier.ready(self)
        self._account()

    def _account(self) -> None:
        """Tell the carrier what waits here."""
        held_bytes = self.outgoing.held_bytes
        if held_bytes != self._held_bytes:
            more, self._held_bytes = held_bytes - self._held_bytes, held_bytes
            self._carrier.hold(more)

    def _acknowledge(self, size: int) -> None:
        self._carrier.session.acknowledge(self.id, size)
        self._carrier.flush_soon()

    def _take_gathered(self) -> bytes:
        gathered, self._gathered = self._gathered, None
        if not gathered:
            return b""
        self._carrier.gathered_bytes -= len(gathered)
        return bytes(gathered)

    def _wait(self, timeout_s: float) -> None:
        self._until = self._carrier.loop.time() + timeout_s
        self._marked_bytes = self.outgoing.body_bytes
        self._carrier.watch()
