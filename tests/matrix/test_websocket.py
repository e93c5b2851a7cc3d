"""RPCs over WebSocket, with a client that is not ours, against the bookstore and against a recorder."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync import client as sync_client

from edge.demo import service
from tests.gateway import RunningGateway, bookstore_config, running
from tests.matrix.rest_site import compiled, serving
from tests.matrix.test_rest_stream import steady
from tests.upstreams.bookstore import OPENED_S, BookstoreProcess, bookstore, known
from tests.upstreams.streaming import streaming

FEEDS = "/bookstore.v1.Feeds"
CORS = {"origins": ["https://app.example.com", "https://*.example.org"]}


def configured(folder: Path, port: int, **api: Any) -> dict[str, Any]:
    limits = {"max_body_bytes": 4096}
    choices = {**compiled(folder), "websocket": True, "cors": CORS, **api}
    return bookstore_config(folder, port, api=choices, limits=limits)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[RunningGateway]:
    async with bookstore() as (address, _):
        port = int(address.rpartition(":")[2])
        async with running(tmp_path, configured(tmp_path, port)) as gateway:
            yield gateway


def socket_to(gateway: RunningGateway, target: str, **choices: Any) -> connect:
    return connect(f"ws://127.0.0.1:{gateway.port}{target}", proxy=None, compression=None, **choices)


async def rest_of(ws: ClientConnection) -> tuple[list[str | bytes], int | None, str | None]:
    """All that still comes, and how it ends."""
    came: list[str | bytes] = []
    try:
        while True:
            came.append(await ws.recv())
    except ConnectionClosed:
        return came, ws.close_code, ws.close_reason


def say(text: str) -> str:
    return json.dumps({"from": "me", "text": text})


async def test_server_streaming_by_a_rest_path_needs_no_message(shop: RunningGateway) -> None:
    """Path and query are the whole request; OK is 1000, and the log tells the dialect."""
    async with socket_to(shop, "/v1/lab/count?to=3") as ws:
        came, code, reason = await rest_of(ws)
    assert (came, code, reason) == ([f'{{"number":{n}}}' for n in (1, 2, 3)], 1000, "")
    line = await shop.logged()
    assert (line["dialect"], line["status"], line["grpc_code"], line["rpc"]) == (
        "websocket",
        101,
        "OK",
        "bookstore.v1.Feeds.Count",
    ), line


async def test_an_error_is_a_status_and_a_close_code(shop: RunningGateway) -> None:
    """The messages, an empty text frame, the google.rpc.Status, and 4000 + the code."""
    async with socket_to(shop, "/v1/lab/count?to=1&code=5") as ws:
        came, code, reason = await rest_of(ws)
    message, end, status = came
    assert (message, end) == ('{"number":1}', "")
    assert json.loads(status)["code"] == 5
    assert json.loads(status)["details"][0]["reason"] == "AS_TOLD"
    assert (code, reason) == (4005, "counted to 1, then failed as told")


async def test_a_conversation(shop: RunningGateway) -> None:
    """Each answer comes before the next question is asked; an empty text frame is the half-close."""
    async with socket_to(shop, "/v1/chat", subprotocols=["other", "edge.json"]) as ws:
        assert ws.subprotocol == "edge.json"
        for text in ("hello", "what's new?"):
            await ws.send(say(text))
            assert json.loads(await ws.recv())["text"] == f"You said: {text}"
        await ws.send("")
        assert await rest_of(ws) == ([], 1000, "")


async def test_the_service_may_hang_up(shop: RunningGateway) -> None:
    """The end of the RPC is the end of the WebSocket, though the client could still talk."""
    async with socket_to(shop, "/v1/chat") as ws:
        await ws.send(say("bye"))
        came, code, _ = await rest_of(ws)
    assert (len(came), code) == (1, 1000)


async def test_client_streaming(shop: RunningGateway) -> None:
    """Many messages, one answer after the half-close."""
    async with socket_to(shop, "/v1/books:import") as ws:
        for title in ("One", "Two"):
            await ws.send(json.dumps({"shelf": "1", "book": {"title": title, "author": "A. Nonymous"}}))
        await ws.send("")
        (answer,), code, _ = await rest_of(ws)
    assert code == 1000
    known_keys = json.loads(answer)
    assert known_keys.get("created", 0) + len(known_keys.get("failures", [])) == 2


async def test_protobuf_by_the_path_of_the_rpc(shop: RunningGateway) -> None:
    """Binary frames both ways, bytes as they are; the status is text."""
    messages = known()
    async with socket_to(shop, f"{FEEDS}/Count", subprotocols=["edge.proto"]) as ws:
        assert ws.subprotocol == "edge.proto"
        await ws.send(messages.CountRequest(to=2, code=7).SerializeToString())
        (*counted, end, status), code, _ = await rest_of(ws)
    assert [messages.CountResponse.FromString(data).number for data in counted] == [1, 2]
    assert (end, json.loads(status)["code"], code) == ("", 7, 4007)


async def test_json_by_the_path_of_the_rpc_and_a_unary_method(shop: RunningGateway) -> None:
    """The one message needs no half-close."""
    async with socket_to(shop, f"{FEEDS}/Count") as ws:
        await ws.send('{"to": 1}')
        assert await rest_of(ws) == (['{"number":1}'], 1000, "")
    async with socket_to(shop, "/v1/shelves/1") as ws:
        (shelf,), code, _ = await rest_of(ws)
    assert (json.loads(shelf)["id"], code) == ("1", 1000)


async def test_http_bodies_are_binary(shop: RunningGateway) -> None:
    """Pieces of CSV as they are, not base64 in JSON."""
    async with socket_to(shop, "/v1/books:export") as ws:
        came, code, _ = await rest_of(ws)
    assert code == 1000
    assert all(isinstance(piece, bytes) for piece in came)
    assert b"," in b"".join(piece for piece in came if isinstance(piece, bytes))


@pytest.mark.parametrize(
    ("sent", "code", "grpc_code"),
    [
        (b"binary", 1003, 3),
        ("x" * 5000, 1009, 8),
        ("{nonsense", 4003, 3),
        ('{"from": 1}', 4003, 3),
    ],
)
async def test_what_cannot_be_taken(shop: RunningGateway, sent: str | bytes, code: int, grpc_code: int) -> None:
    """Wrong frames and large messages have the RFC's close codes, wrong messages those of their status."""
    async with socket_to(shop, "/v1/chat") as ws:
        await ws.send(sent)
        (end, status), closed, _ = await rest_of(ws)
    assert (end, json.loads(status)["code"], closed) == ("", grpc_code, code)


