"""
One unary call and the attempts to make it.

Owns the rule of transparent retries: a call is made again only when the service surely did not begin it, because it was refused,
lies above a GOAWAY's last stream, or was never written (gRFC A6). Driven by callbacks, without a task: where a connection is free, a
call costs no turn of the loop. `done` hears of the outcome exactly once, and not at all after `cancel`.
"""

from __future__ import annotations

import asyncio
from math import inf

import structlog

from edge.core.header_rules import trailers_fault
from edge.outcome import Fault, Refusal
from edge.upstream.call import Done, Trace, UnaryReply, UnaryRequest
from edge.upstream.connection import Connection
from edge.upstream.reply import deadline_exceeded
from edge.upstream.request_head import RequestHeads
from edge.upstream.slots import Granted, Slots
from edge.upstream.stream import UnaryStream, Unprocessed

_log = structlog.get_logger("edge.upstream")

MAX_ATTEMPTS = 3
"""How often a call that no service began is made, the first time included."""


class Attempts(UnaryStream):
    """
    `edge.upstream.call.Running`.

    It is the stream of each of its attempts, one after the other: most calls have one, and for them a second object would be a waste.
    """

    __slots__ = ("_connection", "_done", "_heads", "_loop", "_request", "_slots", "_trace", "_turn")

    def __init__(
        self,
        slots: Slots,
        heads: RequestHeads,
        loop: asyncio.AbstractEventLoop,
        request: UnaryRequest,
        trace: Trace,
        done: Done,
    ) -> None:
        # What `UnaryStream` and `Stream` set, but for what `renew` does, without the calls.
        self.id = self.written_in = 0
        self.ended_out = True
        self.deadline = inf if request.deadline is None else request.deadline
        self._max_bytes = request.max_response_bytes
        self._slots = slots
        self._heads = heads
        self._loop = loop
        self._request = request
        self._trace = trace
        self._done: Done | None = done
        self._connection: Connection | None = None  # while an attempt is under way
        self._turn: asyncio.Future[Granted] | None = None

    def begin(self) -> None:
        """Make the call; `done` may be called before this returns."""
        fault = trailers_fault(self._request.metadata)
        if fault is not None:  # one bad field must not cost the connection the calls beside this one
            self._end(Refusal(Fault.INVALID_ARGUMENT, f"metadata: {fault}"))
        else:
            self._go_on(None)

    def cancel(self) -> None:
        """Nobody waits for the outcome any more: the stream is reset."""
        if self._done is None:
            return
        self._done = None
        if self._turn is not None:
            self._slots.leave(self._turn)
        elif self._connection is not None:
            self._measure()
            super().cancel()

    def _next(self) -> None:
        """A stream for the next attempt, now or in its turn."""
        if self._done is not None:
            self._go_on(None)

    def _go_on(self, granted: Granted | None) -> None:
        """Attempt it on what was granted, or else is free; or queue."""
        try:
            if granted is None:
                granted = self._slots.take()
            if granted is None:
                self._queue()
            elif isinstance(granted, Refusal):
                self._end(granted)
            else:
                self._attempt(granted)
        except Exception:  # noqa: BLE001  # a bug of ours: in a turn of its own nobody else would hear of it, and the call would hang
            _log.exception("a call could not be begun")
            self._end(Refusal(Fault.INTERNAL))

    def _queue(self) -> None:
        self._turn = self._slots.enter(self._request.deadline)
        self._turn.add_done_callback(self._its_turn)

    def _its_turn(self, turn: asyncio.Future[Granted]) -> None:
        if turn.cancelled() or self._done is None:
            return
        self._turn = None
        self._go_on(self._slots.claim(turn.result()))  # None: it retired in the meantime

    def _attempt(self, connection: Connection) -> None:
        request, trace, now = self._request, self._trace, self._loop.time()
        remaining_s = None if request.deadline is None else request.deadline - now
        if remaining_s is not None and remaining_s <= 0:
            self._slots.pump()  # the stream we do not take is another's
            self._end(deadline_exceeded())
            return
        trace.attempts += 1
        trace.address = address = connection.address
        trace.started = trace.started or now
        self._connection = connection
        self.renew(request.message)
        connection.start(self, self._heads.of(request.path, request.metadata, remaining_s, address))

    def settled(self) -> None:
        """An attempt has ended."""
        done, outcome = self._done, self.settled_as
        if done is None or outcome is None:
            return
        self._measure()
        if not isinstance(outcome, Unprocessed):
            self._done = None
            done(outcome)
        elif self._trace.attempts < MAX_ATTEMPTS:
            self._loop.call_soon(self._next)  # later: whoever tells us so is busy ending other calls
        else:
            self._end(Refusal(Fault.UPSTREAM_UNAVAILABLE, outcome.reason))

    def _measure(self) -> None:
        """Note how long the way has taken, and that an attempt is over."""
        self._connection = None
        self._trace.upstream_s = self._loop.time() - self._trace.started

    def _end(self, outcome: UnaryReply | Refusal) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(outcome)
