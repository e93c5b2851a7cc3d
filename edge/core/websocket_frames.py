"""
A WebSocket's bytes as what happens on it, and back: wsproto's frames, with our bounds.

Owns those bounds: how large a message may grow while its fragments come, how many empty fragments and pings a client may send for
nothing, and that no more than one message is parsed ahead of its reader. Sans-IO. Source: RFC 6455 sections 5 and 7.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from wsproto.frame_protocol import CloseReason, Frame, FrameProtocol, Opcode, ParseFailed

from edge.core.websocket_close import POLICY_VIOLATION, TOO_BIG

_PIECE_BYTES = 16 * 1024
"""What the parser is given at once: what it holds beyond the message at hand."""

_IDLE_FRAMES = 1000
"""
Frames that carry nothing (pings, pongs, empty fragments and texts), in a row and between two `forgive`: each costs us more than its
sender.
"""


class Message(NamedTuple):
    """A whole message; of a text one, its UTF-8."""

    data: bytes
    text: bool


class Pinged(NamedTuple):
    """The client wants to know whether we are there."""

    payload: bytes


class Closed(NamedTuple):
    """The client ends the connection; `code` is None when it gave none."""

    code: int | None


class Violation(NamedTuple):
    """What came is against the protocol or our bounds; nothing after it can be read."""

    code: int
    description: str


Event = Message | Pinged | Closed | Violation


class FrameReader:
    """
    `feed` what the socket gives, then `next` until it is None. `held_bytes` were fed and are not yet given to the parser.

    `over` after a Closed or a Violation.
    """

    def __init__(self, max_message_bytes: int) -> None:
        self._frames = FrameProtocol(client=False, extensions=[])
        self._parsed: Iterator[Frame] = iter(())
        self._max_bytes = max_message_bytes
        self._pieces: deque[bytes] = deque()
        self._message = bytearray()
        self._idle = 0
        self.over = False
        self.held_bytes = 0

    def feed(self, data: bytes) -> None:
        """More bytes."""
        if self.over or not data:
            return
        self.held_bytes += len(data)
        self._pieces.extend(data[at : at + _PIECE_BYTES] for at in range(0, len(data), _PIECE_BYTES))

    def forgive(self) -> None:
        """A while has passed: pings now and then are no abuse."""
        self._idle = 0

    def next(self) -> Event | None:
        """What happens next; None until more bytes have come, or for ever after a Closed or a Violation."""
        event: Event | None = None
        while event is None and not self.over:
            try:
                frame = next(self._parsed, None)
            except ParseFailed as error:
                event = Violation(int(error.code), str(error))
                break
            if frame is not None:
                event = self._event(frame)
            elif not self._more():
                return None
        if isinstance(event, (Closed, Violation)):
            self._end()
        return event

    def _more(self) -> bool:
        """Give the parser the next piece; False when there is none."""
        if not self._pieces:
            return False
        piece = self._pieces.popleft()
        self.held_bytes -= len(piece)
        self._frames.receive_bytes(piece)
        self._parsed = self._frames.received_frames()
        return True

    def _event(self, frame: Frame) -> Event | None:
        payload = frame.payload
        if isinstance(payload, tuple):  # only a close frame has two parts
            code = payload[0]
            return Closed(None if code == CloseReason.NO_STATUS_RCVD else int(code))
        # An empty text is no message, and says what need be said but once; an empty binary one may be a message.
        empty = not payload and (frame.opcode is Opcode.TEXT or not frame.message_finished)
        idle = empty or frame.opcode.iscontrol()
        self._idle = self._idle + 1 if idle else 0
        if self._idle > _IDLE_FRAMES:
            return Violation(POLICY_VIOLATION, "too many frames that carry nothing")
        data = payload.encode() if isinstance(payload, str) else payload
        if frame.opcode.iscontrol():
            return Pinged(data) if frame.opcode is Opcode.PING else None
        return self._joined(data, frame)

    def _joined(self, data: bytes, frame: Frame) -> Event | None:
        """Fragments in one buffer: each as an object would cost ten times its size."""
        if len(self._message) + len(data) > self._max_bytes:
            return Violation(TOO_BIG, f"a message is larger than {self._max_bytes} bytes")
        text = frame.opcode is Opcode.TEXT
        if frame.message_finished and not self._message:
            return Message(data, text)
        self._message += data
        if not frame.message_finished:
            return None
        message, self._message = bytes(self._message), bytearray()
        return Message(message, text)

    def _end(self) -> None:
        self.over = True
        self._pieces.clear()
        self.held_bytes = 0
        self._message = bytearray()


_WRITER = FrameProtocol(client=False, extensions=[])
"""Stateless in this direction, since every message is one frame: one serves all connections."""

PING = bytes(_WRITER.ping())


def text_frame(data: str) -> bytes:
    """A text message."""
    return bytes(_WRITER.send_data(data))


def binary_frame(data: bytes) -> bytes:
    """A binary message."""
    return bytes(_WRITER.send_data(data))


def pong_frame(payload: bytes) -> bytes:
    """The answer to a ping."""
    return bytes(_WRITER.pong(payload))


def close_frame(code: int | None, reason: str = "") -> bytes:
    """The last frame."""
    return bytes(_WRITER.close(code, reason)) if code is not None else bytes(_WRITER.close())