async def test_fragments_are_one_message_and_bounded_together(shop: RunningGateway) -> None:
    async def pieces(*texts: str) -> AsyncIterator[str]:
        for text in texts:
            yield text

    async with socket_to(shop, "/v1/chat") as ws:
        await ws.send(pieces(*say("hello")))
        assert json.loads(await ws.recv())["text"] == "You said: hello"
        await ws.send(pieces(*["y" * 1000] * 5))
        assert (await rest_of(ws))[1] == 1009


async def test_a_message_too_many(shop: RunningGateway) -> None:
    """One the RPC does not take: UNIMPLEMENTED, as gRPC has it, whether it comes early or late."""
    async with socket_to(shop, "/v1/lab/count?to=3&interval=0.2s") as ws:
        await ws.recv()
        await ws.send("{}")
        assert (await rest_of(ws))[1] == 4012
    async with socket_to(shop, f"{FEEDS}/Count") as ws:
        await ws.send("")
        assert (await rest_of(ws))[1] == 4012


# What a proper client would not do.


class RawSocket:
    """A WebSocket by hand. `early` is sent together with the handshake."""

    def __init__(
        self, gateway: RunningGateway, target: str, early: bytes = b"", *lines: str, window: int | None = None
    ) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        head = [
            f"GET {target} HTTP/1.1",
            "Host: edge.example:8080",
            "Connection: keep-alive, Upgrade",
            "Upgrade: WebSocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
            *lines,
        ]
        self.gateway = gateway
        self.window = window
        self.request = "\r\n".join([*head, "", ""]).encode() + early

    async def __aenter__(self) -> RawSocket:
        sock = socket.socket()
        if self.window is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.window)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.window)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.gateway.port))
        self.reader, self.writer = await asyncio.open_connection(sock=sock)
        self.writer.write(self.request)
        self.status = int((await self.reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    async def close_code(self) -> int:
        """The close frame's; frames before it are read over."""
        while True:
            kind, size = await self.reader.readexactly(2)
            if size == 126:
                (size,) = struct.unpack("!H", await self.reader.readexactly(2))
            data = await self.reader.readexactly(size)
            if kind == 0x88:
                return int(struct.unpack("!H", data[:2])[0])


def frame(kind: int, data: bytes, *, masked: bool = True) -> bytes:
    size = len(data)
    length = bytes((size | 0x80 * masked,)) if size < 126 else struct.pack("!BH", 126 | 0x80 * masked, size)
    mask = b"\1\2\3\4" if masked else b""
    coded = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data)) if masked else data
    return bytes((kind,)) + length + mask + coded


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (frame(0x81, b"{}", masked=False), 1002),
        (frame(0xC1, b"{}"), 1002),  # a reserved bit, which compression would use
        (frame(0x83, b"{}"), 1002),  # no such opcode
        (frame(0x80, b"{}"), 1002),  # goes on with nothing
        (frame(0x09, b""), 1002),  # a ping in fragments
        (frame(0x81, b"\xff"), 1007),
        (frame(0x88, b"\x03"), 1002),
        (frame(0x01, b"{") + frame(0x00, b"") * 2000, 1008),
        (frame(0x89, b"") * 2000, 1008),
    ],
)
async def test_frames_against_the_protocol(shop: RunningGateway, wrong: bytes, code: int) -> None:
    """RFC 6455 section 5; what came right behind the handshake is read as frames, never as a request."""
    async with RawSocket(shop, "/v1/chat", wrong) as raw:
        assert raw.status == 101
        assert await asyncio.wait_for(raw.close_code(), 10) == code


