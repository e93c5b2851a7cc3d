"""
R12: readers that ask for much and let nothing be sent, on as many HTTP/2 streams as they may open. R14: all attacks at once.

What an unread answer costs in memory is measured, for whole REST and gRPC answers alike; the write timeout ends such streams.
"""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from edge.demo.messages import load
from tests.resilience.h2_attacks import MIXED, assail, named
from tests.resilience.site import SPECIMEN, Site, site, victim
from tests.resilience.zero_window import Held, asking, hold
from tests.upstreams.recorder import Reply

CONNECTIONS, STREAMS = 10, 100
ANSWER_BYTES = 64 * 1024
WRITE_TIMEOUT_S = 4.0
PER_STREAM_KIB, CAP_MIB = 32.0, 32.0
"""What a stream may cost beside the bound on all answers that wait (`connections.BACKLOG_BYTES`)."""

NOISE_S = 5.0
"""A loop that this machine let wait; without the write timeout there would be no end."""

MIX_S = 6.0
PACE_BYTES_PER_S = 40 * 1024


async def _peak_mib(where: Site, until: asyncio.Future[list[Held]]) -> float:
    """The most memory the gateway held until then."""
    peak_mib = where.memory_mib()
    while not until.done():
        await asyncio.wait([until], timeout=0.05)
        peak_mib = max(peak_mib, where.memory_mib())
    return peak_mib


@pytest.mark.slow
async def test_answers_nobody_reads_are_bounded_and_end(tmp_path: Path) -> None:
    """1,000 streams without a window, 64 KiB each: memory is bounded, none outlives the write timeout, others are served."""
    answer = SPECIMEN(string_value="x" * ANSWER_BYTES).SerializeToString()
    async with site(tmp_path, base_s=1.0, limits={"write_timeout": f"{WRITE_TIMEOUT_S}s"}) as where:
        where.upstream.calls.clear()
        where.upstream.default = lambda call: Reply(call.message if b"victim" in call.message else answer)
        honest, before_mib, count = victim(where.edge), where.memory_mib(), CONNECTIONS * STREAMS
        async with honest.running():
            data = asking(STREAMS)
            holding = (hold(where.edge.port, data, STREAMS, WRITE_TIMEOUT_S + 15) for _ in range(CONNECTIONS))
            ending = asyncio.gather(*holding)
            peak_mib = await _peak_mib(where, ending) - before_mib
        waited_s = sorted(wait for held in ending.result() for wait in held.waited_s)
        given_up = sum(len(held.given_up) for held in ending.result())
        print(
            f"R12 {count} streams without a window: memory +{peak_mib:.0f} MiB at its peak, {where.attacks_seen} reached the service,"
            f" {given_up} given up, {sum(wait < WRITE_TIMEOUT_S - 0.5 for wait in waited_s)} of them early for want of memory, the last"
            f" {waited_s[-1]:.1f} s after its answer was there (write timeout {WRITE_TIMEOUT_S:g} s); honest p50"
            f" {where.base_ms:.1f} -> {honest.took_ms(0.5):.1f} ms, {len(honest.answers)} of {honest.sent} answered"
        )
        assert given_up == count
        assert peak_mib < CAP_MIB + PER_STREAM_KIB * count / 1024
        assert waited_s[-1] < WRITE_TIMEOUT_S + 1.0 + NOISE_S
        assert honest.statuses() == {200: honest.sent}


@pytest.mark.slow
async def test_all_attacks_at_once_spare_the_honest(tmp_path: Path) -> None:
    """Each from an address of its own; 99.9 % of an honest client's requests are served."""
    async with site(tmp_path, base_s=1.0) as where:
        honest, before_mib = victim(where.edge), where.memory_mib()
        async with honest.running():
            struck = (
                assail(where.edge.port, named(name), MIX_S, 1, f"127.0.0.{number}")
                for number, name in enumerate(MIXED, 2)
            )
            tolls = await asyncio.gather(*struck)
        connections, ended = sum(t.connections for t in tolls), sum(t.ended for t in tolls)
        print(
            f"R14 {len(MIXED)} attacks for {MIX_S:g} s: {connections} connections, {ended} ended; memory"
            f" {where.memory_mib() - before_mib:+.1f} MiB; honest {honest.statuses()} of {honest.sent},"
            f" p50 {where.base_ms:.1f} -> {honest.took_ms(0.5):.1f} ms, p99 {honest.took_ms(0.99):.1f} ms"
        )
        assert ended == connections
        assert honest.statuses().get(200, 0) >= 0.999 * honest.sent


@pytest.mark.slow
async def test_a_slow_reader_that_reads_steadily_is_not_cut_off(tmp_path: Path) -> None:
    """However much the kernel would like to hold for it, its progress is seen within the write timeout."""
    event = load().BookEvent(book={"title": "x" * ANSWER_BYTES}).SerializeToString()
    async with site(tmp_path, base_s=0.2, limits={"write_timeout": "3s"}) as where:
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
            began_s, got = loop.time(), 0
            while (passed_s := loop.time() - began_s) < 8.0:
                while got < passed_s * PACE_BYTES_PER_S:  # as fast after a pause that it was not asked for
                    got += len(await loop.sock_recv(made, 4096))
                await asyncio.sleep(0.1)
            # What the kernel holds would still come after a cut: the gateway itself has to say that the call goes on.
            pools = await asyncio.to_thread(where.edge.admin, "/upstreams")
            assert '"streams": 1' in pools, pools
        print(f"R15 a steady reader of {got / 8 / 1024:.0f} KiB/s is served past a write timeout of 3 s")
