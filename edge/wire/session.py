"""
The HTTP/2 session interface: a connection's protocol state without its socket (RFC 9113).

Owns the vocabulary of events every engine speaks. An engine never does IO: `receive` takes what the socket gave and
returns events, `take` returns what the socket must be given. Back-pressure is explicit: the peer's flow-control window
opens only by `acknowledge`, and `send_data` takes no more than the peer's window allows. Of gRPC it knows the commonest thing,
the one message of a unary call each way, which so costs one visit and one event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import chain
from typing import NamedTuple, Protocol

from edge.core.header_rules import head_fault

Header = tuple[bytes, bytes]
"""A header field: lower-case name, value."""


UNLIMITED_BYTES = 2**32
"""No limit that SETTINGS could announce is as large."""


def list_bytes(headers: Sequence[Header]) -> int:
    """The size of a header list as SETTINGS_MAX_HEADER_LIST_SIZE counts it (RFC 9113 6.5.2)."""
    return 32 * len(headers) + len(
        b"".join(chain.from_iterable(headers))
    )  # a third of the cost of asking each for its length


class Role(Enum):
    """Which end of the connection a session plays: CLIENT opens streams to an upstream, SERVER accepts a downstream's."""

    CLIENT = auto()
    SERVER = auto()


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """
    What this side announces and enforces. Bytes and counts; the defaults suit a gateway.

    `stream_window_bytes` bounds what one slow reader can make us hold, `connection_window_bytes` what one connection can.
    `connect_protocol`, of a server: other protocols may be spoken on a stream (RFC 8441). An engine that cannot leaves it out.
    """

    max_concurrent_streams: int = 100
    stream_window_bytes: int = 256 * 1024
    connection_window_bytes: int = 1024 * 1024
    max_frame_bytes: int = 16384
    max_header_list_bytes: int = 65536
    connect_protocol: bool = False


class HeadersReceived(NamedTuple):
    """A header block that opens a message: a request, an interim (1xx) or a final response."""

    stream: int
    headers: Sequence[Header]
    end: bool
    interim: bool = False


class DataReceived(NamedTuple):
    """Body bytes. `flow_bytes` (padding included) is what to `acknowledge` once they are consumed."""

    stream: int
    data: bytes
    flow_bytes: int
    end: bool


class TrailersReceived(NamedTuple):
    """The header block after the body; it always ends the stream."""

    stream: int
    headers: Sequence[Header]


class AnswerReceived(NamedTuple):
    """
    The whole answer to an `open_call` with a message, in one read: its head, one message that is not compressed, and trailers.

    Most unary answers are this; told at once, they cost one event. Only `H2Session.receive_answers` tells it, and has acknowledged
    its bytes.
    """

    stream: int
    headers: Sequence[Header]
    message: bytes
    trailers: Sequence[Header]


class StreamReset(NamedTuple):
    """The stream ended abruptly. `by_peer` is false when this session reset it for a violation of the peer's."""

    stream: int
    code: int
    by_peer: bool = True


class WindowOpened(NamedTuple):
    """The peer may be sent more: on one stream, or on all when `stream` is 0."""

    stream: int


class SettingsReceived(NamedTuple):
    """
    The peer's SETTINGS took effect: the streams it now allows us to open, and the largest header list it takes.

    The latter is advice (RFC 9113 6.5.2): the session sends larger ones, but peers may end the connection for them.
    """

    max_concurrent_streams: int
    max_header_list_bytes: int = UNLIMITED_BYTES


class GoAwayReceived(NamedTuple):
    """The peer takes no new streams. Streams of ours above `last_stream` were not processed: they may be retried."""

    last_stream: int
    code: int
    debug: bytes = b""


class PingAcknowledged(NamedTuple):
    """The peer answered a ping of ours."""

    payload: bytes


class ConnectionFailed(NamedTuple):
    """The peer broke the protocol beyond repair: write what `take` still gives (a GOAWAY), then close."""

    code: int
    reason: str = ""


H2Event = (
    HeadersReceived
    | DataReceived
    | TrailersReceived
    | StreamReset
    | WindowOpened
    | SettingsReceived
    | GoAwayReceived
    | PingAcknowledged
    | ConnectionFailed
)


class H2Session(Protocol):
    """One HTTP/2 connection, either role. Methods never raise for what a peer sent; that comes as an event."""

    def receive(self, data: bytes) -> list[H2Event]:
        """Feed what the socket gave; the events it completes, in order."""

    def receive_answers(self, data: bytes) -> list[H2Event | AnswerReceived]:
        """`receive`, but an answer that is whole in `data` may be told as one event."""

    def open(self, headers: Sequence[Header], *, end: bool) -> int:
        """Start a stream (client role) and return its id. Raises StreamsExhausted when the peer's limit is reached."""

    def open_call(self, headers: Sequence[Header], message: bytes | None) -> tuple[int, int]:
        """
        Start the stream of a gRPC call: its id, and what is left to be sent.

        A unary call's `message` goes out behind its prefix and ends our side; `left` is how many of these bytes, the last ones, flow
        control did not take, and the end with them. None: the messages are the caller's affair.
        Raises MalformedHeaders, HeadersTooLarge and StreamsExhausted, in this order; then nothing of the session has changed.
        """

    def can_open(self) -> bool:
        """Whether `open` would succeed now: below the peer's limit, ids left, no GOAWAY received or sent."""

    def send_headers(self, stream: int, headers: Sequence[Header], *, end: bool) -> None:
        """Send a response head or trailers. A stream that is gone is ignored: the reset event tells the owner."""

    def send_data(self, stream: int, data: bytes, *, end: bool) -> int:
        """
        Send as much of `data` as flow control allows; the bytes taken. `end` counts only when all were.

        A stream that is gone takes everything and sends nothing.
        """

    def acknowledge(self, stream: int, size: int) -> None:
        """The reader consumed `size` flow-controlled bytes of this stream: the peer may send as many more."""

    def reset(self, stream: int, code: int) -> None:
        """Abort a stream (RST_STREAM). Harmless when it is gone."""

    def ping(self, payload: bytes) -> None:
        """Send a PING with 8 bytes of payload."""

    def go_away(self, code: int = 0, *, last_stream: int | None = None) -> None:
        """Announce the end: no new streams are accepted; those at or below `last_stream` (default: all seen) go on."""

    def take(self) -> bytes:
        """What to write to the socket; empty when there is nothing. Call after every other method."""


class StreamsExhausted(Exception):
    """No further stream can be opened on this connection now."""


class HeadersTooLarge(Exception):
    """A header list is larger than the peer takes: it might end the connection for it, and the calls of others."""


class MalformedHeaders(ValueError):
    """A header list that must not be sent, since it would cost the connection the calls beside this one; says why."""


def malformed_headers(headers: Sequence[Header]) -> MalformedHeaders:
    """What to raise for a head that an engine has found malformed; both engines say it in the same words."""
    return MalformedHeaders(head_fault(headers))


NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR = 0x0, 0x1, 0x2, 0x3
REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM = 0x7, 0x8, 0xB
"""Error codes of RFC 9113 section 7 that this project sends or tells apart."""
