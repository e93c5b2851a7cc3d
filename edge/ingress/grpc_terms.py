"""
What a gRPC or gRPC-Web call is carried in, read off its head: the wire format, the form of its messages, their compression.

Owns the difference between the three wire formats, which is all that tells gRPC-Web from gRPC once a head is read: where trailers go,
and whether bytes are text. Source: PROTOCOL-HTTP2.md (Requests), PROTOCOL-WEB.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

from edge.core.content_coding import IDENTITY
from edge.core.grpc_frame import PREFIX_BYTES, whole_message
from edge.core.grpc_web import TextDecoder, encode_text, trailer_frame
from edge.core.message_coding import frame, takes_gzip
from edge.ingress.grpc_messages import MessageReader
from edge.ingress.message_form import PROTO, MessageForm, form_of
from edge.ingress.service import Head, Header
from edge.outcome import Fault, Refusal
from edge.routes import Target

CODINGS = (IDENTITY, "gzip", "deflate", "br", "zstd")
"""The compressions of messages that are understood: those of grpc's doc/compression.md, and two that Connect's clients have."""

ENCODING: Header = (b"grpc-encoding", b"gzip")
"""How an answer compresses its messages, where it does."""

ACCEPTED: Header = (b"grpc-accept-encoding", ",".join(CODINGS).encode("ascii"))


class Wire(Protocol):
    """One wire format."""

    @property
    def media_type(self) -> str:
        """Without the form of the messages."""

    def text(self) -> TextDecoder | None:
        """The decoder for one request's body, None when it is binary."""

    def body_bytes(self, message_bytes: int) -> int:
        """The most a body with one message of that size takes."""

    def carried(self, framed: bytes) -> bytes:
        """A message of an answer, which is in its frame, as the body has it."""

    def ending(self, trailers: Sequence[Header]) -> tuple[bytes, Sequence[Header]]:
        """What ends an answer: the rest of the body, and trailers behind it."""


class _Grpc:
    media_type = "application/grpc"

    def text(self) -> None:
        return None

    def body_bytes(self, message_bytes: int) -> int:
        return PREFIX_BYTES + message_bytes

    def carried(self, framed: bytes) -> bytes:
        return framed

    def ending(self, trailers: Sequence[Header]) -> tuple[bytes, Sequence[Header]]:
        return b"", trailers


class _GrpcWeb(_Grpc):
    media_type = "application/grpc-web"

    def ending(self, trailers: Sequence[Header]) -> tuple[bytes, Sequence[Header]]:
        return trailer_frame(trailers), ()


class _GrpcWebText(_Grpc):
    media_type = "application/grpc-web-text"

    def text(self) -> TextDecoder:  # type: ignore[override]  # None is what binary bodies need, not a promise
        return TextDecoder()

    def body_bytes(self, message_bytes: int) -> int:
        """Four characters for three bytes, and a frame and a message may each be flushed with their padding."""
        return (PREFIX_BYTES + message_bytes) * 4 // 3 + 16

    def carried(self, framed: bytes) -> bytes:
        return encode_text(framed)

    def ending(self, trailers: Sequence[Header]) -> tuple[bytes, Sequence[Header]]:
        return encode_text(trailer_frame(trailers)), ()


GRPC: Wire = _Grpc()
GRPC_WEB: Wire = _GrpcWeb()
GRPC_WEB_TEXT: Wire = _GrpcWebText()


class Terms(NamedTuple):
    """
    What one call is carried in. `media_type` is the client's, and the answer's.

    `coding` is how the client compresses its messages, `gzip` whether it takes ours compressed.
    """

    wire: Wire
    media_type: bytes
    form: MessageForm
    coding: str
    gzip: bool = False

    @property
    def packs(self) -> bool:
        """Whether messages are compressed here: browsers' are, those of gRPC clients only where the service did it."""
        return self.gzip and self.wire is not GRPC

    def framed(self, message: bytes) -> bytes:
        """A message of the answer, in its frame. Raises EncodeError."""
        return frame(self.form.written(message), gzip=self.gzip, packs=self.packs)

    def message(self, body: bytes, max_message_bytes: int) -> bytes | None:
        """The message, when a body is one as it is to be sent on; all else is the reader's affair."""
        if self.form is not PROTO or self.wire.text() is not None:
            return None
        return whole_message(body, max_message_bytes)

    def reader(self, max_message_bytes: int) -> MessageReader:
        """For one request body."""
        return MessageReader(max_message_bytes, self.coding, self.form, self.wire.text())


def terms_of(head: Head, wires: tuple[Wire, ...], target: Target, *, compress: bool) -> Terms | Refusal:
    """What a head says of its call; `compress`: answers may be compressed."""
    content_type = head.get(b"content-type")
    carried = _carried if len(content_type) <= _MAX_CHARS else _carried.__wrapped__
    wire, media_type, name = carried(content_type, wires)
    form = PROTO if name == PROTO.name else form_of(name, target)
    if wire is None or form is None:
        return Refusal(Fault.MEDIA_TYPE_UNSUPPORTED)
    coding, first = IDENTITY, head.first
    if b"grpc-encoding" in first:
        coding = head.get(b"grpc-encoding") or IDENTITY
        if coding not in CODINGS:
            message = f"messages compressed with {coding[:32]!r} are not understood"
            return Refusal(Fault.MESSAGE_CODING_UNSUPPORTED, message=message)
    gzip = compress and b"grpc-accept-encoding" in first and takes_gzip(head.get(b"grpc-accept-encoding"))
    return Terms(wire, media_type, form, coding, gzip)


_MAX_CHARS = 128
"""Of a content type that is remembered: what a client can make us hold is small."""


@lru_cache(maxsize=128)  # few content types are in use; who fills it makes others be read again
def _carried(content_type: str, wires: tuple[Wire, ...]) -> tuple[Wire | None, bytes, str]:
    """The wire format a content type names, the type to answer with, and the name of the messages' form."""
    media_type = content_type.partition(";")[0].strip().lower()
    base, _, name = media_type.partition("+")
    wire = next((wire for wire in wires if wire.media_type == base), None)
    return wire, media_type.encode("ascii", "replace"), name or PROTO.name
