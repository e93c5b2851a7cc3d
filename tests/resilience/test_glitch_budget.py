"""
R13 over sockets: the budget of misbehaviour spares an honest client that is noisy, and gives an abuser notice before it ends him.

`EDGE_R13_REQUESTS` sets how much the honest client asks (100,000 in the long tier; a few thousand otherwise).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import pytest

from tests.resilience.h2_attacks import (
    CALM,
    END_HEADERS,
    END_STREAM,
    GET,
    GOAWAY,
    HEADERS,
    PING,
    PREFACE,
    frame,
    frames,
)
from tests.resilience.site import site
from tests.upstreams.recorder import Recorded, Reply

REQUESTS = int(os.environ.get("EDGE_R13_REQUESTS", "3000"))
AT_ONCE, GLITCH_EVERY = 50, 100
FIELDS = [
    (":method", "GET"),
    (":scheme", "http"),
    (":authority", "honest"),
    (":path", "/v1/lab/specimen?string_value=victim"),
]


class Honest:
    """A client of python-hyper's, on one connection for good, that changes its mind about one request of a hundred."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self._h2.initiate_connection()
        self.sent = self.answered = self.cancelled = 0
        self.statuses: set[str] = set()
        self.farewells: list[int] = []
        self._open: set[int] = set()

    async def ask(self, count: int) -> None:
        """So many requests, AT_ONCE of them at once."""
        while self.sent < count or self._open:
            while self.sent < count and len(self._open) < AT_ONCE:
                self._one()
            self._writer.write(self._h2.data_to_send())
            data = await self._reader.read(1 << 16)
            assert data, f"the connection ended after {self.sent} requests"
            for event in self._h2.receive_data(data):
                self._note(event)

    def _one(self) -> None:
        stream = self._h2.get_next_available_stream_id()
        self._h2.send_headers(stream, FIELDS, end_stream=True)
        self.sent += 1
        if self.sent % GLITCH_EVERY:
            self._open.add(stream)
        else:
            self.cancelled += 1
            self._h2.reset_stream(stream, 8)

    def _note(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.ResponseReceived):
            self.statuses.add(dict(event.headers)[":status"])  # type: ignore[arg-type, index]  # str: header_encoding
        elif isinstance(event, h2.events.DataReceived):
            self._h2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)
        elif isinstance(event, h2.events.StreamEnded):
            self.answered += 1
            self._open.discard(event.stream_id or 0)
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.farewells.append(int(event.error_code or 0))


@pytest.mark.slow
@pytest.mark.timeout(60 + REQUESTS // 100)
async def test_an_honest_client_that_is_noisy_is_never_asked_to_leave(tmp_path: Path) -> None:
    """One cancelled call of a hundred, all on one connection: every other is answered, and no GOAWAY comes."""
    async with site(tmp_path, base_s=0.1) as where:
        reader, writer = await asyncio.open_connection("127.0.0.1", where.edge.port)
        client, began_s = Honest(reader, writer), time.monotonic()
        try:
            await client.ask(REQUESTS)
        finally:
            writer.close()
        print(
            f"R13 honest: {client.sent} requests on one connection in {time.monotonic() - began_s:.1f} s,"
            f" {client.cancelled} cancelled, {client.answered} answered, {len(client.farewells)} GOAWAY"
        )
        assert (client.sent, client.cancelled) == (REQUESTS, REQUESTS // GLITCH_EVERY)
        assert client.answered == REQUESTS - client.cancelled
        assert (client.statuses, client.farewells) == ({"200"}, [])


class Abuser:
    """One call that takes its time, and pings it was not asked for; what is heard meanwhile."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._received = b""
        self.pings = 0
        self.over = False

    def begin(self) -> None:
        """The call."""
        self._writer.write(PREFACE + frame(HEADERS, END_HEADERS | END_STREAM, 1, GET))

    async def ping_until(self, said: int, limit: int) -> int:
        """Pings sent when GOAWAYs of so many kinds had come: each few are answered before the next, however slow the gateway is."""
        while len(self.farewells) < said and not self.over and self.pings < limit:
            self._writer.write(frame(PING, payload=bytes(8)) * 5)
            self.pings += 5
            await self.hear(5.0, lambda: self.answered_pings == self.pings or len(self.farewells) >= said)
        return self.pings

    async def hear(self, for_s: float, enough: Callable[[], bool] = lambda: False) -> None:
        """What comes within that time, or until it is enough."""
        until_s = time.monotonic() + for_s
        while not self.over and not enough() and (left_s := until_s - time.monotonic()) > 0:
            try:
                data = await asyncio.wait_for(self._reader.read(65536), left_s)
            except TimeoutError:
                return
            except ConnectionError:
                data = b""
            self._received += data
            self.over = not data

    @property
    def farewells(self) -> list[int]:
        """The codes of the GOAWAYs, each once."""
        codes = [int.from_bytes(payload[4:8], "big") for kind, payload in frames(self._received) if kind == GOAWAY]
        return list(dict.fromkeys(codes))

    @property
    def answered_pings(self) -> int:
        """All frames of the kind are: the gateway pings nobody so soon."""
        return sum(kind == PING for kind, _ in frames(self._received))

    @property
    def answered(self) -> bool:
        """Its call was."""
        return any(kind == HEADERS for kind, _ in frames(self._received))


def _slowly(calls: Iterator[float]) -> Callable[[Recorded], Reply]:
    """Each call but the honest client's takes the next of these times."""
    return lambda call: Reply(call.message, delay_s=0.0 if b"victim" in call.message else next(calls))


@pytest.mark.slow
async def test_an_abuser_has_notice_at_three_quarters_and_is_ended_at_the_whole(tmp_path: Path) -> None:
    """And one who heeds the notice has the answer to the call it has running."""
    async with site(tmp_path, base_s=0.1) as where:
        where.upstream.default = _slowly(iter([60.0, 6.0]))
        made = [
            await asyncio.open_connection("127.0.0.1", where.edge.port, local_addr=(f"127.0.0.{number}", 0))
            for number in (11, 12)
        ]
        heedless, heeding = (Abuser(*pair) for pair in made)
        try:
            heedless.begin()
            soft = await heedless.ping_until(1, 2000)
            assert heedless.farewells == [0]
            hard = await heedless.ping_until(2, 2000)
            await heedless.hear(10.0)
            heeding.begin()
            await heeding.ping_until(1, 2000)
            await heeding.hear(30.0)
        finally:
            for _, writer in made:
                writer.close()
        print(f"R13 abuser: GOAWAY after {soft} pings, ended after {hard}; one who stopped at the first had its answer")
        assert heedless.farewells == [0, CALM]
        assert heedless.over
        assert not heedless.answered
        assert 0.7 <= soft / hard <= 0.85  # three quarters, but for what is under way and what time forgives
        assert (heeding.farewells, heeding.answered, heeding.over) == ([0], True, True)
