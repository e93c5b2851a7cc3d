"""
The portable HTTP/2 session: python-hyper's h2 behind the interface of `edge.wire.session`.

Owns the translation both ways, and the promise that nothing a peer sends raises: a broken connection is the last event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from h2 import events as h2_events
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes
from hyperframe.exceptions import InvalidPaddingError

from edge.core.glitches import GlitchBudget
from edge.core.grpc_frame import encode_frame
from edge.core.header_rules import head_fault
from edge.wire.portable.h2_connection import GatewayConnection
from edge.wire.session import (
    PROTOCOL_ERROR,
    UNLIMITED_BYTES,
    AnswerReceived,
    ConnectionFailed,
    DataReceived,
    GoAwayReceived,
    H2Event,
    Header,
    HeadersReceived,
    HeadersTooLarge,
    PingAcknowledged,
    Role,
    SessionSettings,
    SettingsReceived,
    StreamReset,
    StreamsExhausted,
    TrailersReceived,
    WindowOpened,
    list_bytes,
    malformed_headers,
)

_MAX_STREAM_ID = 2**31 - 1


class PortableH2Session:
    """One HTTP/2 connection; see `edge.wire.session.H2Session` for what each method promises."""

    def __init__(self, role: Role, settings: SessionSettings | None = None, budget: GlitchBudget | None = None) -> None:
        """`budget` is charged for the peer's misbehaviour; the connection fails once it is spent."""
        self._is_client = role is Role.CLIENT
        self._h2 = GatewayConnection(settings or SessionSettings(), client_side=self._is_client, budget=budget)
        self._next_id = 1
        self._closing = False
        self._failed = False

    def receive(self, data: bytes) -> list[H2Event]:
        """Feed what the socket gave; the events it completes, in order. Nothing after a ConnectionFailed."""
        if self._failed:
            return []
        out: list[H2Event] = []
        try:
            for event in self._h2.feed(data):
                translate = _TRANSLATIONS.get(event.__class__)
                if translate is not None:
                    translate(self, event, out)
        except ProtocolError as error:
            self._fail(int(error.error_code), str(error), out)
        except InvalidPaddingError as error:
            self._fail(PROTOCOL_ERROR, str(error), out)
        return out

    def receive_answers(self, data: bytes) -> list[H2Event | AnswerReceived]:
        """`receive`; an answer is told in its parts."""
        return [*self.receive(data)]

    def open(self, headers: Sequence[Header], *, end: bool) -> int:
        """Start a stream and return its id. Raises StreamsExhausted."""
        if not self.can_open():
            raise StreamsExhausted
        stream = self._next_id
        self._next_id += 2
        self._h2.write_headers(stream, headers, end=end)
        return stream

    def open_call(self, headers: Sequence[Header], message: bytes | None) -> tuple[int, int]:
        """`open`, and `send_data` of the framed message. Raises MalformedHeaders, HeadersTooLarge, StreamsExhausted."""
        if head_fault(headers) is not None:
            raise malformed_headers(headers)
        largest = self._h2.remote_settings.max_header_list_size
        if largest is not None and list_bytes(headers) > largest:
            raise HeadersTooLarge
        if message is None:
            return self.open(headers, end=False), 0
        framed = encode_frame(message)
        stream = self.open(headers, end=False)
        return stream, len(framed) - self.send_data(stream, framed, end=True)

    def can_open(self) -> bool:
        """Whether `open` would succeed now."""
        return (
            self._is_client
            and not self._closing
            and self._next_id <= _MAX_STREAM_ID
            and len(self._h2.streams) < self._h2.remote_settings.max_concurrent_streams
        )

    def send_headers(self, stream: int, headers: Sequence[Header], *, end: bool) -> None:
        """Send a response head or trailers; ignored when the stream is gone."""
        if not self._failed and stream in self._h2.streams:
            self._h2.write_headers(stream, headers, end=end)
            self._h2.forget_if_closed(stream)

    def send_data(self, stream: int, data: bytes, *, end: bool) -> int:
        """Send as much as flow control allows; the bytes taken (all, when the stream is gone)."""
        if self._failed or stream not in self._h2.streams:
            return len(data)
        taken = self._h2.write_data(stream, data, end=end)
        if end and taken == len(data):
            self._h2.forget_if_closed(stream)
        return taken

    def acknowledge(self, stream: int, size: int) -> None:
        """Open the peer's windows by `size` bytes; for a stream that is gone, the connection's alone."""
        if not self._failed and size:
            self._h2.acknowledge_received_data(size, stream)

    def reset(self, stream: int, code: int) -> None:
        """Abort a stream; harmless when it is gone."""
        if not self._failed and stream in self._h2.streams:
            self._h2.reset_stream(stream, code)
            self._h2.forget_if_closed(stream)

    def ping(self, payload: bytes) -> None:
        """Send a PING with 8 bytes of payload."""
        if not self._failed:
            self._h2.ping(payload)

    def go_away(self, code: int = 0, *, last_stream: int | None = None) -> None:
        """Send GOAWAY; a second one may only lower `last_stream`."""
        if self._failed:
            return
        last = self._h2.highest_inbound_stream_id if last_stream is None else last_stream
        self._h2.last_accepted_id = min(self._h2.last_accepted_id, last)
        self._h2.close_connection(code, None, self._h2.last_accepted_id)
        self._closing = True

    def take(self) -> bytes:
        """What to write to the socket."""
        return self._h2.data_to_send()

    def _fail(self, code: int, reason: str, out: list[H2Event]) -> None:
        self._failed = self._closing = True
        self._h2.fail(code)
        out.append(ConnectionFailed(code, reason))

    # One translation per h2 event; what is not listed (PRIORITY, ALTSVC, acknowledged settings...) concerns nobody here.

    def _head(self, event: h2_events.RequestReceived | h2_events.ResponseReceived, out: list[H2Event]) -> None:
        out.append(HeadersReceived(event.stream_id, event.headers, event.stream_ended is not None))
        self._h2.forget_if_closed(event.stream_id)

    def _interim(self, event: h2_events.InformationalResponseReceived, out: list[H2Event]) -> None:
        out.append(HeadersReceived(event.stream_id, event.headers, end=False, interim=True))

    def _data(self, event: h2_events.DataReceived, out: list[H2Event]) -> None:
        end = event.stream_ended is not None
        out.append(DataReceived(event.stream_id, event.data, event.flow_controlled_length, end))
        if end:
            self._h2.forget_if_closed(event.stream_id)

    def _trailers(self, event: h2_events.TrailersReceived, out: list[H2Event]) -> None:
        out.append(TrailersReceived(event.stream_id, event.headers))
        self._h2.forget_if_closed(event.stream_id)

    def _reset(self, event: h2_events.StreamReset, out: list[H2Event]) -> None:
        out.append(StreamReset(event.stream_id, int(event.error_code), event.remote_reset))
        self._h2.forget_if_closed(event.stream_id)

    def _window(self, event: h2_events.WindowUpdated, out: list[H2Event]) -> None:
        out.append(WindowOpened(event.stream_id))

    def _settings(self, event: h2_events.RemoteSettingsChanged, out: list[H2Event]) -> None:
        theirs = self._h2.remote_settings
        largest = theirs.max_header_list_size
        out.append(SettingsReceived(theirs.max_concurrent_streams, UNLIMITED_BYTES if largest is None else largest))
        if SettingCodes.INITIAL_WINDOW_SIZE in event.changed_settings:
            out.append(WindowOpened(0))

    def _go_away(self, event: h2_events.ConnectionTerminated, out: list[H2Event]) -> None:
        self._closing = True
        out.append(GoAwayReceived(event.last_stream_id or 0, int(event.error_code or 0), event.additional_data or b""))

    def _ping(self, event: h2_events.PingAckReceived, out: list[H2Event]) -> None:
        out.append(PingAcknowledged(event.ping_data))


_TRANSLATIONS: dict[type, Callable[[PortableH2Session, Any, list[H2Event]], None]] = {
    h2_events.RequestReceived: PortableH2Session._head,
    h2_events.ResponseReceived: PortableH2Session._head,
    h2_events.InformationalResponseReceived: PortableH2Session._interim,
    h2_events.DataReceived: PortableH2Session._data,
    h2_events.TrailersReceived: PortableH2Session._trailers,
    h2_events.StreamReset: PortableH2Session._reset,
    h2_events.WindowUpdated: PortableH2Session._window,
    h2_events.RemoteSettingsChanged: PortableH2Session._settings,
    h2_events.ConnectionTerminated: PortableH2Session._go_away,
    h2_events.PingAckReceived: PortableH2Session._ping,
}
