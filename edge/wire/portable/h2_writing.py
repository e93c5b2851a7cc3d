"""
How a portable connection writes HEADERS and DATA: directly, once h2's state machine has agreed.

Owns the bytes of those two frames and what they earn the peer (`core.glitches`). Building h2's frame objects for them takes most of its
time; everything else h2 writes is rare and left to it. Source: RFC 9113 sections 4.1, 6.1, 6.2 and 6.10.
"""

from __future__ import annotations

from collections.abc import Sequence

from h2.config import H2Configuration
from h2.connection import AllowedStreamIDs, ConnectionInputs, H2Connection
from h2.stream import StreamInputs
from h2.utilities import is_informational_response

from edge.core import glitches
from edge.core.glitches import GlitchBudget
from edge.wire.portable.header_encoder import HeaderEncoder
from edge.wire.session import Header

_END_STREAM, _END_HEADERS = 0x1, 0x4
_DATA, _HEADERS, _CONTINUATION = 0x0, 0x1, 0x9
_WORTHWHILE_BYTES = 1024
"""A DATA frame of less, cut so by the peer's window, earns nothing: the window may be opened a byte at a time (CVE-2019-9517)."""


class DirectWriter(H2Connection):
    """h2's connection with writing of our own. `budget` is earned by what the peer is sent."""

    def __init__(self, config: H2Configuration, encoder: HeaderEncoder, budget: GlitchBudget | None) -> None:
        super().__init__(config)
        self.encoder = encoder  # type: ignore[assignment]  # h2 asks of it what HeaderEncoder offers, no more
        self._budget = budget

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
        if self._budget is not None and not interim:
            self._budget.earn(glitches.ANSWERED)

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
        if self._budget is not None and (taken == size or taken >= _WORTHWHILE_BYTES):
            self._budget.earn(glitches.ANSWERED * (1 + taken // limit))
        return taken

    def _write_frame(self, kind: int, flags: int, stream_id: int, payload: bytes | memoryview) -> None:
        head = len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream_id.to_bytes(4, "big")
        self._data_to_send += head
        self._data_to_send += payload
