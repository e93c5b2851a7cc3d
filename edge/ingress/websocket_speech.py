"""
How a WebSocket says a call: a frame for a message, an empty text frame for the end of them, the status before the close.

Owns which frames messages travel in, and how many of them a call takes. Source: docs/adr/0009-websocket.md.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from edge.core.grpc_status import Code
from edge.core.websocket_close import close_code, close_reason
from edge.core.websocket_frames import binary_frame, text_frame
from edge.ingress.message_form import PROTO, MessageForm
from edge.ingress.opening import Opening
from edge.ingress.refusals import binding_refusal
from edge.ingress.respond import error_answer, refusal_answer
from edge.ingress.service import AnswerSink, BodyBroken, BodySource, Header
from edge.ingress.together import say_together
from edge.ingress.websocket_flow import IncomingMessages, OutgoingMessages
from edge.outcome import OK, SWITCHING_PROTOCOLS, Fault, Refusal
from edge.routes import Route
from edge.upstream.call import UnaryReply
from edge.wire.codec import BindingError, Render

END = text_frame("")
"""No more messages; a google.rpc.Status may follow. It is no JSON, and protobuf is never text."""


class FrameForm(Protocol):
    """Messages of one call, in frames."""

    def read(self, data: bytes) -> bytes:
        """A request message, serialized. Raises BindingError."""

    def frame(self, message: bytes) -> bytes:
        """A response message, in its frame. Raises EncodeError."""


class RpcFrames:
    """For an RPC by its own path: JSON as text, protobuf as it is."""

    def __init__(self, form: MessageForm) -> None:
        self._form = form

    def read(self, data: bytes) -> bytes:
        """A request message."""
        return self._form.read(data)

    def frame(self, message: bytes) -> bytes:
        """A response message."""
        written = self._form.written(message)
        return binary_frame(written) if self._form is PROTO else text_frame(written.decode())


class RouteFrames:
    """For a REST route: JSON as the route has it, path and query in every message; an HttpBody's bytes as they are."""

    def __init__(self, route: Route, captures: Sequence[str], query: str) -> None:
        self._route = route
        self._captures = captures
        self._query = query
        self._render = Render()

    def read(self, data: bytes) -> bytes:
        """A request message; how to print the answers is in its query."""
        kind = "application/json" if data else ""
        request = self._route.codec.request(self._captures, self._query, data, kind)
        self._render = request.render
        return request.message

    def frame(self, message: bytes) -> bytes:
        """A response message."""
        printed = self._route.codec.response(message, self._render)
        return binary_frame(printed.body) if self._route.codec.gives_raw else text_frame(printed.body.decode())


class WebSocketSpeech:
    """`StreamSpeech` for one call. `awaits`: how many messages are taken from the client, None for any number."""

    __slots__ = ("_awaits", "_form", "_opening")

    def __init__(self, opening: Opening, form: FrameForm, awaits: int | None) -> None:
        self._opening = opening
        self._form = form
        self._awaits = awaits

    async def messages(self, body: BodySource) -> AsyncIterator[bytes]:
        """Each frame's message. Raises BodyBroken for what is none, and for none at all where there must be one."""
        assert isinstance(body, IncomingMessages)
        if self._awaits == 0:
            yield self._read(b"")
            return
        count = 0
        while (data := await body.next()) is not None:
            count += 1
            yield self._read(data)
        if self._awaits is not None and count < self._awaits:
            raise BodyBroken(one_message())

    async def head(self, answer: AnswerSink, headers: Sequence[Header]) -> None:
        """Nothing: the service's initial metadata has no place in a WebSocket."""

    async def say(self, answer: AnswerSink, messages: Sequence[bytes]) -> None:
        """A frame each. Raises EncodeError."""
        await say_together(answer.write, messages, self._form.frame)

    async def finish(self, answer: AnswerSink, outcome: UnaryReply | Refusal) -> int:
        """The status, if it is an error, and the close that tells it to those who look at nothing else."""
        assert isinstance(answer, OutgoingMessages)
        code, text, status = self._status(outcome)
        if code != Code.OK:
            await answer.write(END + text_frame(status.decode()))
        answer.close(close_code(code), close_reason(text))
        return OK if self._opening.head.protocol else SWITCHING_PROTOCOLS

    def _read(self, data: bytes) -> bytes:
        try:
            return self._form.read(data)
        except BindingError as error:
            raise BodyBroken(binding_refusal(error)) from error

    def _status(self, outcome: UnaryReply | Refusal) -> tuple[int, str, bytes]:
        """Code, message, and the google.rpc.Status as REST would have it in a body."""
        if isinstance(outcome, Refusal):
            return outcome.grpc_code, outcome.public_message, refusal_answer(outcome).body
        target = self._opening.target
        assert target is not None
        return outcome.code, outcome.text, error_answer(outcome, target.api_codec, (), None).body


def one_message() -> Refusal:
    """UNIMPLEMENTED, as gRPC has it: to the service it would look like a method of another kind."""
    return Refusal(Fault.MALFORMED_REQUEST, message="the method takes one message", code=Code.UNIMPLEMENTED)
