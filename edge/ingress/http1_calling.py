"""
The calls of an HTTP/1.1 connection: from a head that is whole to an answer, a stream, or another protocol.

Owns which of them a head becomes, and what is done with a body that nobody will read. What is promised to a call is `Turn`'s, what
flows while one streams `Http1Stream`'s. Source: RFC 9110 10.1.1.
"""

from __future__ import annotations

from edge.core.http1_head import HeadFlaw
from edge.ingress.containment import last_resort
from edge.ingress.http1_answering import Answering
from edge.ingress.http1_head import refusal_of
from edge.ingress.http1_limits import DISCARD_BYTES
from edge.ingress.http1_response import CONTINUE
from edge.ingress.http1_sink import LeavingAnswer
from edge.ingress.http1_state import BODY, CALL, CLOSED, DEAF, DISCARD, STREAM
from edge.ingress.http1_stream import Http1Stream
from edge.ingress.service import Answer, Head, StreamCall, over_limit
from edge.ingress.upgrade import Handover, Upgrade
from edge.outcome import Refusal
from edge.wire.http1 import Parts


class Calling(Answering):
    """The middle of a connection's states; `http1_answering` is below, `http1` has the socket."""

    __slots__ = ()

    def _begin(self, parts: Parts) -> None:
        """A head is whole and sound: ask the service. The rest of its request may be there already."""
        reader = self._reader
        head = self._head_of(parts)
        taken = self._turn.begin(head)
        if isinstance(taken, Answer):
            self._answer_early(head, taken)
            return
        if taken.streams:
            reader.max_body_bytes = taken.max_body_bytes
            self._begin_stream(taken, head)
            return
        length = head.content_length
        if length is not None and length > taken.max_body_bytes:
            self._refuse(over_limit(taken.max_body_bytes))
        elif reader.complete:
            self._state = CALL
            self._turn.finish(reader.take_body() if head.has_body else b"")
        else:
            self._state = BODY
            reader.max_body_bytes = taken.max_body_bytes
            self._timer.at(self._loop.time() + self._limits.body_timeout_s)
            if reader.expects_continue:
                self._transport.write(CONTINUE)

    def _head_of(self, parts: Parts) -> Head:
        """The head that was read; of an unsound one, as much as can be told."""
        method, path, query, version, headers, has_body, length, first = parts
        return Head(
            method, path, query, version, headers, self._peer, self._secure, self._started, has_body, length, first
        )

    def _begin_stream(self, call: StreamCall, head: Head) -> None:
        """Body and answer flow from now on, each at its own pace."""
        if isinstance(call, Upgrade):
            self._hand_over(call, head)
            return
        self._state = CALL if self._reader.complete else STREAM
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
        self._state = DEAF
        self._inlet.clear()
        stream.broke(refusal)

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
        self._state = DISCARD
        reader.max_body_bytes = DISCARD_BYTES
        self._timer.at(self._loop.time() + self._limits.body_timeout_s)

    def _finished(self, answer: Answer | None) -> None:
        """The call has ended; `answer` is None when it was cancelled, or answered by itself."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        if self._state == CLOSED:
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
        rest = self._state == STREAM
        close = sink.close or self._state == DEAF or self._closes()
        if close or not rest or self._writer.paused:  # nobody would pass over the rest while the reader is waited for
            self._answered(sink.body_bytes, close=close or rest)
            return
        self._turn.settle(sink.body_bytes)
        self._state = DISCARD
        self._inlet.resume()
        self._timer.at(self._loop.time() + self._limits.body_timeout_s)

    def _refuse(self, refusal: Refusal) -> None:
        """Answer what cannot go on, and end the connection."""
        reader = self._reader
        head = self._head_of(reader.parts) if reader.head_complete else None
        self._answer(self._turn.refuse(head, refusal), close=True)

    def _unreadable(self, flaw: HeadFlaw) -> None:
        """What came is no request, or no rest of one."""
        refusal = refusal_of(flaw, self._reader)
        if self._stream is not None:
            self._deafen(self._stream, refusal)
        else:
            self._refuse(refusal)
