"""
Many JSON texts as one HTTP body: an array, lines, or server-sent events; or bytes as they are.

Owns that each text can be sent the moment it exists, and that an error after the first is seen: it is told inside the body, or the body
must be cut short. Source: transcoding.md S1-S7; https://github.com/ndjson/ndjson-spec.
"""

from __future__ import annotations

from typing import Literal, Protocol

from edge.core import sse
from edge.core.accept import choose

JSON = "application/json"
LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
"""The names JSON lines go by; none is registered, the first is the commonest."""

Format = Literal["array", "ndjson", "envelope"]


class Framing(Protocol):
    """One body in the making."""

    @property
    def media_type(self) -> str:
        """Its Content-Type, empty when the first message says it."""

    @property
    def one_line(self) -> bool:
        """Texts must not be indented."""

    def item(self, text: bytes, id_: str = "") -> bytes:
        """The next text. `id_` by which a client may ask to go on after it; empty: a number of our own."""

    def end(self) -> bytes:
        """After the last text."""

    def error(self, status: bytes) -> bytes | None:
        """The end when it is an error, a google.rpc.Status in JSON; None when the body has no room for it and must be cut short."""


class ArrayFraming:
    """One JSON array."""

    media_type = JSON
    one_line = False

    def __init__(self) -> None:
        self._opener = b"["

    def item(self, text: bytes, id_: str = "") -> bytes:
        """The comma goes before the text: whether one follows is not known yet."""
        opener, self._opener = self._opener, b","
        return opener + text

    def end(self) -> bytes:
        """The bracket."""
        return b"]" if self._opener == b"," else b"[]"

    def error(self, status: bytes) -> bytes | None:
        """A truncated array is one no parser takes for whole; an error as an element would be taken for a message."""
        return None


class LineFraming:
    """JSON lines."""

    one_line = True

    def __init__(self, media_type: str = LINES[0]) -> None:
        self.media_type = media_type

    def item(self, text: bytes, id_: str = "") -> bytes:
        """One line."""
        return text + b"\n"

    def end(self) -> bytes:
        """Nothing."""
        return b""

    def error(self, status: bytes) -> bytes | None:
        """A last line, as grpc-gateway writes it."""
        return b'{"error":%b}\n' % status


class EnvelopeFraming:
    """JSON lines as grpc-gateway writes them: each in an object that says whether it is a result or an error, of JSON's own type."""

    media_type = JSON
    one_line = True

    def item(self, text: bytes, id_: str = "") -> bytes:
        """One line."""
        return b'{"result":%b}\n' % text

    def end(self) -> bytes:
        """Nothing."""
        return b""

    def error(self, status: bytes) -> bytes:
        """A last line."""
        return b'{"error":%b}\n' % status


class EventFraming:
    """Server-sent events. Their own ids count on from `last_id` where that is a number: the Last-Event-ID of a client that came back."""

    media_type = sse.MEDIA_TYPE
    one_line = True

    def __init__(self, last_id: str = "") -> None:
        self._number = int(last_id) if last_id.isascii() and last_id.isdigit() and len(last_id) < 19 else 0

    def item(self, text: bytes, id_: str = "") -> bytes:
        """One event."""
        self._number += 1
        return sse.event(text, id_=id_ or str(self._number))

    def end(self) -> bytes:
        """Nothing."""
        return b""

    def error(self, status: bytes) -> bytes | None:
        """An event of its own name, without an id: it is nothing to go on after."""
        return sse.event(status, name="error")


class RawFraming:
    """Bytes as they are, of the type the first message names."""

    media_type = ""
    one_line = False

    def item(self, text: bytes, id_: str = "") -> bytes:
        """The bytes."""
        return text

    def end(self) -> bytes:
        """Nothing."""
        return b""

    def error(self, status: bytes) -> bytes | None:
        """There is no room for it."""
        return None


def framing(accept: str, default: Format, last_event_id: str) -> Framing:
    """The framing an Accept field prefers; the default when it prefers none, or none we have."""
    offers = _LINES_FIRST if default == "ndjson" else _ARRAY_FIRST
    chosen = choose(accept, offers) or offers[0]
    if chosen == sse.MEDIA_TYPE:
        return EventFraming(last_event_id)
    if chosen != JSON:
        return LineFraming(chosen)
    return EnvelopeFraming() if default == "envelope" else ArrayFraming()


_ARRAY_FIRST = (JSON, *LINES, sse.MEDIA_TYPE)
_LINES_FIRST = (*LINES, JSON, sse.MEDIA_TYPE)