async def test_what_follows_the_handshake_is_never_a_request(shop: RunningGateway) -> None:
    """A pipelined request behind an Upgrade that is accepted is not answered as one (Envoy CVE-2026-73548)."""
    async with RawSocket(shop, "/v1/chat", b"GET /v1/shelves HTTP/1.1\r\nHost: a\r\n\r\n") as raw:
        assert raw.status == 101
        assert await raw.close_code() == 1002
    line = await shop.logged()
    assert line["dialect"] == "websocket"


async def test_early_frames_are_part_of_the_call(shop: RunningGateway) -> None:
    async with RawSocket(shop, "/v1/chat", frame(0x81, say("bye").encode()) + frame(0x89, b"?")) as raw:
        assert raw.status == 101
        assert await raw.close_code() == 1000


# Who may.


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://app.example.com", 101),
        ("https://a.b.example.org", 101),
        ("http://edge.example:8080", 101),
        ("https://app.example.com:8443", 403),
        ("https://evil.example", 403),
        ("http://edge.example:9090", 403),
        ("http://edge.example", 403),
        ("null", 403),
    ],
)
async def test_pages_of_other_origins(shop: RunningGateway, origin: str, status: int) -> None:
    """Our own host's pages and the listed ones; others are refused before the service hears of them."""
    async with RawSocket(shop, "/v1/lab/count?to=1", b"", f"Origin: {origin}") as raw:
        assert raw.status == status


async def test_a_star_lists_nobody(tmp_path: Path) -> None:
    """It means "without credentials", but the cookies come along with every WebSocket."""
    config, page = configured(tmp_path, 1, cors={"origins": ["*"]}), "Origin: https://evil.example"
    async with running(tmp_path, config) as gateway, RawSocket(gateway, "/v1/lab/count?to=1", b"", page) as raw:
        assert raw.status == 403


async def test_off_by_default(tmp_path: Path) -> None:
    """The Upgrade is ignored: what is left is a REST request, and its upstream is down here."""
    config = configured(tmp_path, 1, websocket=None)
    async with running(tmp_path, config) as gateway, RawSocket(gateway, "/v1/lab/count?to=1") as raw:
        assert raw.status == 503


@pytest.mark.parametrize(
    ("target", "choices", "status"),
    [
        ("/v1/nowhere", {}, 404),
        (f"{FEEDS}/Nothing", {}, 404),
        ("/v1/chat", {"subprotocols": ["graphql-ws"]}, 400),
        ("/v1/chat", {"subprotocols": ["edge.proto"]}, 400),
    ],
)
async def test_handshakes_that_fail(shop: RunningGateway, target: str, choices: dict[str, Any], status: int) -> None:
    """As google.rpc.Status, for those who look."""
    with pytest.raises(InvalidStatus) as refused:
        await socket_to(shop, target, **choices)
    response = refused.value.response
    assert response.status_code == status
    assert json.loads(response.body)["message"]


async def test_another_version_is_told_ours(shop: RunningGateway) -> None:
    """RFC 6455 section 4.4."""
    raw = RawSocket(shop, "/v1/chat")
    raw.request = raw.request.replace(b"Version: 13", b"Version: 8")
    reader, writer = await asyncio.open_connection("127.0.0.1", shop.port)
    writer.write(raw.request)
    top = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    assert top.startswith(b"HTTP/1.1 426 ")
    assert b"sec-websocket-version: 13\r\n" in top


# What ends, and what is held.


