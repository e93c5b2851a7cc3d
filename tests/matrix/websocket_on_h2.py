"""
A WebSocket client over HTTP/2, of python-hyper's h2 and the sans-IO half of `websockets`: no part of it is the gateway's.

    async with open_websocket(gateway.port, "/v1/chat") as ws:
        await ws.say('{"text": "hello"}')
        assert await ws.hear() == ...
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RemoteSettingsChanged, ResponseReceived, StreamEnded, StreamReset
from h2.settings import SettingCodes
from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, OPEN, Protocol

STREAM = 1


class WebSocketOnH2:
    """`status` and `fields` are the answer's, once it has come; `reset` is the code of a RST_STREAM, `ended` that of END_STREAM."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self.ws = Protocol(CLIENT, state=OPEN, max_size=None)
        self._frames: list[Frame] = []
        self.offered: bool | None = None  # once the settings have come
        self.status = 0
        self.fields: dict[str, str] = {}
        self.ended = False
        self.reset: int | None = None

    async def start(self) -> None:
        """Learn whether WebSockets are offered."""
        self.h2.initiate_connection()
        await self.until(lambda: self.offered is not None)

    async def ask(self, path: str, *more: tuple[str, str], protocol: str = "websocket") -> None:
        """Ask for a WebSocket, and wait for the answer."""
        head = [
            (":method", "CONNECT"),
            (":protocol", protocol),
            (":scheme", "http"),
            (":path", path),
            (":authority", "edge"),
        ]
        self.h2.send_headers(STREAM, [*head, ("sec-websocket-version", "13"), *more])
        await self.until(lambda: self.status or self.reset is not None)

    async def say(self, text: str | bytes) -> None:
        """A text frame, or a binary one."""
        if isinstance(text, str):
            self.ws.send_text(text.encode())
        else:
            self.ws.send_binary(text)
        await self.send()

    async def send(self) -> None:
        """What the WebSocket has to send."""
        for data in self.ws.data_to_send():
            while data and not self.ended and self.reset is None:
                room = min(self.h2.local_flow_control_window(STREAM), self.h2.max_outbound_frame_size)
                if not room:
                    await self._turn()
                    continue
                self.h2.send_data(STREAM, data[:room])
                data = data[room:]
        self._writer.write(self.h2.data_to_send())
        await self._writer.drain()

    async def hear(self) -> str | bytes | None:
        """The next message; None when the WebSocket is closed, or the stream is over."""
        await self.until(lambda: self._frames or self.ws.close_rcvd or self.ended or self.reset is not None)
        if not self._frames:
            return None
        frame = self._frames.pop(0)
        return bytes(frame.data).decode() if frame.opcode is Opcode.TEXT else bytes(frame.data)

    async def rest(self) -> tuple[list[str | bytes], int | None]:
        """All that still comes, and the code it is closed with."""
        came: list[str | bytes] = []
        while (message := await self.hear()) is not None:
            came.append(message)
        await self.send()  # our half of the close
        return came, None if self.ws.close_rcvd is None else self.ws.close_rcvd.code

    async def until(self, holds: Callable[[], object]) -> None:
        """Read until something is so."""
        async with asyncio.timeout(20):
            while not holds():
                await self._turn()

    async def _turn(self) -> None:
        self._writer.write(self.h2.data_to_send())
        data = await self._reader.read(65536)
        assert data, "the connection ended"
        for event in self.h2.receive_data(data):
            if isinstance(event, RemoteSettingsChanged):
                self.offered = bool(self.h2.remote_settings.get(SettingCodes.ENABLE_CONNECT_PROTOCOL))
            elif isinstance(event, ResponseReceived):
                self.fields = {str(name): str(value) for name, value in event.headers}
                self.status = int(self.fields.pop(":status"))
            elif isinstance(event, DataReceived):
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                self.ws.receive_data(event.data if event.stream_id == STREAM else b"")
                received = [item for item in self.ws.events_received() if isinstance(item, Frame)]
                self._frames += [frame for frame in received if frame.opcode in (Opcode.TEXT, Opcode.BINARY)]
            elif isinstance(event, StreamEnded):
                self.ended = True
            elif isinstance(event, StreamReset):
                self.reset = int(event.error_code)
        self._writer.write(self.h2.data_to_send())


@asynccontextmanager
async def connection_to(port: int) -> AsyncIterator[WebSocketOnH2]:
    """An HTTP/2 connection whose settings have come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    client = WebSocketOnH2(reader, writer)
    try:
        await client.start()
        yield client
    finally:
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def open_websocket(port: int, path: str, *more: tuple[str, str]) -> AsyncIterator[WebSocketOnH2]:
    """One that was accepted."""
    async with connection_to(port) as client:
        await client.ask(path, *more)
        assert (client.status, client.ended) == (200, False), client.fields
        yield client
