"""
R12: readers that ask for much and let nothing be sent, on as many HTTP/2 streams as they may open. R14: all attacks at once.

What an unread answer costs in memory is measured, for whole REST and gRPC answers alike; the write timeout ends such streams.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.demo.messages import load
from tests.resilience.h2_attacks import (
    ATTACKS,
    DATA,
    END_HEADERS,
    END_STREAM,
    GET,
    GOAWAY,
    HEADERS,
    PREFACE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    assail,
    block,
    frame,
    frames,
)
from tests.resilience.site import SPECIMEN, Site, site, victim
from tests.upstreams.recorder import Reply

CONNECTIONS, STREAMS = 10, 100
ANSWER_BYTES = 64 * 1024
WRITE_TIMEOUT_S = 4.0
PER_STREAM_KIB = 112.0
"""An answer that was made whole is held whole, once: 64 KiB, and what the call around it takes."""

MIX_S = 8.0

_NO_WINDOW = frame(SETTINGS, payload=b"\0\4\0\0\0\0")
_WIDE = frame(WINDOW_UPDATE, payload=(2**30).to_bytes(4, "big"))
_GRPC = block(
    "POST", "/bookstore.v1.Laboratory/EchoSpecimen", (b"content-type", b"application/grpc"), (b"te", b"trailers")
)


def hungry() -> bytes:
    """Requests on every stream, REST and gRPC in turn, none of whose answers' bodies may be sent."""
    asked = [PREFACE, _NO_WINDOW, _WIDE]
    for number in range(STREAMS):
        stream = 2 * number + 1
        if number % 2:
            asked.append(frame(HEADERS, END_HEADERS | END_STREAM, stream, GET))
        else:
            asked += [frame(HEADERS, END_HEADERS, stream, _GRPC), frame(DATA, END_STREAM, stream, bytes(5))]
    return b"".join(asked)


@contextmanager
def released(writers: list[asyncio.StreamWriter]) -> Iterator[None]:
    try:
        yield
    finally:
        for writer in writers:
            writer.close()


async def _ended(reader: asyncio.StreamReader, streams: int, within_s: float) -> int:
    """How many streams were reset, or died with their connection, in time."""
    received, loop = b"", asyncio.get_running_loop()
    until_s = loop.time() + within_s
    while loop.time() < until_s:
        try:
            data = await asyncio.wait_for(reader.read(65536), until_s - loop.time())
        except TimeoutError:
            break
        received += data
        kinds = [kind for kind, _ in frames(received)]
        if not data or GOAWAY in kinds:
            return streams
        if kinds.count(RST_STREAM) >= streams:
            break
    return [kind for kind, _ in frames(received)].count(RST_STREAM)


async def _peak_mib(where: Site, until: asyncio.Future[list[int]]) -> float:
    """The most memory the gateway held until then."""
    peak_mib = where.memory_mib()
    while not until.done():
        await asyncio.wait([until], timeout=0.05)
        peak_mib = max(peak_mib, where.memory_mib())
    return peak_mib


@pytest.mark.slow
async def test_answers_nobody_reads_are_bounded_and_end(tmp_path: Path) -> None:
    """1,000 streams without a window, 64 KiB each: memory is the answers', the write timeout frees it, others are served."""
    answer = SPECIMEN(string_value="x" * ANSWER_BYTES).SerializeToString()
    async with site(tmp_path, base_s=1.0, limits={"write_timeout": f"{WRITE_TIMEOUT_S}s"}) as where:
        where.upstream.calls.clear()
        where.upstream.default = lambda call: Reply(call.message if b"victim" in call.message else answer)
        honest, before_mib, count = victim(where.edge), where.memory_mib(), CONNECTIONS * STREAMS
        async with honest.running():
            made = [await asyncio.open_connection("127.0.0.1", where.edge.port) for _ in range(CONNECTIONS)]
            with released([writer for _, writer in made]):
                for _, writer in made:
                    writer.write(hungry())
                asked_s = asyncio.get_running_loop().time()
                ending = asyncio.gather(*(_ended(r, STREAMS, WRITE_TIMEOUT_S + 10) for r, _ in made))
                held_mib = await _peak_mib(where, ending) - before_mib
                ended, ended_s = sum(ending.result()), asyncio.get_running_loop().time() - asked_s
        print(
            f"R12 {count} streams without a window: {held_mib * 1024 / count:.0f} KiB each ({held_mib:.0f} MiB),"
            f" {where.attacks_seen} reached the service, {ended} ended, the last {ended_s:.1f} s after it was asked (write"
            f" timeout {WRITE_TIMEOUT_S:g} s); honest p50 {where.base_ms:.1f} -> {honest.took_ms(0.5):.1f} ms,"
            f" {len(honest.answers)} of {honest.sent} answered"
        )
        assert (where.attacks_seen, ended) == (count, count)
        assert held_mib * 1024 / count < PER_STREAM_KIB
        assert honest.statuses() == {200: honest.sent}


@pytest.mark.slow
async def test_all_attacks_at_once_spare_the_honest(tmp_path: Path) -> None:
    """Each from an address of its own; 99.9 % of an honest client's requests are served."""
    chosen = [ATTACKS[0], ATTACKS[3], ATTACKS[5], ATTACKS[7], ATTACKS[9], ATTACKS[12], ATTACKS[13], ATTACKS[14]]
    async with site(tmp_path, base_s=1.0) as where:
        honest, before_mib = victim(where.edge), where.memory_mib()
        async with honest.running():
            struck = (
                assail(where.edge.port, attack, MIX_S, 1, f"127.0.0.{number}")
                for number, attack in enumerate(chosen, 2)
            )
            tolls = await asyncio.gather(*struck)
        connections, ended = sum(t.connections for t in tolls), sum(t.ended for t in tolls)
        print(
            f"R14 {len(chosen)} attacks for {MIX_S:g} s: {connections} connections, {ended} ended; memory"
            f" {where.memory_mib() - before_mib:+.1f} MiB; honest {honest.statuses()} of {honest.sent},"
            f" p50 {where.base_ms:.1f} -> {honest.took_ms(0.5):.1f} ms, p99 {honest.took_ms(0.99):.1f} ms"
        )
        assert ended == connections
        assert honest.statuses().get(200, 0) >= 0.999 * honest.sent


@pytest.mark.slow
async def test_a_slow_reader_that_reads_steadily_is_not_cut_off(tmp_path: Path) -> None:
    """However much the kernel would like to hold for it, its progress is seen within the write timeout."""
    event = load().BookEvent(book={"title": "x" * ANSWER_BYTES}).SerializeToString()
    async with site(tmp_path, base_s=0.2, limits={"write_timeout": "2s"}) as where:
        where.upstream.default = Reply(messages=[event] * 160)
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        made.setblocking(False)
        loop = asyncio.get_running_loop()
        with made:
            await loop.sock_connect(made, ("127.0.0.1", where.edge.port))
            await loop.sock_sendall(
                made, b"GET /v1/books:watch HTTP/1.1\r\nhost: a\r\naccept: application/x-ndjson\r\n\r\n"
            )
            until_s, got = loop.time() + 6.0, 0
            while loop.time() < until_s:
                got += len(await loop.sock_recv(made, 4096))
                await asyncio.sleep(0.1)
            # What the kernel holds would still come after a cut: the gateway itself has to say that the call goes on.
            pools = await asyncio.to_thread(where.edge.admin, "/upstreams")
            assert '"streams": 1' in pools, pools
        print(f"R15 a steady reader of {got / 6 / 1024:.0f} KiB/s is served past a write timeout of 2 s")
