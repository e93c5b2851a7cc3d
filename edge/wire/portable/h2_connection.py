"""
python-hyper's H2Connection with six of its habits changed, each because it costs calls or time in a gateway.

1. GOAWAY leaves the connection's state as it is: h2 would refuse every later frame and drop what waits to be written, and so
   lose the calls the peer still answers (RFC 9113 section 6.8).
2. A malformed message costs its stream, not the connection (RFC 9113 section 8.1.1); the rules are `core.header_rules`.
3. Closed streams are forgotten at once: h2 sweeps its streams whenever one opens, which costs more the more there are.
4. HEADERS and DATA are written directly (`h2_writing`).
5. What an honest peer seldom does is charged to a budget (`core.glitches`), which h2 has none of.
6. It is gone when its last user is: h2's table of its own methods would keep 14 KiB and more until the collector comes by, and a
   client that connects again and again makes thousands of them meanwhile.

The stream and connection state machines, HPACK decoding, settings and windows are h2's. Pinned below the next major version,
since the methods overridden here are h2's own; tests/unit/wire/portable notices when they change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from h2.config import H2Configuration
from h2.connection import (
    AllowedStreamIDs,
    ConnectionInputs,
    ConnectionState,
    H2ConnectionStateMachine,
)
from h2.errors import ErrorCodes
from h2.events import Event, InformationalResponseReceived, StreamReset, TrailersReceived
from h2.exceptions import (
    FlowControlError,
    NoSuchStreamError,
    ProtocolError,
    StreamClosedError,
    StreamIDTooLowError,
)
from h2.settings import SettingCodes, Settings
from h2.stream import H2Stream, StreamClosedBy, StreamState
from hpack.exceptions import HPACKError, OversizedHeaderListError
from hyperframe.frame import (
    AltSvcFrame,
    ContinuationFrame,
    DataFrame,
    ExtensionFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from edge.core import glitches
from edge.core.glitches import GlitchBudget
from edge.core.header_rules import request_fault, response_fault, trailers_fault
from edge.wire.portable.guarded_frames import GuardedFrameBuffer, HeaderBlockTooLarge, Misbehaviour
from edge.wire.portable.h2_writing import DirectWriter
from edge.wire.portable.header_decoder import RememberingDecoder
from edge.wire.portable.header_encoder import HeaderEncoder
from edge.wire.session import SessionSettings

_DEFAULT_WINDOW_BYTES = 65535
_LAST_STREAM_ID = 2**31 - 1
_HEADER_LIST_GRACE = 2
"""How many times the announced size a request's header list may have and still be decoded, so that it can be answered with 431."""
_MAX_FIELDS = 512
"""Of one header block, in both roles: five times what a request may have, for the crumbs of cookies, and to say 431 to what is over."""
_RESETS = (StreamClosedBy.SEND_RST_STREAM, StreamClosedBy.RECV_RST_STREAM)

Answer = tuple[list[Frame], list[Event]]


class HeaderBlockError(ProtocolError):
    """A header block that does not decode: the compression state is lost, and the connection with it."""

    error_code = ErrorCodes.COMPRESSION_ERROR


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


