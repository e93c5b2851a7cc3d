"""
The messages in a request body of length-prefixed frames, as gRPC, gRPC-Web and Connect's streams have them.

Owns the bound on each message, as sent and as inflated, and how many an RPC takes: exactly one unless the client streams. What is no
message breaks the body off, with the status gRPC's implementations give. Source: PROTOCOL-HTTP2.md, doc/compression.md of grpc.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

from edge.core.content_coding import IDENTITY, inflate
from edge.core.grpc_frame import PREFIX_BYTES, Frame, FrameDecoder, FrameError, MessageTooLarge
from edge.core.grpc_status import Code
from edge.core.grpc_web import TextDecoder
from edge.ingress.message_form import MessageForm
from edge.ingress.refusals import binding_refusal, coding_refusal
from edge.ingress.service import BodyBroken, BodySource
from edge.outcome import Fault, Refusal
from edge.wire.codec import BindingError


class MessageReader:
    """
    Cuts a body into serialized messages. `coding` is how those flagged as compressed are; `text` undoes gRPC-Web's base64.

    Every method raises BodyBroken for what is no message.
    """

    __slots__ = ("_coding", "_form", "_frames", "_max_bytes", "_text")

    def __init__(self, max_message_bytes: int, coding: str, form: MessageForm, text: TextDecoder | None = None) -> None:
        self._frames = FrameDecoder(max_message_bytes)
        self._max_bytes = max_message_bytes
        self._coding = coding
        self._form = form
        self._text = text

    def feed(self, data: bytes) -> Iterator[bytes]:
        """
        The messages that `data` completes; all of them are to be taken before the next piece.

        Each is inflated when it is asked for: a window full of small bombs, inflated at once, would be gigabytes.
        """
        for frame in self._cut(self._decoded(data)):
            yield self._message(frame)

    def end(self) -> None:
        """The body is over: nothing may be left of it."""
        if self._frames.partial or (self._text is not None and self._text.partial):
            raise BodyBroken(Refusal(Fault.MALFORMED_REQUEST, message="the request ends inside a message"))

    def only(self, body: bytes) -> bytes | Refusal:
        """The one message of a whole body. What follows it is not looked at: that there is something is enough."""
        try:
            data = self._decoded(body)
            first_bytes = PREFIX_BYTES + int.from_bytes(data[1:PREFIX_BYTES], "big")
            frames = self._cut(data[:first_bytes])
            self.end()
            if not frames or len(data) > first_bytes:
                return _miscounted(2 if frames else 0)
            return self._message(frames[0])
        except BodyBroken as broken:
            return broken.refusal

    async def stream(self, body: BodySource) -> AsyncGenerator[bytes, None]:
        """Any number of messages, as they come."""
        while data := await body.read():
            for message in self.feed(data):
                yield message
        self.end()

    async def single(self, body: BodySource) -> AsyncGenerator[bytes, None]:
        """The one message of an RPC whose client does not stream; a second one breaks the call off."""
        count = 0
        async with aclosing(self.stream(body)) as messages:  # dropped, it would be closed by a task of its own
            async for message in messages:
                count += 1
                if count > 1:
                    break
                yield message
        if count != 1:
            raise BodyBroken(_miscounted(count))

    def _decoded(self, data: bytes) -> bytes:
        if self._text is None:
            return data
        try:
            return self._text.feed(data)
        except ValueError as error:
            raise BodyBroken(Refusal(Fault.MALFORMED_REQUEST, message=f"the body is not base64: {error}")) from error

    def _cut(self, data: bytes) -> list[Frame]:
        try:
            return self._frames.feed(data)
        except MessageTooLarge as error:
            raise BodyBroken(Refusal(Fault.BODY_TOO_LARGE, message=str(error))) from error
        except FrameError as error:
            raise BodyBroken(Refusal(Fault.MALFORMED_REQUEST, message=str(error))) from error

    def _message(self, frame: Frame) -> bytes:
        if not frame.compressed:
            return self._read(frame.payload)
        if self._coding == IDENTITY:
            message = "a message is flagged as compressed, but no compression was named"
            raise BodyBroken(Refusal(Fault.MALFORMED_REQUEST, message=message, code=Code.INTERNAL))
        inflated = inflate(self._coding, frame.payload, self._max_bytes)
        if not isinstance(inflated, bytes):
            raise BodyBroken(coding_refusal(inflated))
        return self._read(inflated)

    def _read(self, data: bytes) -> bytes:
        try:
            return self._form.read(data)
        except BindingError as error:
            raise BodyBroken(binding_refusal(error)) from error


def _miscounted(count: int) -> Refusal:
    """UNIMPLEMENTED: to the service it would look like a method of another kind."""
    message = f"the method takes one message, not {'none' if not count else 'several'}"
    return Refusal(Fault.MALFORMED_REQUEST, message=message, code=Code.UNIMPLEMENTED)
