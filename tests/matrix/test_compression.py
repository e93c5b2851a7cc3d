"""Compression as clients and services that are not ours see it: grpcio, curl and httpx before the gateway, grpcio behind it."""

from __future__ import annotations

import asyncio
import gzip
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import brotli
import grpc
import httpx
import pytest
import zstandard

from edge.core.grpc_frame import Frame, FrameDecoder, encode_frame
from tests.gateway import RunningGateway, bookstore_config, running
from tests.matrix.rest_site import ECHO_SPECIMEN, Site, compiled
from tests.matrix.rpc_site import DOWN, UNARY
from tests.matrix.test_rest_stream import COUNT, gateway_before, number
from tests.matrix.test_rest_stream_up import BOOKS, IMPORT, imported
from tests.upstreams.bookstore import known
from tests.upstreams.recorder import OPTIONS, AnyPath, Reply

LINES, EVENTS = "application/x-ndjson", "text/event-stream"
LONG = b"\x0a\xc0\xbb\x01" + b"title " * 4000


def frames_of(url: str, path: str, kind: str, *flags: str) -> tuple[str, list[Frame]]:
    """What curl gets for one empty message, over HTTP/2: the head, and the frames before any that ends the body."""
    done = subprocess.run(
        ["curl", "-sS", "--max-time", "20", "--http2-prior-knowledge", "-D", "/dev/stderr", "-H", f"content-type: {kind}",
         *(part for flag in flags for part in ("-H", flag)), "--data-binary", "@-", url + path],
        input=encode_frame(b""), capture_output=True, check=True,
    )  # fmt: skip
    body, found = done.stdout, []
    while body and body[0] < 2:
        size = 5 + int.from_bytes(body[1:5], "big")
        found += FrameDecoder(10**6).feed(body[:size])
        body = body[size:]
    return done.stderr.decode().lower(), found


@pytest.mark.parametrize(
    ("path", "kind", "accepts", "says"),
    [
        (UNARY, "application/grpc-web+proto", "grpc-accept-encoding: gzip", "grpc-encoding: gzip"),
        (DOWN, "application/grpc-web+proto", "grpc-accept-encoding: gzip", "grpc-encoding: gzip"),
        (DOWN, "application/connect+proto", "connect-accept-encoding: gzip", "connect-content-encoding: gzip"),
    ],
)
def test_long_messages_are_compressed_for_who_takes_them(
    lab: Site, path: str, kind: str, accepts: str, says: str
) -> None:
    """And are as they are for everyone else, whose head then says nothing of a coding."""
    lab.recorder.default = Reply(messages=(LONG,))
    head, (frame,) = frames_of(lab.gateway.url, path, kind, accepts)
    assert says in head
    assert frame.compressed
    assert gzip.decompress(frame.payload) == LONG
    head, (frame,) = frames_of(lab.gateway.url, path, kind)
    assert says not in head
    assert frame == Frame(compressed=False, payload=LONG)


@pytest.mark.parametrize("path", [UNARY, DOWN])
def test_grpc_messages_are_compressed_only_by_the_service(lab: Site, path: str) -> None:
    """Every grpcio client says that it takes gzip: it costs our CPU only where the service thought it worth its own."""
    lab.recorder.default = Reply(messages=(LONG,))
    _, (frame,) = frames_of(lab.gateway.url, path, "application/grpc", "grpc-accept-encoding: identity,gzip")
    assert frame == Frame(compressed=False, payload=LONG)


def test_grpcio_reads_them(lab: Site) -> None:
    """Long and short, unary and streaming."""
    lab.recorder.default = Reply(messages=(LONG, b"short", LONG))
    channel: Any  # its stubs want serializers that it does not
    with grpc.insecure_channel(f"127.0.0.1:{lab.gateway.port}") as channel:
        assert list(channel.unary_stream(DOWN)(b"")) == [LONG, b"short", LONG]
        lab.recorder.default = Reply(LONG)
        assert channel.unary_unary(UNARY)(b"") == LONG


def test_connect_s_unary_answers_are_compressed_by_http(lab: Site) -> None:
    """Protobuf, too."""
    message = known().Specimen(string_value="x" * 5000).SerializeToString()
    body = {"content_type": "application/proto", "accept_encoding": "gzip"}
    answer = lab.ask("POST", ECHO_SPECIMEN, message, **body)
    assert (answer.headers["content-encoding"], answer.content) == ("gzip", message)
    assert int(answer.headers["content-length"]) < 500


