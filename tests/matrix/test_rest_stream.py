"""Streams of answers over REST, read by curl, httpx and bare sockets: transcoding.md S1 to S7, R4, D4."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.api.httpbody_pb2 import HttpBody

from tests.gateway import RunningGateway, bookstore_config, running
from tests.matrix.rest_site import Site, compiled
from tests.upstreams.bookstore import known
from tests.upstreams.recorder import Reply
from tests.upstreams.streaming import Function, streaming

ARRAY, LINES, EVENTS = "application/json", "application/x-ndjson", "text/event-stream"
COUNT = "/v1/lab/count"


@asynccontextmanager
async def gateway_before(folder: Path, function: Function, **api: Any) -> AsyncIterator[RunningGateway]:
    """A gateway with the bookstore's API before a service of one function."""
    async with streaming(function) as port:
        config = bookstore_config(folder, port, api={**compiled(folder), **api})
        async with running(folder, config) as gateway:
            yield gateway


def number(value: int) -> bytes:
    """A CountResponse."""
    message: bytes = known().CountResponse(number=value).SerializeToString()
    return message


# With the bookstore behind it, by curl.


@pytest.mark.parametrize("protocol", ["--http1.1", "--http2-prior-knowledge"])
@pytest.mark.parametrize(
    ("accept", "media_type", "body"),
    [
        (ARRAY, ARRAY, '[{"number":1},{"number":2}]'),
        ("*/*", ARRAY, '[{"number":1},{"number":2}]'),
        (LINES, LINES, '{"number":1}\n{"number":2}\n'),
        (EVENTS, EVENTS, 'id: 1\ndata: {"number":1}\n\nid: 2\ndata: {"number":2}\n\n'),
    ],
)
def test_s1_accept_picks_the_form(shop: Site, protocol: str, accept: str, media_type: str, body: str) -> None:
    out = shop.curl(protocol, "-N", "-w", "|%{content_type}", "-H", f"Accept: {accept}", f"{COUNT}?to=2")
    assert out == f"{body}|{media_type}"


@pytest.mark.parametrize(("accept", "body"), [(ARRAY, "[]"), (LINES, ""), (EVENTS, "")])
def test_s3_no_messages(shop: Site, accept: str, body: str) -> None:
    answer = shop.get(f"{COUNT}?to=0", accept=accept)
    assert (answer.status_code, answer.text) == (200, body)


@pytest.mark.parametrize("accept", [ARRAY, LINES, EVENTS])
@pytest.mark.parametrize(
    ("query", "status", "code"),
    [("to=0&code=5", 404, 5), ("to=-1", 400, 3), ("to=x", 400, 3), ("to=0&code=14", 503, 14)],
)
def test_s4_an_error_before_the_first_message_has_its_status(
    shop: Site, accept: str, query: str, status: int, code: int
) -> None:
    answer = shop.get(f"{COUNT}?{query}", accept=accept)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["code"] == code


