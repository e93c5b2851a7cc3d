"""HTTP/1.1 ingress against clients no one here wrote: curl, httpx and aiohttp, plain and over TLS, on uvloop."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import aiohttp
import httpx
import pytest
import trustme
import uvloop

from edge.ingress.connections import ConnectionSlots
from edge.ingress.http1_limits import Http1Limits
from edge.ingress.listener import Listener
from edge.ingress.service import Answer, Answered, Call, Head
from edge.ingress.tls import server_context
from edge.outcome import Refusal
from tests.unit.ingress.doubles import SlowAnswer

LARGE = 2_000_000


@dataclass
class EchoCall:
    head: Head
    max_body_bytes: int = LARGE
    streams: Literal[False] = False

    def finish(self, body: bytes, answered: Answered) -> None:
        self.slow = SlowAnswer(self._answer(body), answered, [])

    def cancel(self) -> None:
        self.slow.cancel()

    async def _answer(self, body: bytes) -> Answer:
        await asyncio.sleep(0.3 if self.head.path == "/slow" else 0)
        told = {"method": self.head.method, "path": self.head.path, "query": self.head.query, "size": len(body)}
        return Answer(200, ((b"content-type", b"application/json"),), json.dumps(told).encode())

    def abandon(self, refusal: Refusal) -> Answer:
        return shaped(refusal)

    def sent(self, response_bytes: int) -> None:
        """Nothing is held."""


class Echo:
    def __init__(self) -> None:
        self.slow_calls = 0

    def begin(self, head: Head) -> Call | Answer:
        self.slow_calls += head.path == "/slow"
        return Answer(404, (), b'{"code":5}') if head.path == "/missing" else EchoCall(head)

    def refuse(self, head: Head | None, refusal: Refusal) -> Answer:
        return shaped(refusal)


def shaped(refusal: Refusal) -> Answer:
    return Answer(refusal.http_status, ((b"content-type", b"application/json"),), b'{"code":%d}' % refusal.grpc_code)


@dataclass
class Site:
    """A listener and how its clients reach it."""

    url: str
    listener: Listener
    echo: Echo
    ca: Path | None = None
    tls: ssl.SSLContext | None = None
    curl: list[str] = field(default_factory=list)


async def started(tmp_path: Path, *, secure: bool, client_cert: bool = False) -> Site:
    sock = socket.create_server(("127.0.0.1", 0))
    port = sock.getsockname()[1]
    echo = Echo()
    if not secure:
        listener = Listener(echo, Http1Limits(), ConnectionSlots(100))
        await listener.start(sock)
        return Site(f"http://127.0.0.1:{port}", listener, echo)
    ca = trustme.CA()
    leaf = ca.issue_cert("localhost", "127.0.0.1")
    cert, key, root = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "ca.pem"
    cert.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    key.write_bytes(leaf.private_key_pem.bytes())
    root.write_bytes(ca.cert_pem.bytes())
    context = server_context(str(cert), str(key), str(root) if client_cert else None)
    listener = Listener(echo, Http1Limits(), ConnectionSlots(100), context)
    await listener.start(sock)
    trusting = ssl.create_default_context(cafile=str(root))
    return Site(f"https://127.0.0.1:{port}", listener, echo, root, trusting, ["--http1.1", "--cacert", str(root)])


def on_uvloop(
    scenario: Callable[[Site], Awaitable[None]], tmp_path: Path, *, secure: bool, client_cert: bool = False
) -> None:
    async def whole() -> None:
        site = await started(tmp_path, secure=secure, client_cert=client_cert)
        try:
            await scenario(site)
        finally:
            await site.listener.drain(5)
        assert site.listener.connections == 0

    uvloop.run(whole())


both = pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])


def echoed(method: str, size: int = 0, path: str = "/v1/x", query: str = "a=b") -> dict[str, str | int]:
    return {"method": method, "path": path, "query": query, "size": size}


@both
def test_httpx(tmp_path: Path, secure: bool) -> None:
    async def scenario(site: Site) -> None:
        async with httpx.AsyncClient(base_url=site.url, verify=site.tls or False) as client:
            assert (await client.get("/v1/x?a=b")).json() == echoed("GET")
            assert (await client.post("/v1/x?a=b", content=b"x" * 1000)).json() == echoed("POST", 1000)

            async def pieces() -> object:
                for _ in range(50):
                    yield b"y" * 1000

            assert (await client.post("/v1/x?a=b", content=pieces())).json() == echoed("POST", 50_000)  # type: ignore[arg-type]  # an async iterator
            head = await client.head("/v1/x?a=b")
            assert int(head.headers["content-length"]) == len(json.dumps(echoed("HEAD")))
            assert head.content == b""
            assert (await client.post("/missing", content=b"x" * 1000)).status_code == 404
            assert site.listener.connections == 1  # one kept connection for all of it
            too_large = await client.post("/v1/x", content=bytes(LARGE + 1))
            assert (too_large.status_code, too_large.json()) == (413, {"code": 8})
            assert (await client.get("/v1/x?a=b")).json() == echoed("GET")

    on_uvloop(scenario, tmp_path, secure=secure)


@both
def test_aiohttp(tmp_path: Path, secure: bool) -> None:
    async def scenario(site: Site) -> None:
        async with aiohttp.ClientSession(site.url, connector=aiohttp.TCPConnector(ssl=site.tls or True)) as session:

            async def call(method: str, data: object = None, **options: object) -> object:
                async with session.request(method, "/v1/x?a=b", data=data, **options) as answer:  # type: ignore[arg-type]  # passed through
                    return await answer.json()

            async def pieces() -> object:
                for _ in range(50):
                    yield b"y" * 1000

            assert await call("GET") == echoed("GET")
            assert await call("PUT", b"x" * 1000) == echoed("PUT", 1000)
            assert await call("POST", pieces()) == echoed("POST", 50_000)
            assert await call("POST", b"x" * 1000, expect100=True) == echoed("POST", 1000)
            results = await asyncio.gather(*(call("POST", b"x" * n) for n in range(1, 60)))
            assert results == [echoed("POST", n) for n in range(1, 60)]

    on_uvloop(scenario, tmp_path, secure=secure)


async def curl(site: Site, *arguments: str) -> str:
    assert shutil.which("curl"), "curl is needed"
    process = await asyncio.create_subprocess_exec(
        "curl", "-sS", "--max-time", "20", *site.curl, *arguments, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


@both
def test_curl(tmp_path: Path, secure: bool) -> None:
    async def scenario(site: Site) -> None:
        url = f"{site.url}/v1/x?a=b"
        assert json.loads(await curl(site, url)) == echoed("GET")
        assert json.loads(await curl(site, url, "--http1.0")) == echoed("GET")
        assert json.loads(await curl(site, url, "-d", "hello")) == echoed("POST", 5)
        assert json.loads(await curl(site, url, "-d", "hello", "-H", "Transfer-Encoding: chunked")) == echoed("POST", 5)
        assert "200 OK" in await curl(site, url, "-I")
        upload = tmp_path / "upload"
        upload.write_bytes(bytes(1_500_000))
        verbose = await curl(site, url, "-T", str(upload), "-i")  # more than 1 MB: curl expects 100-continue
        assert verbose.startswith("HTTP/1.1 100 Continue")
        assert json.loads(verbose.rsplit("\r\n\r\n", 1)[1]) == echoed("PUT", 1_500_000)
        upload.write_bytes(bytes(LARGE + 1))
        assert (await curl(site, url, "-T", str(upload), "-i")).startswith("HTTP/1.1 413 ")
        twice = await curl(site, url, url, "-w", "%{num_connects}")
        assert twice.count('"GET"') == 2
        assert twice.endswith("0")  # the second request used the first one's connection

    on_uvloop(scenario, tmp_path, secure=secure)


def test_curl_asking_for_h2c_is_served_http1(tmp_path: Path) -> None:
    """curl --http2 sends Upgrade: h2c with its request, and its body."""

    async def scenario(site: Site) -> None:
        assert json.loads(await curl(site, f"{site.url}/v1/x?a=b", "--http2", "-d", "hello")) == echoed("POST", 5)

    on_uvloop(scenario, tmp_path, secure=False)


def test_http1_is_served_over_tls_to_a_client_that_offers_nothing_else(tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        assert (await curl(site, site.url, "--http1.1", "-o", "/dev/null", "-w", "%{http_version}")) == "1.1"
        assert (await curl(site, site.url, "--no-alpn", "-o", "/dev/null", "-w", "%{http_version}")) == "1.1"

    on_uvloop(scenario, tmp_path, secure=True)


def test_a_client_without_a_certificate_is_turned_away(tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        with pytest.raises((httpx.TransportError, ssl.SSLError)):
            async with httpx.AsyncClient(base_url=site.url, verify=site.tls or False) as client:
                await client.get("/v1/x")

    on_uvloop(scenario, tmp_path, secure=True, client_cert=True)
