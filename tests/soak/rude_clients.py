"""
Clients a gateway suffers from: slow readers of endless streams, and one that disconnects in the middle of every call.

The slow ones read as little as keeps them from being cut off; what the gateway would hold for them shows in its memory.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from typing import Any

import grpc

from tests.soak.clients import COUNT, RPC, frame
from tests.upstreams.bookstore import known

ENDLESS = 1_000_000
SIP_BYTES, SIP_MESSAGES, SIP_EVERY_S = 4096, 400, 0.5

_JSON = "Content-Type: application/json\r\n"
_GET_ENDLESS = f"GET /v1/lab/count?to={ENDLESS}"
_WS = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


def _request(line: str, headers: str = "", body: bytes = b"") -> bytes:
    return f"{line} HTTP/1.1\r\nHost: soak\r\n{headers}\r\n".encode() + body


def _endless() -> bytes:
    message: bytes = known().CountRequest(to=ENDLESS).SerializeToString()
    return message


def _masked(text: bytes) -> bytes:
    """A masked WebSocket text frame, its mask zero."""
    return bytes((0x81, 0x80 | len(text))) + bytes(4) + text


def cut_calls() -> list[bytes]:
    """Requests that are left alone once their answer has begun, or before they are whole."""
    typed = f"Content-Type: application/connect+proto\r\nContent-Length: {len(_endless()) + 5}\r\n"
    web = f"Content-Type: application/grpc-web+proto\r\nContent-Length: {len(_endless()) + 5}\r\n"
    return [
        _request(_GET_ENDLESS, "Accept: application/x-ndjson\r\n"),
        _request(_GET_ENDLESS, "Accept: text/event-stream\r\n"),
        _request(f"POST {COUNT}", typed, frame(_endless())),
        _request(f"POST {COUNT}", web, frame(_endless())),
        _request("GET /v1/lab/slow?delay=300s"),
        _request("POST /v1/lab/specimen", _JSON + "Content-Length: 1000\r\n", b'{"stringValue": "half'),
        _request(
            "POST /v1/books:import", "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n", b"2\r\n{}"
        ),
        _request("GET /v1/chat", _WS, _masked(b'{"text":"hello"}')),
    ]


async def disconnect(port: int, request: bytes) -> None:
    """Ask, read a little if anything comes, and reset the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        with suppress(TimeoutError):
            async with asyncio.timeout(
                0.1
            ):  # not wait_for: before Python 3.12 it loses a cancellation that meets the answer
                await reader.read(1024)
    finally:
        made: Any = writer.get_extra_info("socket")
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()


async def cancel(channel: Any) -> None:
    """gRPC calls that are cancelled: a stream after its first message, a unary one before its answer."""
    stream = channel.unary_stream(COUNT)(_endless())
    await stream.read()
    stream.cancel()
    unary = channel.unary_unary(RPC.replace("EchoSpecimen", "Slow"))(b"\x0a\x03\x08\xac\x02")
    await asyncio.sleep(0.02)
    unary.cancel()
    assert await unary.code() is grpc.StatusCode.CANCELLED  # `await unary` would raise what our own cancellation raises


async def sip(port: int) -> None:
    """A slow reader of NDJSON, with a small receive buffer, until it is cancelled."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_connect(sock, ("127.0.0.1", port))
        await loop.sock_sendall(sock, _request(_GET_ENDLESS, "Accept: application/x-ndjson\r\n"))
        while await loop.sock_recv(sock, SIP_BYTES):
            await asyncio.sleep(SIP_EVERY_S)
        raise AssertionError("the slow reader was cut off")
    finally:
        sock.close()


async def sip_grpc(channel: Any) -> None:
    """
    The same over gRPC: some messages now and then.

    Enough of them that grpcio, which tells of what it has read by half windows, does so within the gateway's write timeout.
    """
    stream = channel.unary_stream(COUNT)(_endless())
    try:
        while True:
            for _ in range(SIP_MESSAGES):
                assert isinstance(await stream.read(), bytes), "the slow reader was cut off"
            await asyncio.sleep(SIP_EVERY_S)
    finally:
        stream.cancel()
