"""
One streaming call, the same in every dialect: messages relayed both ways, with back-pressure, until either side has ended.

Owns the order of a stream's life: admit, open, head, messages, outcome; that the two directions end together; and that they do end: when
nothing moves any more, or past the deadline, whether the client still reads or not. The client's messages are pumped beside the answer;
the pump ends with the answer, whoever ends first. A client that goes away cancels `run`, which resets the upstream stream. What differs
between dialects is `StreamSpeech`. Source: docs/life-of-a-request.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Literal, NamedTuple, Protocol, TypeVar

import structlog

from edge.ingress.opening import Opening, metadata_of
from edge.ingress.service import AnswerSink, BodyBroken, BodySource, Header
from edge.ingress.stream_idle import IdleWatch, WatchedBody
from edge.outcome import Fault, Refusal
from edge.upstream.call import MessageStream, Trace, UnaryReply
from edge.wire.codec import EncodeError

_log = structlog.get_logger("edge.call")


class StreamSpeech(Protocol):
    """How one dialect says a streaming call. Made per call; holds what it needs of the opening."""

    def messages(self, body: BodySource) -> AsyncIterator[bytes]:
        """The client's messages, serialized, as they come. Raises BodyBroken for what is no message."""

    async def head(self, answer: AnswerSink, headers: Sequence[Header]) -> None:
        """The service's initial metadata has come: the answer may start. Not called when the service fails before it."""

    async def say(self, answer: AnswerSink, messages: Sequence[bytes]) -> None:
        """
        Messages of the service's that are there at once, one or more, in one write where the dialect can.

        Raises EncodeError for what this dialect cannot say, once it has said what came before it.
        """

    async def finish(self, answer: AnswerSink, outcome: UnaryReply | Refusal) -> int:
        """
        The end, good or bad; whether `head` came before or not. Ends or aborts the answer; returns the HTTP status that was sent.

        An error before the first message has its real status; one after it is always detectable.
        """


Extra = Sequence[tuple[bytes, str]]
"""Metadata beside what the head says."""

Prepare = Callable[[BodySource], Awaitable[Extra | Refusal]]
"""
Called once a call is admitted and before its service hears of it: what to tell the service besides, or why it must not hear.

May raise BodyBroken.
"""


class Silence(NamedTuple):
    """What to tell the client when the service has said nothing for so long, again and again."""

    after_s: float
    tell: Callable[[AnswerSink], Awaitable[None]]


_T = TypeVar("_T")

_BURST = 64
"""Messages relayed in one go: tiny ones that are all there at once wait for nothing, and would hold up every other call."""

_PIECE_BYTES = 4 * 1024
"""
Messages said in one write are about so large together at most: several times that, as JSON, is what a reader that stops makes us hold
beside the window, and a thousand of them may (`connections.BACKLOG_BYTES`). Larger ones gain little by going together.
"""


_LATE_S = 1.0
"""What a client has past the deadline to read how its call ended; a reader that stands still would hold what policies took."""


