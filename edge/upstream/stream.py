"""
One call on a connection: what is still to be sent, what has come, and how it ended; here also the unary kind.

Owns two invariants. A stream settles exactly once, whatever comes first: trailers, a reset, a violation, the deadline, a
cancellation, the connection's end. And it holds at most one incomplete message plus what the stream's window lets in: for
a unary call the limit on the message bounds it, for a streaming one (`duplex`) the window opens only as messages are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Protocol

from edge.core.grpc_frame import (
    Frame,
    FrameDecoder,
    FrameError,
    Inflated,
    MessageTooLarge,
    too_large,
    whole_message,
)
from edge.outcome import Fault, Refusal
from edge.upstream import reply
from edge.upstream.call import Header, UnaryReply
from edge.wire.session import CANCEL, NO_ERROR, REFUSED_STREAM, AnswerReceived


@dataclass(frozen=True, slots=True)
class Unprocessed:
    """The service surely did not begin the call: it may be made again elsewhere."""

    reason: str


Outcome = UnaryReply | Refusal | Unprocessed


class Carrier(Protocol):
    """What a stream needs of its connection."""

    def push(self, stream: Stream) -> None:
        """Send what `stream.unsent` holds, as far as flow control and the socket allow."""

    def acknowledge(self, stream_id: int, size: int) -> None:
        """Let the peer send `size` bytes more."""

    def release(self, stream: Stream, reset_code: int | None) -> None:
        """The stream has settled: forget it, resetting it when a code is given."""


class Stream:
    """
    The part that unary and streaming calls share. `id` is set by the connection when it opens the stream.

    `written_in` is the number of the connection's write that carries the request: below it, no byte has left.
    `deadline`, on the event loop's clock, is kept by the connection.
    """

    __slots__ = (
        "_decoder", "_head", "_max_bytes", "carrier", "deadline", "ended_out", "id", "settled_as", "unsent", "written_in",
    )  # fmt: skip

    def __init__(self, max_message_bytes: int, deadline: float, *, ended_out: bool) -> None:
        self.id = 0
        self.carrier: Carrier | None = None
        self.written_in = 0
        self.unsent: bytes | memoryview = b""
        self.ended_out = ended_out
        self.settled_as: Outcome | None = None
        self.deadline = deadline
        self._head: reply.Head | None = None
        self._max_bytes = max_message_bytes
        self._decoder: FrameDecoder | None = None  # most unary answers are one piece and need none

    # What the connection reports.

    def head_received(self, headers: Sequence[Header], *, end: bool) -> None:
        """The final response head."""
        if end:
            self.settle(reply.trailers_only(headers))
            return
        head = reply.read_head(tuple(headers))
        if isinstance(head, Refusal):
            self.settle(head, reset_code=CANCEL)
        else:
            self._head = head

    def data_received(self, data: bytes, flow_bytes: int, *, end: bool) -> None:
        """Body bytes."""
        self.bytes_received(flow_bytes)
        if self._decoder is None:
            self._decoder = FrameDecoder(self._max_bytes)
        try:
            self.frames_received(self._decoder.feed(data))
        except FrameError as error:
            self.settle(frame_refusal(error), reset_code=CANCEL)
            return
        if end and self.settled_as is None:
            self.settle(reply.malformed("the answer ended without trailers"))

    def trailers_received(self, headers: Sequence[Header]) -> None:
        """The block that ends the answer."""
        if self._decoder is not None and self._decoder.partial:
            self.settle(reply.malformed("the answer ended inside a message"))
        else:
            self.settle(self.concluded(() if self._head is None else self._head.metadata, headers))

    def answer_received(self, answer: AnswerReceived) -> None:
        """Head, one message and trailers at once; only of a call that was opened with its message."""
        raise NotImplementedError

    def reset_received(self, code: int, *, by_peer: bool) -> None:
        """The stream was reset, by the peer or, for a violation of the peer's, by our session."""
        if not by_peer:
            self.settle(reply.malformed("the answer breaks HTTP/2's rules"))
        elif code == REFUSED_STREAM and self._head is None:
            self.settle(Unprocessed("the service refused the stream"))
        else:
            self.settle(reply.reset_refusal(code))

    # What a kind of call decides.

    def bytes_received(self, flow_bytes: int) -> None:
        """What body bytes took of the windows: to be acknowledged, now or when they are consumed, whatever they hold."""
        raise NotImplementedError

    def frames_received(self, frames: list[Frame]) -> None:
        """Whole messages, maybe none. Raises FrameError."""
        raise NotImplementedError

    def concluded(self, metadata: Sequence[Header], trailers: Sequence[Header]) -> UnaryReply | Refusal:
        """The outcome that well-formed trailers bring, behind a head with this metadata."""
        raise NotImplementedError

    def drained(self) -> None:
        """All of `unsent` has been accepted."""

    def settled(self) -> None:
        """The outcome is set: tell whoever waits."""
        raise NotImplementedError

    # Ends.

    def settle(self, outcome: Outcome, *, reset_code: int | None = None) -> None:
        """End the call; the first outcome stands. A peer that answers before it has read all is told to stop reading."""
        if self.settled_as is not None:
            return
        self.settled_as = outcome
        if reset_code is None and (self.unsent or not self.ended_out):
            reset_code = NO_ERROR
        if self.carrier is not None:
            self.carrier.release(self, reset_code)
        self.unsent = b""
        self.settled()

    def lost(self, reason: str, *, unprocessed: bool) -> None:
        """The connection ended, or the peer said it would not answer this stream."""
        self.settle(Unprocessed(reason) if unprocessed else Refusal(Fault.UPSTREAM_RESET, reason))

    def expire(self) -> None:
        """The deadline passed."""
        self.settle(reply.deadline_exceeded(), reset_code=CANCEL)

    def cancel(self) -> None:
        """Nobody waits for the answer any more."""
        self.settle(Refusal(Fault.CANCELLED), reset_code=CANCEL)

    def _message(self, frame: Frame) -> bytes:
        if not frame.compressed:
            return frame.payload
        if self._head is None or not self._head.gzip:
            raise FrameError("a message is compressed, but grpc-encoding names no coding we know")
        return Inflated.of(frame.payload, self._max_bytes)