async def test_a_client_that_goes_away_cancels_the_call(tmp_path: Path) -> None:
    """By a close frame or without one, within a second; the log says so."""
    running_shop = await service.start(0, known=known(), now_s=lambda: OPENED_S)
    try:
        async with running(tmp_path, configured(tmp_path, running_shop.port)) as gateway:
            ws = await socket_to(gateway, "/v1/lab/count?to=1000&interval=3600s")
            await ws.close()
            line = await gateway.logged()
            assert (line["grpc_code"], line["status"]) == ("CANCELLED", 499)
            gateway.access_log.write_text("")
            ws = await socket_to(gateway, "/v1/lab/count?to=1000&interval=3600s")
            ws.transport.abort()
            await ws.wait_closed()
            await gateway.logged("CANCELLED")
    finally:
        await running_shop.stop(0)


async def test_a_silent_client_is_pinged_then_dropped(tmp_path: Path) -> None:
    async with bookstore() as (address, _):
        port = int(address.rpartition(":")[2])
        config = configured(tmp_path, port, websocket={"ping_interval": "500ms"})
        async with running(tmp_path, config) as gateway, RawSocket(gateway, "/v1/chat") as raw:
            assert await asyncio.wait_for(raw.reader.readexactly(2), 5) == b"\x89\x00"
            raw.writer.write(frame(0x8A, b""))
            assert await asyncio.wait_for(raw.reader.readexactly(2), 5) == b"\x89\x00"
            with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
                await asyncio.wait_for(raw.reader.readexactly(2), 5)


async def test_drain_says_going_away(tmp_path: Path) -> None:
    """Once the time for calls to finish is up."""
    async with bookstore() as (address, _):
        config = configured(tmp_path, int(address.rpartition(":")[2]))
        async with running(tmp_path, config) as gateway:
            ws = await socket_to(gateway, "/v1/chat")
            await gateway.gateway.drain(0.1)
            assert (await rest_of(ws))[1] == 1001


async def test_a_slow_reader_slows_the_service(tmp_path: Path) -> None:
    """Nothing piles up when nobody reads: the service is held after what sockets and windows take, and stays so."""
    produced = 0

    async def produce(path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        nonlocal produced
        while True:
            produced += 1
            yield b"x" * 32_000

    async with streaming(produce) as port, running(tmp_path, configured(tmp_path, port)) as gateway:
        fields = ("Sec-WebSocket-Protocol: edge.proto",)
        async with RawSocket(gateway, f"{FEEDS}/Count", frame(0x82, b""), *fields, window=4096) as raw:
            assert raw.status == 101
            await steady(lambda: produced)
            held = produced
            await asyncio.sleep(0.5)
            assert produced == held
            assert 0 < held * 32_000 < 10_000_000
            raw.writer.transport.abort()
        assert (await gateway.logged())["grpc_code"] == "CANCELLED"


async def test_a_slow_service_slows_the_client(tmp_path: Path) -> None:
    """Messages that the service does not take stay with the client; one that then vanishes is noticed by the next ping."""

    async def deaf(path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    async def flood(raw: RawSocket) -> None:
        messages = frame(0x82, b"y" * 4000) * 10
        for _ in range(1000):
            raw.writer.write(messages)
            await asyncio.wait_for(raw.writer.drain(), 1.0)

    async with streaming(deaf) as port:
        config = configured(tmp_path, port, websocket={"ping_interval": "300ms"})
        fields = ("Sec-WebSocket-Protocol: edge.proto",)
        async with running(tmp_path, config) as gateway:
            async with RawSocket(gateway, f"{FEEDS}/Chat", b"", *fields, window=4096) as raw:
                with pytest.raises(TimeoutError):
                    await flood(raw)
                raw.writer.transport.abort()
            line = await gateway.logged()
            assert line["grpc_code"] == "CANCELLED"
            assert line["request_bytes"] < 10_000_000


@pytest.mark.parametrize("secure", [False, True])
def test_on_the_event_loop_of_production(tmp_path: Path, secure: bool) -> None:
    """uvloop, and TLS where ALPN chose HTTP/1.1."""
    ca = trustme.CA()
    cert = ca.issue_cert("localhost")
    cert.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    cert.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    context = ssl.create_default_context() if secure else None
    if context is not None:
        ca.configure_trust(context)
        context.set_alpn_protocols(["http/1.1"])
    with BookstoreProcess() as upstream:
        config = configured(tmp_path, upstream.port)
        if secure:
            tls = {"cert": str(tmp_path / "cert.pem"), "key": str(tmp_path / "key.pem")}
            config["listeners"] = [{"bind": "127.0.0.1:0", "tls": tls}]
        with serving(tmp_path, config) as site:
            url = f"{'wss' if secure else 'ws'}://localhost:{site.gateway.port}/v1/chat"
            with sync_client.connect(url, ssl=context, proxy=None, compression=None) as ws:
                for text in ("one", "bye"):
                    ws.send(say(text))
                    json.loads(ws.recv())
                with pytest.raises(ConnectionClosed):
                    ws.recv()
                assert ws.close_code == 1000