class StreamCall:
    """`edge.ingress.service.StreamCall`. `by_message`: the body is a source of messages, not of bytes (WebSocket)."""

    __slots__ = ("_by_message", "_held", "_opening", "_prepare", "_silence", "_speech", "max_body_bytes")

    streams: Literal[True] = True

    def __init__(
        self,
        opening: Opening,
        speech: StreamSpeech,
        *,
        max_body_bytes: int | None = None,
        prepare: Prepare | None = None,
        silence: Silence | None = None,
        by_message: bool = False,
    ) -> None:
        self._opening = opening
        self._by_message = by_message
        self._speech = speech
        self._prepare = prepare
        self._silence = silence
        self._held = opening.pipeline.open()
        self.max_body_bytes = max_body_bytes

    async def run(self, body: BodySource, answer: AnswerSink) -> None:
        """Relay until the end; whatever happens, the Exchange tells of it."""
        x = self._opening
        late = asyncio.timeout_at(None if x.deadline is None else x.deadline + _LATE_S)
        try:
            async with late:
                outcome = await self._outcome(body, answer)
                self._note(outcome)
                x.status = await self._speech.finish(answer, outcome)
        except BaseException as error:
            # The client went away or reads no further, or a bug of ours cut the answer short.
            refusal = Refusal(_fault_of(error, late))
            self._note(refusal)
            x.status = refusal.http_status
            if refusal.fault is not Fault.DEADLINE_EXCEEDED:
                raise
            answer.abort()

    async def _outcome(self, body: BodySource, answer: AnswerSink) -> UnaryReply | Refusal:
        x = self._opening
        try:
            return await self._relay(body, answer)
        except BodyBroken as error:
            return error.refusal
        except EncodeError as error:
            return Refusal(Fault.UPSTREAM_MALFORMED, detail=str(error))
        except Exception:  # noqa: BLE001  # a bug of ours must become an answer and an end, not a hung client
            _log.exception("stream failed inside the gateway", request_id=x.request_id, path=x.path)
            return Refusal(Fault.INTERNAL)

    def sent(self, response_bytes: int) -> None:
        """The answer is out, or nobody is left to read it: give back what is held, log."""
        self._opening.response_bytes = response_bytes
        self._held.settle(self._opening)

    def _note(self, outcome: UnaryReply | Refusal) -> None:
        x = self._opening
        if isinstance(outcome, Refusal):
            x.refusal, x.grpc_code = outcome, outcome.grpc_code
        else:
            x.grpc_code = outcome.code

    async def _relay(self, body: BodySource, answer: AnswerSink) -> UnaryReply | Refusal:
        opening = x = self._opening
        verdict = opening.pipeline.admit(x, self._held)
        if verdict is not None and not isinstance(verdict, Refusal):
            verdict = await verdict
        if verdict is not None:
            return verdict
        try:
            async with asyncio.timeout_at(x.deadline):
                extra = () if self._prepare is None else await self._prepare(body)
        except TimeoutError:
            return Refusal(Fault.DEADLINE_EXCEEDED)
        if isinstance(extra, Refusal):
            return extra
        target = x.target
        assert target is not None
        trace = Trace()
        stream = await opening.serving.upstreams[target.upstream].open_stream(
            target.rpc.path.encode(),
            metadata_of(opening, extra),
            x.deadline,
            max_message_bytes=target.max_response_bytes,
            trace=trace,
        )
        try:
            return await self._converse(body, answer, stream, trace)
        finally:
            stream.cancel()
            x.upstream_address, x.upstream_s, x.upstream_via = trace.address, trace.upstream_s, trace.via

    async def _converse(
        self, body: BodySource, answer: AnswerSink, stream: MessageStream, trace: Trace
    ) -> UnaryReply | Refusal:
        """Pump the client's messages beside the service's."""
        broken: list[Refusal] = []

        def end_idle() -> None:
            broken.append(Refusal(Fault.STREAM_IDLE))
            stream.cancel()

        watch = IdleWatch(self._opening.serving.stream_idle_timeout_s, trace, asyncio.get_running_loop(), end_idle)
        source = body if self._by_message else WatchedBody(body, watch)
        pump = asyncio.create_task(self._pump(source, stream, watch, broken))
        try:
            await self._answer(answer, stream, watch)
        finally:
            watch.close()
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
        if broken:
            return broken[0]
        outcome = stream.outcome
        assert outcome is not None
        return outcome

    async def _answer(self, answer: AnswerSink, stream: MessageStream, watch: IdleWatch) -> None:
        """What the service says, until it has ended."""
        head, receive = stream.head, stream.receive
        if self._silence is not None:
            head, receive = (
                partial(_heard, head, answer, self._silence),
                partial(_heard, receive, answer, self._silence),
            )
        headers = await head()
        if headers is not None:
            await self._speech.head(answer, headers)
        count = 0
        while (message := await receive()) is not None:
            messages = [message, *stream.take(_BURST - 1, _PIECE_BYTES - len(message))]
            watch.writing = True
            await self._speech.say(answer, messages)
            watch.writing = False
            watch.moved()
            if (count := count + len(messages)) >= _BURST:
                count = 0
                await asyncio.sleep(0)

    async def _pump(self, body: BodySource, stream: MessageStream, watch: IdleWatch, broken: list[Refusal]) -> None:
        """The client's side. A body that breaks off ends the call: the service must not take half for the whole."""
        x = self._opening
        messages = self._speech.messages(body)
        count = 0
        try:
            async for message in messages:
                x.request_bytes += len(message)
                await stream.send(message)
                watch.moved()
                if (count := count + 1) % _BURST == 0:
                    await asyncio.sleep(0)
            await stream.end()
        except BodyBroken as error:
            broken.append(error.refusal)
            stream.cancel()
        except Exception:  # noqa: BLE001  # a bug of ours: the call ends, rather than wait for ever for what will not be sent
            _log.exception("a stream's messages could not be read", request_id=x.request_id, path=x.path)
            broken.append(Refusal(Fault.INTERNAL))
            stream.cancel()
        finally:
            if isinstance(messages, AsyncGenerator):  # one that is only dropped is closed by a task of its own, later
                await messages.aclose()


def _fault_of(error: BaseException, late: asyncio.Timeout) -> Fault:
    if isinstance(error, asyncio.CancelledError):
        return Fault.CANCELLED
    return Fault.DEADLINE_EXCEEDED if late.expired() else Fault.INTERNAL


async def _heard(listen: Callable[[], Awaitable[_T]], answer: AnswerSink, silence: Silence) -> _T:
    """What `listen` hears; the client is told of silence meanwhile. Listening can be broken off at any time: nothing is lost."""
    while True:
        try:
            async with asyncio.timeout(silence.after_s):
                return await listen()
        except TimeoutError:  # ours: a stream raises none
            await silence.tell(answer)
