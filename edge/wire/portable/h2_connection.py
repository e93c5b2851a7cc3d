"""
python-hyper's H2Connection with four of its habits changed, each because it costs calls or time in a gateway.

1. GOAWAY leaves the connection's state as it is: h2 would refuse every later frame and drop what waits to be written, and so
   lose the calls the peer still answers (RFC 9113 section 6.8).
2. A malformed message costs its stream, not the connection (RFC 9113 section 8.1.1); the rules are `core.header_rules`.
3. Closed streams are forgotten at once: h2 sweeps its streams whenever one opens, which costs more the more there are.
4. HEADERS and DATA are written directly, after h2's state machine agreed: building frame objects takes most of its time.

The stream and connection state machines, HPACK decoding, settings and windows are h2's. Pinned below the next major version,
since the methods overridden here are h2's own; tests/unit/wire/portable notices when they change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from h2.config import H2Configuration
from h2.connection import (
    AllowedStreamIDs,
    ConnectionInputs,
    ConnectionState,
    H2Connection,
    H2ConnectionStateMachine,
)
from h2.errors import ErrorCodes
from h2.events import Event, StreamReset, TrailersReceived
from h2.exceptions import (
    FlowControlError,
    FrameTooLargeError,
    NoSuchStreamError,
    ProtocolError,
    StreamClosedError,
    StreamIDTooLowError,
)
from h2.settings import SettingCodes, Settings
from h2.stream import H2Stream, StreamClosedBy, StreamInputs, StreamState
from h2.utilities import is_informational_response
from hpack.exceptions import HPACKError, OversizedHeaderListError
from hyperframe.frame import DataFrame, Frame, HeadersFrame, RstStreamFrame, WindowUpdateFrame

from edge.core.header_rules import request_fault, response_fault, trailers_fault
from edge.wire.portable.header_decoder import RememberingDecoder
from edge.wire.portable.header_encoder import HeaderEncoder
from edge.wire.session import Header, SessionSettings

_FRAME_HEAD_BYTES = 9
_END_STREAM, _END_HEADERS = 0x1, 0x4
_DATA, _HEADERS, _CONTINUATION = 0x0, 0x1, 0x9
_DEFAULT_WINDOW_BYTES = 65535
_LAST_STREAM_ID = 2**31 - 1
_RESETS = (StreamClosedBy.SEND_RST_STREAM, StreamClosedBy.RECV_RST_STREAM)

Answer = tuple[list[Frame], list[Event]]


class HeaderBlockError(ProtocolError):
    """A header block that does not decode: the compression state is lost, and the connection with it."""

    error_code = ErrorCodes.COMPRESSION_ERROR


class HeaderBlockTooLarge(ProtocolError):
    """A header block that decodes to more than we announced to take."""

    error_code = ErrorCodes.ENHANCE_YOUR_CALM


_TRANSITIONS = {
    **H2ConnectionStateMachine._transitions,
    **{
        (state, given): (None, state)
        for state in (ConnectionState.IDLE, ConnectionState.CLIENT_OPEN, ConnectionState.SERVER_OPEN)
        for given in (ConnectionInputs.SEND_GOAWAY, ConnectionInputs.RECV_GOAWAY)
    },
}


class _LastingStateMachine(H2ConnectionStateMachine):
    """h2's connection states, in which a GOAWAY changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._transitions = _TRANSITIONS