@asynccontextmanager
async def compressing(folder: Path, *messages: bytes) -> AsyncIterator[RunningGateway]:
    """A gateway before a grpcio service that compresses whatever its client takes compressed."""

    async def service(path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        for message in messages:
            yield message

    server = grpc.aio.server(options=OPTIONS, compression=grpc.Compression.Gzip)
    server.add_generic_rpc_handlers((AnyPath(service),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with running(folder, bookstore_config(folder, port, api=compiled(folder))) as gateway:
            yield gateway
    finally:
        await server.stop(None)


@pytest.mark.parametrize(
    ("path", "kind", "accepts"),
    [
        (UNARY, "application/grpc", "grpc-accept-encoding: identity,gzip"),
        (DOWN, "application/grpc", "grpc-accept-encoding: identity,gzip"),
        (DOWN, "application/grpc-web", "grpc-accept-encoding: gzip"),
        (DOWN, "application/connect+proto", "connect-accept-encoding: gzip"),
    ],
)
async def test_what_the_service_compressed_passes_through(tmp_path: Path, path: str, kind: str, accepts: str) -> None:
    """Shown by a message too short for the gateway to compress; for another client it is inflated, and in REST it is JSON."""
    unknown_field = b"\x7a\xa0\x06" + b"a" * 800
    message = known().CountResponse(number=7).SerializeToString() + unknown_field
    async with compressing(tmp_path, message) as gateway:
        _, found = await asyncio.to_thread(frames_of, gateway.url, path, kind, accepts)
        (frame,) = found
        assert frame.compressed
        assert gzip.decompress(frame.payload) == message
        _, found = await asyncio.to_thread(frames_of, gateway.url, path, kind)
        (frame,) = found
        assert frame == Frame(compressed=False, payload=message)
        async with gateway.client() as client:
            answer = await client.get(COUNT)
            assert answer.json() == [{"number": 7}]


async def test_a_bomb_of_the_service_s_is_refused_in_every_dialect(tmp_path: Path) -> None:
    """Passing a message on does not pass the limit by."""
    async with compressing(tmp_path, bytes(5 * 1024 * 1024)) as gateway:
        channel: Any  # its stubs want serializers that it does not
        async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.port}") as channel:
            for call in (channel.unary_unary(UNARY)(b""), channel.unary_stream(DOWN)(b"").read()):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await call
                assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        async with gateway.client() as client:
            assert (await client.get(COUNT)).status_code == 500


@pytest.mark.parametrize("protocol", ["--http1.1", "--http2-prior-knowledge"])
@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
@pytest.mark.parametrize("accept", ["application/json", LINES, EVENTS])
def test_streams_over_rest_are_compressed(shop: Site, protocol: str, coding: str, accept: str) -> None:
    """As curl undoes it: the same bytes."""
    plain = shop.curl(protocol, "-N", "-H", f"accept: {accept}", f"{COUNT}?to=300")
    said = shop.curl(
        protocol, "-N", "-w", "|%header{content-encoding}|%{size_download}", "--compressed",
        "-H", f"accept-encoding: {coding}", "-H", f"accept: {accept}", f"{COUNT}?to=300",
    )  # fmt: skip
    body, named, size = said.rsplit("|", 2)
    assert (body, named) == (plain, coding)
    assert int(size) < len(plain)


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
async def test_a_compressed_event_is_there_before_the_next(tmp_path: Path, coding: str) -> None:
    """As httpx reads it; nothing waits in a compressor."""
    go_on = asyncio.Event()

    async def service(path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        for value in (1, 2):
            yield number(value)
            await go_on.wait()

    headers = {"accept": EVENTS, "accept-encoding": coding}
    async with (
        gateway_before(tmp_path, service) as gateway,
        gateway.client() as client,
        client.stream("GET", COUNT, headers=headers) as answer,
    ):
        assert answer.headers["content-encoding"] == coding
        lines = answer.aiter_lines()
        assert await asyncio.wait_for(anext(lines), 5) == "id: 1"
        go_on.set()
        assert "id: 2" in [line async for line in lines]


def test_a_compressed_stream_that_is_cut_short_is_an_error(shop: Site) -> None:
    """An array that the service broke off has no end in its coding either."""
    with pytest.raises(httpx.RemoteProtocolError):
        shop.get(f"{COUNT}?to=5&code=13", accept_encoding="gzip")


@pytest.mark.parametrize("compress", [gzip.compress, brotli.compress, zstandard.compress], ids=["gzip", "br", "zstd"])
def test_an_upload_may_be_compressed(shop: Site, compress: Any, request: pytest.FixtureRequest) -> None:
    """Lines and arrays, whole or chunked; what is cut short is not taken for whole."""
    coding = request.node.callspec.id
    for kind, text in (
        (LINES, "".join(json.dumps(book) + "\n" for book in BOOKS)),
        ("application/json", json.dumps(BOOKS)),
    ):
        body = compress(text.encode())
        headers = {"content_type": kind, "content_encoding": coding}
        assert imported(shop.ask("POST", IMPORT, body, **headers)) == (3, 0)
        chunked = shop.http.post(
            IMPORT,
            content=(body[i : i + 3] for i in range(0, len(body), 3)),
            headers={"content-type": kind, "content-encoding": coding},
        )
        assert imported(chunked) == (3, 0)
        assert shop.ask("POST", IMPORT, body[:-1], **headers).status_code == 400


async def test_a_compressed_message_reaches_the_service_before_the_next_is_sent(tmp_path: Path) -> None:
    """Inflated as it comes, not when it has come."""
    got: list[bytes] = []

    async def service(path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        async for message in requests:
            got.append(message)
        yield b""

    packed = zstandard.ZstdCompressor().compressobj()

    def piece(text: bytes) -> bytes:
        return packed.compress(text) + packed.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    async def body() -> AsyncIterator[bytes]:
        yield piece(b'{"shelf":1}\n')
        async with asyncio.timeout(5):
            while not got:
                await asyncio.sleep(0.01)
        yield piece(b'{"shelf":2}\n') + packed.flush()

    async with gateway_before(tmp_path, service) as gateway, gateway.client() as client:
        headers = {"content-type": LINES, "content-encoding": "zstd"}
        answer = await client.post(IMPORT, content=body(), headers=headers)
        assert (answer.status_code, len(got)) == (200, 2)


def test_a_bomb_in_an_upload_is_a_message_too_large(shop: Site) -> None:
    """100 MB of one string in 100 kB; nothing of it is kept past the limit."""
    body = gzip.compress(b'[{"book":{"title":"' + b"x" * 100_000_000 + b'"}}]', 6)
    assert shop.ask("POST", IMPORT, body, content_encoding="gzip").status_code == 413
