"""
An HTTP/2 stream as a transport, for a protocol that was written for a socket.

Owns the translation of back-pressure: what is written waits here, is given to the stream chunk by chunk as flow control takes it, and the
protocol is told to pause while more than a buffer's worth waits; while it does not want to read, the stream's window stays shut.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import structlog

from edge.ingress.http1_limits import QUEUE_BYTES
from edge.ingress.service import AnswerSink, BodyBroken, BodySource

_log = structlog.get_logger("edge.http2")

_CHUNK_BYTES = 16 * 1024


class StreamTransport(asyncio.Transport):
    """`carry` moves the bytes both ways until the protocol has closed the transport, or the client has ended its side."""

    def __init__(self, protocol: asyncio.Protocol | None = None) -> None:
        super().__init__()
        self._protocol = protocol
        self._unsent = bytearray()
        self._sending_bytes = 0
        self._paused = False  # so the protocol was told
        self._wanted = asyncio.Event()  # there is something to send, or an end to make
        self._reading = asyncio.Event()
        self._reading.set()
        self._half_closed = self._closing = self._aborted = False

    async def carry(self, body: BodySource, answer: AnswerSink) -> None:
        """Until the end; `connection_lost` is the caller's to say then."""
        reader = asyncio.create_task(self._read(body))
        try:
            await self._write(answer)
        finally:
            self._closing = True
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    # What the protocol calls.

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Who is told of what comes."""
        assert isinstance(protocol, asyncio.Protocol)
        self._protocol = protocol

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        """Send in its turn."""
        if self._closing or self._half_closed:
            return
        self._unsent += data
        self._wanted.set()
        if not self._paused and self.get_write_buffer_size() > QUEUE_BYTES and self._protocol is not None:
            self._paused = True
            self._protocol.pause_writing()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview[Any]]) -> None:
        """Send all of them."""
        self.write(b"".join(list_of_data))

    def get_write_buffer_size(self) -> int:
        """What the stream has not taken."""
        return len(self._unsent) + self._sending_bytes

    def can_write_eof(self) -> bool:
        """A stream's two sides end apart."""
        return True

    def write_eof(self) -> None:
        """Nothing follows what was written."""
        self._half_closed = True
        self._wanted.set()

    def pause_reading(self) -> None:
        """Let the window close."""
        self._reading.clear()

    def resume_reading(self) -> None:
        """Read on."""
        self._reading.set()

    def is_closing(self) -> bool:
        """Nothing more is read or written."""
        return self._closing

    def close(self) -> None:
        """End once what was written has left."""
        self._closing = True
        self._wanted.set()

    def abort(self) -> None:
        """End now."""
        self._closing = self._aborted = True
        self._unsent.clear()
        self._wanted.set()

    # The stream.

    async def _read(self, body: BodySource) -> None:
        try:
            await self._hand_on(body)
        except Exception:  # noqa: BLE001  # a bug of the protocol's ends its connection, as on a socket, and must not leave it deaf
            _log.exception("a protocol failed at what came on its stream")
            self.abort()

    async def _hand_on(self, body: BodySource) -> None:
        while not self._closing:
            await self._reading.wait()
            try:
                data = await body.read()
            except BodyBroken:
                data = b""
            if not data:  # as on a socket: one who will say nothing more is gone
                self.close()
            elif self._protocol is not None and not self._closing:
                self._protocol.data_received(data)

    async def _write(self, answer: AnswerSink) -> None:
        ended = False
        while not self._aborted:
            if self._unsent:
                await self._send(answer)
            elif self._closing:
                break
            else:
                if self._half_closed and not ended:
                    ended = True
                    answer.end()
                self._wanted.clear()
                await self._wanted.wait()
        if self._aborted:
            answer.abort()
        elif not ended:
            answer.end()

    async def _send(self, answer: AnswerSink) -> None:
        chunk = bytes(self._unsent[:_CHUNK_BYTES])
        del self._unsent[:_CHUNK_BYTES]
        self._sending_bytes = len(chunk)
        await answer.write(chunk)
        self._sending_bytes = 0
        if self._paused and not self._unsent and self._protocol is not None:
            self._paused = False
            self._protocol.resume_writing()