class GatewayConnection(H2Connection):
    """One connection's protocol state. `feed` may raise ProtocolError: then the connection is beyond repair."""

    MAX_CLOSED_STREAMS = 4096  # only streams that were reset are remembered: frames for them may still be on their way

    def __init__(self, settings: SessionSettings, *, client_side: bool) -> None:
        super().__init__(
            H2Configuration(
                client_side=client_side,
                header_encoding=None,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
                validate_inbound_headers=False,
                normalize_inbound_headers=False,
            )
        )
        self.state_machine = _LastingStateMachine()
        self.encoder = HeaderEncoder()  # type: ignore[assignment]  # h2 asks of it what HeaderEncoder offers, no more
        self.last_accepted_id = _LAST_STREAM_ID
        self._apply(settings, client_side)
        self.initiate_connection()
        more = settings.connection_window_bytes - _DEFAULT_WINDOW_BYTES
        if more > 0:
            self.increment_flow_control_window(more)

    def _apply(self, settings: SessionSettings, client_side: bool) -> None:
        values = {
            SettingCodes.INITIAL_WINDOW_SIZE: settings.stream_window_bytes,
            SettingCodes.MAX_FRAME_SIZE: settings.max_frame_bytes,
            SettingCodes.MAX_HEADER_LIST_SIZE: settings.max_header_list_bytes,
        }
        if client_side:
            values[SettingCodes.ENABLE_PUSH] = 0
        else:
            values[SettingCodes.MAX_CONCURRENT_STREAMS] = settings.max_concurrent_streams
        self.local_settings = Settings(client=client_side, initial_values=values)
        self.max_inbound_frame_size = settings.max_frame_bytes
        self.decoder = RememberingDecoder(settings.max_header_list_bytes)

    # Streams

    @property
    def open_outbound_streams(self) -> int:
        """All streams here are open (closed ones are gone), and all of a client's are its own."""
        return len(self.streams)

    @property
    def open_inbound_streams(self) -> int:
        """As above: without push, all of a server's streams are the peer's."""
        return len(self.streams)

    def forget_if_closed(self, stream_id: int) -> None:
        """Drop a stream's state once it has ended both ways or was reset."""
        stream = self.streams.get(stream_id)
        if stream is not None and stream.closed:
            del self.streams[stream_id]
            if stream.closed_by in _RESETS:
                self._closed_streams[stream_id] = stream.closed_by

    # Writing

    def clear_outbound_data_buffer(self) -> None:
        """Keep what waits to be written: h2 calls this on GOAWAY, after which the peer still reads our open streams."""

    def write_headers(self, stream_id: int, headers: Sequence[Header], *, end: bool) -> None:
        """A header block: a request, a response head (interim or not), or trailers."""
        stream = self._get_or_create_stream(stream_id, AllowedStreamIDs(self.config.client_side))
        interim = not self.config.client_side and is_informational_response(headers)
        self.state_machine.process_input(ConnectionInputs.SEND_HEADERS)
        machine = stream.state_machine
        machine.process_input(StreamInputs.SEND_INFORMATIONAL_HEADERS if interim else StreamInputs.SEND_HEADERS)
        if end:
            machine.process_input(StreamInputs.SEND_END_STREAM)
        if stream.request_method is None and headers[0][0] == b":method":
            stream.request_method = headers[0][1]  # h2 lets the answer to HEAD have a content-length and no body
        self._write_block(stream_id, self.encoder.encode(headers), _END_STREAM if end else 0)

    def _write_block(self, stream_id: int, block: bytes, flags: int) -> None:
        limit = self.max_outbound_frame_size
        if len(block) <= limit:
            self._write_frame(_HEADERS, flags | _END_HEADERS, stream_id, block)
            return
        self._write_frame(_HEADERS, flags, stream_id, block[:limit])
        for start in range(limit, len(block), limit):
            last = _END_HEADERS if start + limit >= len(block) else 0
            self._write_frame(_CONTINUATION, last, stream_id, block[start : start + limit])

    def write_data(self, stream_id: int, data: bytes | memoryview, *, end: bool) -> int:
        """As much of `data` as both windows allow; `end` counts only when all fits. The bytes taken."""
        stream = self.streams[stream_id]
        size = len(data)
        taken = min(size, max(0, self.outbound_flow_control_window), max(0, stream.outbound_flow_control_window))
        ends = end and taken == size
        if not taken and not ends:
            return 0
        self.state_machine.process_input(ConnectionInputs.SEND_DATA)
        stream.state_machine.process_input(StreamInputs.SEND_DATA)
        if ends:
            stream.state_machine.process_input(StreamInputs.SEND_END_STREAM)
        stream.outbound_flow_control_window -= taken
        self.outbound_flow_control_window -= taken
        limit = self.max_outbound_frame_size
        view = memoryview(data)
        for start in range(0, taken or 1, limit):
            stop = min(start + limit, taken)
            self._write_frame(_DATA, _END_STREAM if ends and stop == taken else 0, stream_id, view[start:stop])
        return taken

    def _write_frame(self, kind: int, flags: int, stream_id: int, payload: bytes | memoryview) -> None:
        head = len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream_id.to_bytes(4, "big")
        self._data_to_send += head
        self._data_to_send += payload

    # Reading

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events of what was received, frame by frame, so that those before a fatal frame are not lost."""
        self.incoming_buffer.add_data(data)
        self.incoming_buffer.max_frame_size = self.max_inbound_frame_size
        for frame in self.incoming_buffer:
            yield from self._answer(frame)
        self._check_pending_length()

    def _check_pending_length(self) -> None:
        """Refuse a frame over our limit by its head: h2 would first gather all of it, up to 16 MiB."""
        pending = self.incoming_buffer._data
        if len(pending) >= _FRAME_HEAD_BYTES and int.from_bytes(pending[:3], "big") > self.max_inbound_frame_size:
            raise FrameTooLargeError("an HTTP/1 message" if pending.startswith(b"HTTP/1") else "an overlong frame")

    def fail(self, code: int) -> None:
        """Write the GOAWAY of a connection error."""
        self.close_connection(code, None, self.highest_inbound_stream_id)

    def _answer(self, frame: Frame) -> Iterable[Event]:
        """h2's `_receive_frame` without the trace line, for which it would format every frame it receives."""
        try:
            frames, events = self._frame_dispatch_table[frame.__class__](frame)
        except (StreamClosedError, StreamIDTooLowError) as error:
            if not self._stream_is_closed_by_reset(error.stream_id):
                raise
            self._prepare_for_sending([_rst(error.stream_id, ErrorCodes.STREAM_CLOSED)])
            return getattr(error, "_events", ())
        self._prepare_for_sending(frames)
        return list(events)

    def _receive_headers_frame(self, frame: HeadersFrame) -> Answer:
        headers = self._decode(frame.data)  # before anything else: skipping a block would lose the compression state
        stream = self.streams.get(frame.stream_id)
        if stream is None:
            if self.config.client_side and frame.stream_id % 2 == 0:
                raise ProtocolError(f"HEADERS on stream {frame.stream_id}, which the server never pushed")
            if self._refuses(frame.stream_id):
                return [_rst(frame.stream_id, ErrorCodes.REFUSED_STREAM)], []
        self.state_machine.process_input(ConnectionInputs.RECV_HEADERS)
        if stream is None:
            stream = self._begin_new_stream(frame.stream_id, AllowedStreamIDs(not self.config.client_side))
        if "PRIORITY" in frame.flags and frame.depends_on == frame.stream_id:
            return self._break(stream, "depends on itself")
        try:
            _, events = stream.receive_headers(headers, "END_STREAM" in frame.flags, None)
        except StreamClosedError:
            raise
        except ProtocolError as error:
            return self._break(stream, str(error))
        fault = self._fault(headers, trailers=isinstance(events[0], TrailersReceived))
        return self._break(stream, fault) if fault is not None else ([], events)

    def _receive_data_frame(self, frame: DataFrame) -> Answer:
        try:
            return super()._receive_data_frame(frame)
        except (NoSuchStreamError, FlowControlError):
            raise
        except ProtocolError as error:
            stream = self.streams.get(frame.stream_id)
            if stream is None:
                raise
            frames, events = self._break(stream, str(error))
            return frames + self._credit(frame.flow_controlled_length), events

    def _credit(self, size: int) -> list[Frame]:
        """Give the connection's window back what a dead stream took of it."""
        increment = self._inbound_flow_control_window_manager.process_bytes(size)
        return [WindowUpdateFrame(0, window_increment=increment)] if increment else []

    def _decode(self, block: bytes) -> list[Any]:
        try:
            return self.decoder.decode(block, raw=True)  # type: ignore[return-value]  # ours returns a list
        except OversizedHeaderListError as error:
            raise HeaderBlockTooLarge(str(error)) from error
        except (HPACKError, IndexError) as error:
            raise HeaderBlockError(str(error)) from error

    def _refuses(self, stream_id: int) -> bool:
        """Whether a new stream of the peer's is one too many, or comes after our GOAWAY; it is then remembered as reset."""
        if self.config.client_side or stream_id % 2 == 0 or stream_id <= self.highest_inbound_stream_id:
            return False
        full = len(self.streams) >= self.local_settings.max_concurrent_streams
        if not full and stream_id <= self.last_accepted_id:
            return False
        self.highest_inbound_stream_id = stream_id
        self._closed_streams[stream_id] = StreamClosedBy.SEND_RST_STREAM
        return True

    def _fault(self, headers: list[Any], *, trailers: bool) -> str | None:
        if trailers:
            return trailers_fault(headers)
        return response_fault(headers) if self.config.client_side else request_fault(headers)

    def _break(self, stream: H2Stream, reason: str) -> Answer:
        """Reset a stream for a violation of the peer's."""
        self.config.logger.debug("stream %d: %s", stream.stream_id, reason)
        stream.state_machine.state = StreamState.CLOSED
        stream.state_machine.stream_closed_by = StreamClosedBy.SEND_RST_STREAM
        code = ErrorCodes.PROTOCOL_ERROR
        event = StreamReset(stream_id=stream.stream_id, error_code=code, remote_reset=False)
        return [_rst(stream.stream_id, code)], [event]


def _rst(stream_id: int, code: int) -> RstStreamFrame:
    return RstStreamFrame(stream_id, error_code=code)
