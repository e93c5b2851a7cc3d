"""
Hostile HTTP/1.1 through the whole gateway: whatever is written, the service sees exactly one call per accepted request.

What the parser does with each spelling is unit-tested beside it; here the upstream's own record is the judge.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.demo.messages import load
from tests.gateway import RunningGateway, running_bookstore
from tests.resilience.hostile_cases import ACCEPTED, GOOD, SMUGGLING, Case, post
from tests.resilience.load import Load, read_answer
from tests.upstreams.recorder import Recorder, Reply

SPECIMEN = load().Specimen
TIMEOUT_S = 0.5
STALL_S = 5.0
"""What a machine with much else to do adds to a time."""
QUIET_S = 0.25
"""A connection that says nothing for so long, after the answers that were due, has said all: too short, it hides one too many."""
LIMITS = {"max_uri_bytes": 1024, "max_header_bytes": 4096, "max_header_count": 20, "max_body_bytes": 1024}
HASTY = {"header_timeout": f"{TIMEOUT_S}s", "body_timeout": f"{TIMEOUT_S}s"}


@dataclass(frozen=True)
class Site:
    """A gateway with tight limits and the record of what got through it."""

    gateway: RunningGateway
    upstream: Recorder

    async def send(self, *pieces: bytes, due: int = 1, pause_s: float = 0.0) -> list[tuple[int, bytes]]:
        """Write the pieces; every answer until the connection ends, or falls silent after as many as are due."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.gateway.port)
        answers: list[tuple[int, bytes]] = []
        try:
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(pause_s)
            while True:
                async with asyncio.timeout(QUIET_S if len(answers) >= due else TIMEOUT_S + STALL_S):
                    status, headers, body = await read_answer(reader)
                assert status < 400 or headers["content-type"] == "application/json"
                answers.append((status, body))
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            return answers
        finally:
            writer.close()

    def words(self) -> list[str]:
        """The words of the calls that reached the service."""
        return [SPECIMEN.FromString(call.message).string_value for call in self.upstream.calls]


@asynccontextmanager
async def site(folder: Path, **limits: str) -> AsyncIterator[Site]:
    async with (
        Recorder(default=lambda call: Reply(call.message)) as upstream,
        running_bookstore(folder, upstream.port, limits={**LIMITS, **limits}) as gateway,
    ):
        yield Site(gateway, upstream)


async def judge(where: Site, case: Case) -> None:
    """The statuses are the case's, errors are Status, and the service was called once per 200, never with the hidden word."""
    where.upstream.clear()
    where.upstream.default = lambda call: Reply(call.message)
    answers = await where.send(case.data, due=len(case.statuses))
    assert tuple(status for status, _ in answers) == case.statuses, (case.name, answers)
    assert where.words() == ["x"] * case.statuses.count(200), (case.name, where.words())
    for status, body in answers:
        assert status < 400 or json.loads(body)["details"][0]["domain"] == "edge-gateway", case.name


async def test_one_call_per_accepted_request(tmp_path: Path) -> None:
    """Smuggling, upgrades, pipelining: the calls the service sees are the requests that were answered with 200."""
    async with site(tmp_path) as where:
        for case in (*SMUGGLING, *ACCEPTED):
            await judge(where, case)
    calls = sum(case.statuses.count(200) for case in ACCEPTED)
    print(
        f"hostile HTTP: {len(SMUGGLING)} of {len(SMUGGLING)} refused and never forwarded;"
        f" {len(ACCEPTED)} others brought {calls} calls for {calls} requests answered with 200"
    )


async def test_split_anywhere_a_request_is_one_request(tmp_path: Path) -> None:
    """A request whose bytes come in two reads, cut at every place, is the same request."""
    async with site(tmp_path) as where:
        cuts = range(1, len(GOOD), 3)
        answers = await asyncio.gather(*(where.send(GOOD[:cut], GOOD[cut:], pause_s=0.02) for cut in cuts))
        assert [[status for status, _ in got] for got in answers] == [[200]] * len(cuts)
        assert where.words() == ["x"] * len(cuts)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /v1/lab/specimen?string_value=" + b"x" * 2000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", 414),
        (post("content-length: 3", "x-large: " + "y" * 5000), 431),
        (post("content-length: 3", *(f"x-{number}: y" for number in range(30))), 431),
        (post("content-length: 5000", body=b""), 413),
        (post("content-length: 5000", "expect: 100-continue", body=b""), 413),
        (post("transfer-encoding: chunked", body=b"7d0\r\n" + b"x" * 2000 + b"\r\n0\r\n\r\n"), 413),
        (post("content-length: 3", "expect: magic"), 417),
        (post("content-length: 3", "content-type: text/xml"), 415),
        (post("content-length: 3", "content-encoding: rot13"), 415),
    ],
    ids=["target", "field", "fields", "length", "length, 100-continue", "chunks", "expect", "type", "coding"],
)
async def test_limits_have_their_own_status(tmp_path: Path, data: bytes, status: int) -> None:
    """Too long, too many, too large, not understood: each says so, as Status, and nothing is forwarded."""
    async with site(tmp_path) as where:
        assert [got for got, _ in await where.send(data)] == [status]
        assert where.upstream.calls == []


@pytest.mark.parametrize(
    "data", [b"POST /v1/lab/specimen:string HTTP/1.1\r\nhost: x\r\n", post("content-length: 30")], ids=["head", "body"]
)
async def test_a_request_that_stops_halfway_is_408(tmp_path: Path, data: bytes) -> None:
    """A head or a body that is not whole in time is answered with 408, and the call never made."""
    async with site(tmp_path, **HASTY) as where:
        began_s = asyncio.get_running_loop().time()
        answers = await where.send(data)
        took_s = asyncio.get_running_loop().time() - began_s
        assert [status for status, _ in answers] == [408]
        assert TIMEOUT_S <= took_s < TIMEOUT_S + STALL_S
        assert where.upstream.calls == []


async def loris(port: int) -> float:
    """A head that comes a byte at a time and never ends; how long the gateway bears it."""
    loop = asyncio.get_running_loop()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began_s = loop.time()
    ending = asyncio.ensure_future(reader.read())
    writer.write(b"GET /v1/lab/specimen HTTP/1.1\r\nhost: x\r\nx-slow: ")
    while not ending.done():
        writer.write(b"a")
        await asyncio.sleep(0.05)
    writer.close()
    assert b"408" in ending.result() or ending.result() == b""
    return loop.time() - began_s


@pytest.mark.slow
async def test_slow_heads_are_cut_off_and_cost_others_little(tmp_path: Path) -> None:
    """200 slowloris connections: each is gone at the header timeout; honest requests meanwhile all succeed."""
    async with site(tmp_path, **HASTY) as where:
        victim = Load(where.gateway.port, "/v1/lab/specimen?string_value=x", connections=4)
        base = await Load(where.gateway.port, victim.target, connections=4).for_s(0.8)
        async with victim.running():
            held = await asyncio.gather(*(loris(where.gateway.port) for _ in range(200)))
        assert victim.statuses() == {200: victim.sent}
        assert len(where.upstream.calls) == base.sent + victim.sent
    print(
        f"slowloris: 200 connections closed after {min(held):.2f} to {max(held):.2f} s (timeout {TIMEOUT_S} s); honest p50"
        f" {base.took_ms(0.5):.1f} ms before, {victim.took_ms(0.5):.1f} ms during (one process serves, attacks and measures)"
    )
    assert max(held) < TIMEOUT_S + STALL_S