class GatewayConnection(DirectWriter):
    """One connection's protocol state. `feed` may raise ProtocolError: then the connection is beyond repair."""

    MAX_CLOSED_STREAMS = 1024
    """
    Only streams that were reset are remembered: frames for them may still be on their way. Ten times what a client may have open, for at
    most 0.15 MiB a connection.
    """

    def __init__(self, settings: SessionSettings, *, client_side: bool, budget: GlitchBudget | None = None) -> None:
        super().__init__(
            H2Configuration(
                client_side=client_side,
                header_encoding=None,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
                validate_inbound_headers=False,
                normalize_inbound_headers=False,
            ),
            HeaderEncoder(),
            budget,
        )
        del self._frame_dispatch_table
        self.state_machine = _LastingStateMachine()
        self.last_accepted_id = _LAST_STREAM_ID
        self.incoming_buffer = GuardedFrameBuffer(
            server=not client_side, max_block_bytes=settings.max_header_list_bytes, budget=budget
        )
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
            if settings.connect_protocol:
                values[SettingCodes.ENABLE_CONNECT_PROTOCOL] = 1
        self.local_settings = Settings(client=client_side, initial_values=values)
        self.max_inbound_frame_size = settings.max_frame_bytes
        grace = 1 if client_side else _HEADER_LIST_GRACE
        self.decoder = RememberingDecoder(grace * settings.max_header_list_bytes, _MAX_FIELDS)

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

    # Reading

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events of what was received, frame by frame, so that those before a fatal frame are not lost."""
        self.incoming_buffer.add_data(data)
        self.incoming_buffer.max_frame_size = self.max_inbound_frame_size
        for frame in self.incoming_buffer:
            yield from self._answer(frame)

    def fail(self, code: int) -> None:
        """Write the GOAWAY of a connection error."""
        self.close_connection(code, None, self.highest_inbound_stream_id)

    def _charge(self, points: int) -> None:
        if self._budget is not None:
            self._budget.charge(points)
            if self._budget.exhausted:
                raise Misbehaviour("too many streams that were reset or refused")

    def _answer(self, frame: Frame) -> Iterable[Event]:
        """h2's `_receive_frame` without the trace line, for which it would format every frame it receives."""
        try:
            frames, events = _RECEIVERS[frame.__class__](self, frame)
        except (StreamClosedError, StreamIDTooLowError) as error:
            frames, events = self._late(error)
        if frames:
            self._prepare_for_sending(frames)
        return list(events)

    def _late(self, error: StreamClosedError | StreamIDTooLowError) -> Answer:
        """
        A frame for a stream that is over.

        After our reset it may have been under way and is dropped; after the peer's own, or on a stream the peer had ended, it is
        a stream error; after a regular end it is more than that.
        """
        events = getattr(error, "_events", [])
        if not events:
            closed_by = self._stream_closed_by(error.stream_id)
            if closed_by is StreamClosedBy.SEND_RST_STREAM:
                self._charge(glitches.LATE_FRAME)
                return [], []
            if closed_by is not StreamClosedBy.RECV_RST_STREAM and not self.config.client_side:
                raise error  # from a service it costs no other call
        self._charge(glitches.RESET)
        return [_rst(error.stream_id, ErrorCodes.STREAM_CLOSED)], events

    def _receive_headers_frame(self, frame: HeadersFrame) -> Answer:
        headers = self._decode(frame.data)  # before anything else: skipping a block would lose the compression state
        if len(headers) > glitches.USUAL_FIELDS:
            self._charge(glitches.fields_cost(len(headers)))
        stream = self.streams.get(frame.stream_id)
        if stream is None:
            if self.config.client_side and frame.stream_id % 2 == 0:
                raise ProtocolError(f"HEADERS on stream {frame.stream_id}, which the server never pushed")
            if self._refuses(frame.stream_id):
                self._charge(glitches.REFUSED)
                return [_rst(frame.stream_id, ErrorCodes.REFUSED_STREAM)], []
        self.state_machine.process_input(ConnectionInputs.RECV_HEADERS)
        if stream is None:
            stream = self._begin_new_stream(frame.stream_id, AllowedStreamIDs(not self.config.client_side))
        if "PRIORITY" in frame.flags and frame.depends_on == frame.stream_id:
            return self._break(stream, "depends on itself")
        end = "END_STREAM" in frame.flags
        announced = stream._expected_content_length
        try:
            _, events = stream.receive_headers(headers, end, None)
        except StreamClosedError:
            raise
        except ProtocolError as error:
            return self._break(stream, str(error))
        trailers = isinstance(events[0], TrailersReceived)
        fault = self._fault(headers, trailers=trailers)
        if isinstance(events[0], InformationalResponseReceived):
            interims = stream.interims = getattr(stream, "interims", 0) + 1  # type: ignore[attr-defined]  # ours, and goes with the stream
            if interims > glitches.MAX_INTERIMS:
                fault = "too many interim heads"
        if fault is None and end and not self.config.client_side:
            fault = _length_fault(stream, announced if trailers else stream._expected_content_length)
        return self._break(stream, fault) if fault is not None else ([], events)

    def _receive_data_frame(self, frame: DataFrame) -> Answer:
        size = frame.flow_controlled_length
        self.state_machine.process_input(ConnectionInputs.RECV_DATA)
        self._inbound_flow_control_window_manager.window_consumed(size)
        try:
            stream = self._get_stream_by_id(frame.stream_id)
            frames, events = stream.receive_data(frame.data, "END_STREAM" in frame.flags, size)
        except StreamClosedError as error:
            frames, events = self._late(error)
        except (NoSuchStreamError, FlowControlError):
            raise
        except ProtocolError as error:
            frames, events = self._break(self.streams[frame.stream_id], str(error))
        else:
            return frames, events
        return frames + self._credit(size), events

    def _receive_window_update_frame(self, frame: WindowUpdateFrame) -> Answer:
        frames, events = super()._receive_window_update_frame(frame)
        if events and isinstance(events[-1], StreamReset):  # it opened the window further than there is
            self._charge(glitches.RESET)
        return frames, events

    def _receive_rst_stream_frame(self, frame: RstStreamFrame) -> Answer:
        stream = self.streams.get(frame.stream_id)
        if stream is None and self._is_idle(frame.stream_id):
            raise ProtocolError(f"RST_STREAM on idle stream {frame.stream_id}")
        answered = stream is None or stream.state_machine.state is StreamState.HALF_CLOSED_LOCAL
        self._charge(glitches.LATE_FRAME if answered else glitches.RESET)
        return super()._receive_rst_stream_frame(frame)

    def _is_idle(self, stream_id: int) -> bool:
        outbound = self._stream_id_is_outbound(stream_id)
        return stream_id > (self.highest_outbound_stream_id if outbound else self.highest_inbound_stream_id)

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
        if self.config.client_side:
            return response_fault(headers)
        return request_fault(headers, connect_protocol=bool(self.local_settings.enable_connect_protocol))

    def _break(self, stream: H2Stream, reason: str) -> Answer:
        """Reset a stream for a violation of the peer's."""
        self._charge(glitches.RESET)
        self.config.logger.debug("stream %d: %s", stream.stream_id, reason)
        stream.state_machine.state = StreamState.CLOSED
        stream.state_machine.stream_closed_by = StreamClosedBy.SEND_RST_STREAM
        code = ErrorCodes.PROTOCOL_ERROR
        event = StreamReset(stream_id=stream.stream_id, error_code=code, remote_reset=False)
        return [_rst(stream.stream_id, code)], [event]