def frame_refusal(error: FrameError) -> Refusal:
    """What bytes that are no messages, or too large ones, end a call with."""
    fault = Fault.RESPONSE_TOO_LARGE if isinstance(error, MessageTooLarge) else Fault.UPSTREAM_MALFORMED
    return Refusal(fault, str(error))


class UnaryStream(Stream):
    """A call of one message each way; what hears of its outcome (`settled`) may `renew` it for another attempt."""

    __slots__ = ("_reply",)

    def __init__(self, max_response_bytes: int, deadline: float = inf) -> None:
        super().__init__(max_response_bytes, deadline, ended_out=True)
        self._reply: bytes | None = None

    def renew(self) -> None:
        """As it was before anything was sent or came; never while it is on a connection."""
        self.carrier = self.settled_as = self._head = self._decoder = self._reply = None
        self.unsent = b""

    def answer_received(self, answer: AnswerReceived) -> None:
        """The common answer, understood and settled at once."""
        _, headers, message, trailers = answer
        said = reply.read_answer(tuple(headers), tuple(trailers))
        if said is None or len(message) > self._max_bytes:
            self._refuse(answer)
            return
        metadata, (code, text, details, trailing) = said
        self.settle(UnaryReply(code, message if code == 0 else None, text, details, metadata, trailing))

    def _refuse(self, answer: AnswerReceived) -> None:
        """An answer that is none, for the first reason in its order."""
        self.head_received(answer.headers, end=False)
        if len(answer.message) > self._max_bytes:
            self.settle(frame_refusal(too_large(len(answer.message), self._max_bytes)), reset_code=CANCEL)
        self.trailers_received(answer.trailers)

    def data_received(self, data: bytes, flow_bytes: int, *, end: bool) -> None:
        """The common answer, one whole message in one piece, needs no decoder."""
        if self._decoder is None and self._reply is None and not end:
            message = whole_message(data, self._max_bytes)
            if message is not None:
                self._reply = message
                if self.carrier is not None:
                    self.carrier.acknowledge(self.id, flow_bytes)
                return
        super().data_received(data, flow_bytes, end=end)

    def bytes_received(self, flow_bytes: int) -> None:
        """Consumed as they come: the limit on the message bounds what is held."""
        if self.carrier is not None:
            self.carrier.acknowledge(self.id, flow_bytes)

    def frames_received(self, frames: list[Frame]) -> None:
        """Keep the one message."""
        for frame in frames:
            if self._reply is not None:
                raise FrameError("a unary answer has more than one message")
            self._reply = self._message(frame)

    def concluded(self, metadata: Sequence[Header], trailers: Sequence[Header]) -> UnaryReply | Refusal:
        """A success needs a message."""
        outcome = reply.conclude(metadata, trailers, self._reply)
        if self._reply is None and isinstance(outcome, UnaryReply) and outcome.code == 0:
            return reply.malformed("a unary answer has status 0 and no message")
        return outcome
