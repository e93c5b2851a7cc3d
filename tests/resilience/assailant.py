"""
An attacker in a process of its own, over TLS: `python -m tests.resilience.assailant PORT SECONDS TASKS` (JSON).

On its output, as JSON: its toll, and when it began and ended on the monotonic clock (making the bytes comes before).

Each task is an attack's name and a source address. One connection after the other sends bytes made before the time began; where the
server ends it, or has taken everything and ended nothing, the next one follows at once. It reads what comes, and keeps its end only.
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
import ssl
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import uvloop

from tests.resilience.h2_attacks import CALM, PREFACE, named

FLOOD_BYTES = 1024 * 1024
"""What is sent on one connection that the server does not end."""
SPARE_S = 0.6
"""After the last byte the server has so long to end the connection."""
PAUSE_S = 0.01
PIECE_BYTES = 64 * 1024
_GOAWAY = re.compile(rb"\x00\x00.\x07\x00\x00\x00\x00\x00....(....)", re.DOTALL)


@dataclass
class Toll:
    """Connections made, those the server ended, how it said so, those it took all of, those it did not let in."""

    connections: int = 0
    ended: int = 0
    calmed: int = 0
    endured: int = 0
    refused: int = 0
    sent_bytes: int = 0
    cpu_s: float = 0.0

    def __add__(self, other: Toll) -> Toll:
        return Toll(
            *(mine + theirs for mine, theirs in zip(asdict(self).values(), asdict(other).values(), strict=True))
        )


@dataclass
class Charge(asyncio.Protocol):
    """One attacking connection. `over` when it has ended either way."""

    data: bytes
    toll: Toll
    over: asyncio.Future[None]
    _sent: int = 0
    _paused: bool = False
    _tail: bytes = field(default=b"", repr=False)
    _spared: bool = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # uvloop's is none by inheritance
        self.toll.connections += 1
        self._send()

    def _send(self) -> None:
        while not self._paused and self._sent < len(self.data):
            self._transport.write(self.data[self._sent : self._sent + PIECE_BYTES])
            self._sent += PIECE_BYTES
        if self._sent >= len(self.data) and not self._paused and not self._spared:
            self._spared = True
            asyncio.get_running_loop().call_later(SPARE_S, self._endured)

    def _endured(self) -> None:
        if not self.over.done():
            self.toll.endured += 1
            self._transport.abort()
            self.over.set_result(None)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._send()

    def data_received(self, data: bytes) -> None:
        """An error's GOAWAY is the end: Envoy keeps the socket for a second more. One without error is not."""
        self._tail = (self._tail + data)[-512:]
        codes = [int.from_bytes(code, "big") for code in _GOAWAY.findall(self._tail)]
        if any(codes) and not self.over.done():
            self.toll.calmed += CALM in codes
            self._ended()
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.toll.sent_bytes += min(self._sent, len(self.data))
        if not self.over.done():
            self._ended()

    def _ended(self) -> None:
        self.toll.ended += 1
        self.over.set_result(None)


def flood(name: str) -> bytes:
    """The bytes of an attack on one connection."""
    attack = named(name)
    units = max(attack.units, FLOOD_BYTES // len(attack.unit(1)))
    return PREFACE + attack.data(units)


def trusting() -> ssl.SSLContext:
    """A TLS client that asks for HTTP/2 and no proof."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context


async def attack(port: int, until_s: float, data: bytes, source: str, context: ssl.SSLContext) -> Toll:
    """One connection after the other."""
    loop, toll = asyncio.get_running_loop(), Toll()
    while time.monotonic() < until_s:
        charge = Charge(data, toll, loop.create_future())
        try:
            await loop.create_connection(
                lambda charge=charge: charge,  # type: ignore[misc]  # mypy infers no type for a bound default
                "127.0.0.1", port, ssl=context, local_addr=(source, 0), ssl_shutdown_timeout=0.1,
            )  # fmt: skip
        except OSError:
            toll.refused += 1
            await asyncio.sleep(PAUSE_S)
            continue
        with suppress(TimeoutError):
            await asyncio.wait_for(charge.over, 5.0)
        await asyncio.sleep(PAUSE_S)
    return toll


async def main(port: int, seconds: float, tasks: list[tuple[str, str]]) -> dict[str, Any]:
    """All tasks at once."""
    context = trusting()
    prepared = [(flood(name), source) for name, source in tasks]
    began_s, before_s = time.monotonic(), _cpu_s()
    until_s = began_s + seconds
    tolls = await asyncio.gather(*(attack(port, until_s, data, source, context) for data, source in prepared))
    total = sum(tolls, Toll())
    total.cpu_s = _cpu_s() - before_s
    return {"toll": asdict(total), "began_s": began_s, "ended_s": time.monotonic()}


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    print(json.dumps(uvloop.run(main(int(sys.argv[1]), float(sys.argv[2]), json.loads(sys.argv[3])))))