@pytest.mark.parametrize("protocol", ["--http1.0", "--http1.1", "--http2-prior-knowledge"])
def test_s5_an_array_cut_short_is_an_error_to_curl(shop: Site, protocol: str) -> None:
    """18: transfer closed; 56: reset; 92: the HTTP/2 stream was reset. Never 0."""
    done = subprocess.run(
        ["curl", "-sS", "-N", protocol, f"{shop.gateway.url}{COUNT}?to=2&code=13"],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode in (18, 56, 92)
    assert '[{"number":1},{"number":2}'.startswith(done.stdout)  # a reset may overtake the data
    with pytest.raises(json.JSONDecodeError):
        json.loads(done.stdout)


def test_s5_in_lines_and_events_it_is_told(shop: Site) -> None:
    lines = shop.curl("-N", "-H", f"Accept: {LINES}", f"{COUNT}?to=1&code=13").splitlines(keepends=True)
    assert lines[0] == '{"number":1}\n'
    assert lines[1].endswith("\n")
    assert json.loads(lines[1])["error"]["code"] == 13
    events = shop.curl("-N", "-H", f"Accept: {EVENTS}", f"{COUNT}?to=1&code=13").split("\n\n")
    name, data = events[1].split("\n")
    assert name == "event: error"
    assert json.loads(data.removeprefix("data: "))["details"][0]["reason"] == "AS_TOLD"


def test_r4_a_download_in_pieces(shop: Site) -> None:
    """No JSON, no array: the bytes, of the type the first piece names."""
    answer = shop.get("/v1/books:export?booksPerChunk=1", accept=EVENTS)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.text.splitlines()[0] == "id,shelf,title,author,isbn,pages"
    assert len(answer.text.splitlines()) > 5


def test_the_connection_is_kept_after_a_stream(shop: Site) -> None:
    with socket.create_connection(("127.0.0.1", shop.gateway.port), timeout=20) as sock:
        for last in (False, True):
            close = b"Connection: close\r\n" if last else b""
            sock.sendall(b"GET %b?to=3 HTTP/1.1\r\nHost: e\r\n%b\r\n" % (COUNT.encode(), close))
            answer = b""
            while not answer.endswith(b"0\r\n\r\n"):
                answer += sock.recv(65536)
            assert answer.count(b'{"number"') == 3
        assert sock.recv(1) == b""


def test_trailers_reach_who_reads_them(lab: Site) -> None:
    """H3."""
    lab.recorder.default = Reply(messages=(number(1),), trailers=(("x-cost", "3"),))
    for te, seen in (("TE: trailers\r\n", True), ("", False)):
        answer = lab.raw(f"GET {COUNT} HTTP/1.1\r\nHost: e\r\n{te}Connection: close\r\n\r\n".encode())
        assert (b"\r\ngrpc-trailer-x-cost: 3\r\n\r\n" in answer) == seen


# With a service whose pace the test decides.


@pytest.mark.parametrize(
    ("accept", "first"),
    [(ARRAY, b'[{"number":1}'), (LINES, b'{"number":1}\n'), (EVENTS, b'id: 1\ndata: {"number":1}\n\n')],
)
async def test_s2_the_first_message_is_there_before_the_second(tmp_path: Path, accept: str, first: bytes) -> None:
    go_on = asyncio.Event()

    async def service(path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        yield number(1)
        await go_on.wait()
        yield number(2)

    async with (
        gateway_before(tmp_path, service) as gateway,
        gateway.client() as client,
        client.stream("GET", COUNT, headers={"accept": accept}) as answer,
    ):
        pieces = answer.aiter_raw()
        assert await asyncio.wait_for(anext(pieces), 5) == first
        go_on.set()
        rest = b"".join([piece async for piece in pieces])
        assert b'{"number":2}' in rest


@pytest.mark.parametrize("protocol", ["1.1", "2"])
@pytest.mark.parametrize("speaks", [True, False])
async def test_s6_a_client_that_leaves_cancels_the_call(tmp_path: Path, protocol: str, speaks: bool) -> None:
    """Soon, whether the answer had begun or not."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def service(path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        try:
            if speaks:
                yield number(1)
            begun.set()
            await asyncio.sleep(60)
        finally:
            ended.set()

    async with gateway_before(tmp_path, service) as gateway:
        flag = "--http1.1" if protocol == "1.1" else "--http2-prior-knowledge"
        curl = await asyncio.create_subprocess_exec(
            "curl", "-sN", flag, gateway.url + COUNT, stdout=asyncio.subprocess.PIPE
        )
        await asyncio.wait_for(begun.wait(), 10)
        if speaks:
            assert curl.stdout is not None
            await curl.stdout.read(1)
        assert not ended.is_set()
        curl.kill()
        await asyncio.wait_for(ended.wait(), 8)
        await curl.communicate()
        await gateway.logged('"status":499')


async def test_s7_silence_is_filled_and_the_last_id_passed_on(tmp_path: Path) -> None:
    """Heartbeats keep the connection; Last-Event-ID is metadata even where no other header is."""
    go_on = asyncio.Event()
    told: list[Any] = []

    async def service(path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        told.extend(context.invocation_metadata())
        await go_on.wait()
        yield number(7)

    api = {"streaming": {"heartbeat": "100ms", "event_id": "number"}, "metadata": {"forward": "prefixed"}}
    async with (
        gateway_before(tmp_path, service, **api) as gateway,
        gateway.client() as client,
        client.stream("GET", COUNT, headers={"accept": EVENTS, "last-event-id": "6", "x-other": "1"}) as answer,
    ):
        pieces = answer.aiter_raw()
        assert await asyncio.wait_for(anext(pieces), 5) == b":\n\n"
        go_on.set()
        rest = b"".join([piece async for piece in pieces])
        assert rest.endswith(b'id: 7\ndata: {"number":7}\n\n')
        assert ("last-event-id", "6") in told
        assert "x-other" not in dict(told)


async def test_d4_a_stream_outlives_the_routes_timeout_but_not_the_clients(tmp_path: Path) -> None:
    async def service(path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        yield number(1)
        await asyncio.sleep(0.6 if context.time_remaining() is None else 60)
        yield number(2)

    async with gateway_before(tmp_path, service, timeout="100ms") as gateway, gateway.client() as client:
        answer = await client.get(COUNT)
        assert answer.json() == [{"number": 1}, {"number": 2}]
        answer = await client.get(COUNT, headers={"accept": LINES, "grpc-timeout": "2S"})
        assert json.loads(answer.text.splitlines()[-1])["error"]["code"] == 4
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(COUNT, headers={"grpc-timeout": "2S"})


MESSAGE_BYTES = 64 * 1024
TOTAL_BYTES = 200 * 1024 * 1024
HELD_BYTES = 12 * 1024 * 1024
"""What may be under way: two sockets' buffers, which the kernel lets grow to some MiB each, a window, the service's own queue."""


def _rss_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.slow
@pytest.mark.parametrize("make", [lambda data: HttpBody(data=data), None], ids=["raw", "json"])
async def test_s2_a_slow_reader_slows_the_service(tmp_path: Path, make: Callable[[bytes], Any] | None) -> None:
    """Of 200 MB the service is asked for no more than the way holds; what the gateway holds is flat."""
    produced = 0
    ended = asyncio.Event()
    data = bytes(MESSAGE_BYTES)
    message = (
        make(data) if make is not None else known().BookEvent(book={"title": "x" * MESSAGE_BYTES})
    ).SerializeToString()

    async def service(path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        nonlocal produced
        try:
            while produced < TOTAL_BYTES:
                produced += MESSAGE_BYTES
                yield message
        finally:
            ended.set()

    async with gateway_before(tmp_path, service) as gateway:
        before = _rss_bytes()
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, ("127.0.0.1", gateway.port))
        path = b"/v1/books:export" if make is not None else b"/v1/books:watch"
        await loop.sock_sendall(sock, b"GET %b HTTP/1.1\r\nHost: e\r\n\r\n" % path)
        await steady(lambda: produced)
        stalled_at = produced
        assert MESSAGE_BYTES < stalled_at < HELD_BYTES
        read = 0
        while read < stalled_at + 4 * HELD_BYTES:
            read += len(await loop.sock_recv(sock, 1 << 20))
        assert produced > 4 * HELD_BYTES, "it went on when the reader did"
        await steady(lambda: produced)
        assert produced - read < HELD_BYTES
        assert not ended.is_set()
        grown = _rss_bytes() - before
        print(f"stalled after {stalled_at >> 20} MiB; {read >> 20} MiB read; the process grew by {grown >> 20} MiB")
        assert grown < 2 * HELD_BYTES
        sock.close()
        await asyncio.wait_for(ended.wait(), 5)


async def steady(value: Callable[[], int]) -> None:
    """Wait until a number has stopped to change: seen often enough the same, for a clock runs on while a machine stands still."""
    last, seen = value(), 0
    while seen < 20:
        await asyncio.sleep(0.05)
        last, seen = value(), seen + 1 if value() == last else 0