_RECEIVERS: dict[type[Frame], Callable[[GatewayConnection, Any], Answer]] = {
    HeadersFrame: GatewayConnection._receive_headers_frame,
    PushPromiseFrame: GatewayConnection._receive_push_promise_frame,
    SettingsFrame: GatewayConnection._receive_settings_frame,
    DataFrame: GatewayConnection._receive_data_frame,
    WindowUpdateFrame: GatewayConnection._receive_window_update_frame,
    PingFrame: GatewayConnection._receive_ping_frame,
    RstStreamFrame: GatewayConnection._receive_rst_stream_frame,
    PriorityFrame: GatewayConnection._receive_priority_frame,
    GoAwayFrame: GatewayConnection._receive_goaway_frame,
    ContinuationFrame: GatewayConnection._receive_naked_continuation,  # type: ignore[dict-item]  # it only raises
    AltSvcFrame: GatewayConnection._receive_alt_svc_frame,
    ExtensionFrame: GatewayConnection._receive_unknown_frame,
}


def _length_fault(stream: H2Stream, announced: int | None) -> str | None:
    """Whether a request that a header block ends is as long as it said: h2 asks only where DATA ends it."""
    if announced is None or announced == stream._actual_content_length:
        return None
    return f"a body of {stream._actual_content_length} bytes where {announced} were announced"


def _rst(stream_id: int, code: int) -> RstStreamFrame:
    return RstStreamFrame(stream_id, error_code=code)
