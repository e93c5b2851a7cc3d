"""
h2's frame buffer with a guard before it: every frame is charged, and refused when too large, before anything is made of it.

Owns the bounds on what is not yet a frame or a header block: a frame's size is judged by its head, a header block by the count
and the bytes of its CONTINUATIONs (h2 would gather 64 frames of any size). Source: RFC 9113 sections 4.2 and 6.10; CVE-2024-27316.
"""

from __future__ import annotations

from h2.errors import ErrorCodes
from h2.exceptions import FrameDataMissingError, FrameTooLargeError, ProtocolError
from h2.frame_buffer import FrameBuffer
from hyperframe.exceptions import InvalidDataError, InvalidFrameError
from hyperframe.frame import Frame, SettingsFrame

from edge.core.glitches import GlitchBudget, frame_cost

MAX_CONTINUATIONS = 16
"""Of one header block: with frames of the least size a peer may be held to, four are enough for all we take."""

_HEAD_BYTES = 9
_SETTING_BYTES = 6
_SETTINGS, _ACK = 0x4, 0x1


class Misbehaviour(ProtocolError):
    """The peer's budget of misbehaviour is spent."""

    error_code = ErrorCodes.ENHANCE_YOUR_CALM


class HeaderBlockTooLarge(ProtocolError):
    """A header block larger than we announced to take."""

    error_code = ErrorCodes.ENHANCE_YOUR_CALM


class GuardedFrameBuffer(FrameBuffer):
    """An iterator over the frames received; raises ProtocolError where the connection is beyond repair."""

    def __init__(self, *, server: bool, max_block_bytes: int, budget: GlitchBudget | None) -> None:
        super().__init__(server=server)
        self._max_block_bytes = max_block_bytes
        self._budget = budget
        self._block_bytes = 0

    def __next__(self) -> Frame:
        """The next whole frame; a header block is one HEADERS frame however many carried it."""
        while True:
            data = self._data
            if len(data) < _HEAD_BYTES:
                raise StopIteration
            size = int.from_bytes(data[:3], "big")
            if size > self.max_frame_size:
                raise FrameTooLargeError(
                    "an HTTP/1 message" if data.startswith(b"HTTP/1") else f"a frame of {size} bytes"
                )
            end = _HEAD_BYTES + size
            if len(data) < end:
                raise StopIteration
            if self._budget is not None:
                self._charge(self._budget, data, size)
            frame = self._update_header_buffer(self._parse(end))
            if frame is not None:
                self._block_bytes = 0
                return frame
            self._bound_block(size)

    @staticmethod
    def _charge(budget: GlitchBudget, data: bytearray, size: int) -> None:
        cost = frame_cost(data[3], data[4], size, data[_HEAD_BYTES] if size else 0)
        if cost:
            budget.charge(cost)
            if budget.exhausted:
                raise Misbehaviour("too many frames that do no work")

    def _parse(self, end: int) -> Frame:
        data = self._data
        try:
            frame, _ = Frame.parse_frame_header(memoryview(bytes(data[:_HEAD_BYTES])))
            frame.parse_body(memoryview(bytes(data[_HEAD_BYTES:end])))
        except InvalidDataError as error:
            acknowledges = data[3] == _SETTINGS and data[4] & _ACK and not any(data[5:_HEAD_BYTES])
            if acknowledges and end > _HEAD_BYTES:  # a wrong size (6.5), not what hyperframe takes it for
                raise FrameDataMissingError(str(error)) from error
            raise ProtocolError(str(error)) from error
        except InvalidFrameError as error:
            raise FrameDataMissingError(str(error)) from error
        if isinstance(frame, SettingsFrame) and len(frame.settings) * _SETTING_BYTES < end - _HEAD_BYTES:
            _keep_least_table(frame, data[_HEAD_BYTES:end])
        del data[:end]
        return frame

    def _bound_block(self, size: int) -> None:
        """A header block goes on."""
        self._block_bytes += size
        if self._block_bytes > self._max_block_bytes or len(self._headers_buffer) > MAX_CONTINUATIONS:
            raise HeaderBlockTooLarge(
                f"a header block of more than {self._block_bytes} bytes or {MAX_CONTINUATIONS} frames"
            )


def _keep_least_table(frame: SettingsFrame, payload: bytearray) -> None:
    """Of several table sizes hyperframe keeps the last; the smallest must be signalled (RFC 7541 4.2), a larger need not be used."""
    sizes = [
        int.from_bytes(payload[at + 2 : at + _SETTING_BYTES], "big")
        for at in range(0, len(payload), _SETTING_BYTES)
        if int.from_bytes(payload[at : at + 2], "big") == SettingsFrame.HEADER_TABLE_SIZE
    ]
    if sizes:
        frame.settings[SettingsFrame.HEADER_TABLE_SIZE] = min(sizes)
