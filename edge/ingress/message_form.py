"""
The forms in which the RPC dialects carry a message: protobuf as it is, or its JSON.

Owns that protobuf passes undecoded: what the client sent is what the service gets, unknown fields and all. Source:
https://connectrpc.com/docs/protocol (Codecs), PROTOCOL-HTTP2.md (Content-Type).
"""

from __future__ import annotations

from typing import Protocol

from edge.routes import Target
from edge.wire.codec import MethodCodec, Render


class MessageForm(Protocol):
    """One form, for the messages of one RPC."""

    @property
    def name(self) -> str:
        """As content types name it."""

    def read(self, data: bytes) -> bytes:
        """A request message, serialized. Raises BindingError."""

    def written(self, message: bytes) -> bytes:
        """A response message in this form. Raises EncodeError."""


class _Proto:
    """Nothing to do."""

    name = "proto"

    def read(self, data: bytes) -> bytes:
        return data

    def written(self, message: bytes) -> bytes:
        return message


class _Json:
    """By the codec of the target."""

    name = "json"

    def __init__(self, codec: MethodCodec) -> None:
        self._codec = codec

    def read(self, data: bytes) -> bytes:
        return self._codec.request((), "", data, "application/json").message

    def written(self, message: bytes) -> bytes:
        return self._codec.response(message, RENDER).body


PROTO: MessageForm = _Proto()
RENDER = Render()
"""How the RPC dialects print: as the codec's options say."""


def form_of(name: str, target: Target) -> MessageForm | None:
    """The form of that name, None when there is none."""
    if name == PROTO.name:
        return PROTO
    return _Json(target.json()) if name == _Json.name else None
