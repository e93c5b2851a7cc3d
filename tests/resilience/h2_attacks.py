"""
Attacks on an HTTP/2 connection as bytes made beforehand, and a client that sends them and sees what becomes of the connection.

Pre-encoded, because an attacker that encodes while it attacks spends more CPU than its victim and proves nothing.
Source: reliability.md A1 to A5.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from edge.wire.portable.header_encoder import HeaderEncoder

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS, PRIORITIZED = 0x1, 0x4, 0x20
CALM = 0xB
CUT_OFF_S = 5.0


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    """One frame."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def block(
    method: str = "GET", path: str = "/v1/lab/specimen?string_value=attack", *fields: tuple[bytes, bytes]
) -> bytes:
    """A request's header block that needs no table."""
    head = [(b":method", method.encode()), (b":scheme", b"http"), (b":path", path.encode()), (b":authority", b"a")]
    return HeaderEncoder().encode([*head, *fields]) if fields else _literals(head)


def _literals(fields: list[tuple[bytes, bytes]]) -> bytes:
    return b"".join(b"\0" + bytes((len(name),)) + name + bytes((len(value),)) + value for name, value in fields)


GET = block()


def reset(stream: int) -> bytes:
    """A request, cancelled."""
    return frame(HEADERS, END_HEADERS | END_STREAM, stream, GET) + frame(RST_STREAM, 0, stream, CALM.to_bytes(4, "big"))


def opened(stream: int, ending: int = END_STREAM) -> bytes:
    """A request."""
    return frame(HEADERS, END_HEADERS | ending, stream, GET)


def headed(more: bytes) -> Callable[[int], bytes]:
    """A request with more fields."""
    return lambda stream: frame(HEADERS, END_HEADERS | END_STREAM, stream, GET + more)


def always(data: bytes) -> Callable[[int], bytes]:
    """The same frames whatever the stream."""
    return lambda _: data


RESETS = 500
FLOOD = 1000
BOMB_REFERENCES = 8000

_POST = frame(HEADERS, END_HEADERS, 1, block("POST", "/v1/lab/specimen:string"))
_ENDLESS = frame(HEADERS, END_STREAM, 1, GET)
_CRUMB = b"\x0f\x11\x01a"  # cookie (static 32), not indexed, one byte
_HOST = b"\x0f\x17\x01a"  # host (static 38), likewise
_BIG = b"\x7f" + b"\xa1\x1e" + b"v" * 4000
_INDEXED_BIG = b"\x40\x01x" + _BIG  # x: 4,000 bytes, into the dynamic table as entry 62
_INDEXED_HOST = b"\x66" + _BIG  # host, likewise


@dataclass(frozen=True)
class Attack:
    """
    `unit` of each new stream's number, over and over, after the preface and `opening`; `units` of them are far too many.

    `calm` when the end must be GOAWAY ENHANCE_YOUR_CALM, else any end will do.
    """

    row: str
    name: str
    unit: Callable[[int], bytes]
    units: int
    opening: bytes = b""
    calm: bool = True

    def data(self, units: int | None = None) -> bytes:
        """Everything that follows the preface."""
        count = self.units if units is None else units
        return self.opening + b"".join(self.unit(stream) for stream in range(1, 2 * count, 2))


ATTACKS = [
    Attack("R7", "rapid reset", reset, RESETS),
    Attack("R8", "a malformed head", lambda n: frame(HEADERS, 5, n, block(path="x")), RESETS),
    Attack("R8", "a head that depends on itself", lambda n: frame(
        HEADERS, 5 | PRIORITIZED, n, n.to_bytes(4, "big") + b"\1" + GET), RESETS),
    Attack("R8", "DATA after the end", lambda n: opened(n) + frame(DATA, 0, n, b"x"), RESETS),
    Attack("R8", "a window of zero more", lambda n: opened(n) + frame(WINDOW_UPDATE, 0, n, bytes(4)), RESETS, calm=False),
    Attack("R8", "a window over 2^31", lambda n: opened(n) + frame(WINDOW_UPDATE, 0, n, b"\x7f\xff\xff\xff"), RESETS),
    Attack("R8", "PRIORITY on itself", lambda n: opened(n) + frame(
        PRIORITY, 0, n, n.to_bytes(4, "big") + b"\1"), RESETS, calm=False),
    Attack("R9", "empty CONTINUATIONs", always(frame(CONTINUATION, 0, 1)), 64, _ENDLESS),
    Attack("R9", "16 KiB CONTINUATIONs", always(frame(CONTINUATION, 0, 1, bytes(16384))), 5, _ENDLESS),
    Attack("R10", "one large field 8,000 times", headed(_INDEXED_BIG + b"\xbe" * BOMB_REFERENCES), 10),
    Attack("R10", "a large Host 8,000 times", headed(_INDEXED_HOST + b"\xbe" * BOMB_REFERENCES), 10),
    Attack("R10", "4,000 crumbs of a cookie", headed(_CRUMB * 4000), 3),
    Attack("R10", "4,000 copies of Host", headed(_HOST * 4000), 3),
    Attack("R10", "heads just over the limit", headed(_CRUMB * 500), 200),
    Attack("R11", "PING", always(frame(PING, 0, 0, bytes(8))), FLOOD),
    Attack("R11", "SETTINGS", always(frame(SETTINGS)), FLOOD),
    Attack("R11", "empty DATA", always(frame(DATA, 0, 1)), FLOOD, _POST),
    Attack("R11", "PRIORITY", always(frame(PRIORITY, 0, 1, bytes(5))), FLOOD),
    Attack("R11", "WINDOW_UPDATE", always(frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\1")), FLOOD),
    Attack("R11", "unknown frames", always(frame(0xBB, 0, 0, b"x")), FLOOD),
]  # fmt: skip


MIXED = (
    "rapid reset", "DATA after the end", "a window over 2^31", "empty CONTINUATIONs", "one large field 8,000 times", "SETTINGS",
    "PING", "heads just over the limit",
)  # fmt: skip
"""All at once (R14), each from an address of its own."""


def named(name: str) -> Attack:
    """The attack of that name."""
    return next(attack for attack in ATTACKS if attack.name == name)


@dataclass
class Toll:
    """What an attack came to: connections made, how many the gateway ended and how, bytes written."""

    connections: int = 0
    ended: int = 0
    calmed: int = 0
    sent_bytes: int = 0


def frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and payload of each whole frame."""
    while len(data) >= 9:
        size = int.from_bytes(data[:3], "big")
        yield data[3], data[9 : 9 + size]
        data = data[9 + size :]


async def strike(port: int, attack: Attack, toll: Toll, source: str = "127.0.0.1") -> None:
    """One connection: all the bytes at once, then wait for its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    toll.connections += 1
    data = attack.data()
    toll.sent_bytes += len(data)
    received = b""
    try:
        writer.write(PREFACE + data)
        async with asyncio.timeout(CUT_OFF_S):
            while data := await reader.read(65536):
                received += data
        toll.ended += 1
    except ConnectionError:
        toll.ended += 1
    except TimeoutError:
        pass
    finally:
        writer.close()
    codes = [int.from_bytes(payload[4:8], "big") for kind, payload in frames(received) if kind == GOAWAY]
    toll.calmed += CALM in codes


async def assail(port: int, attack: Attack, seconds: float, attackers: int = 2, source: str = "127.0.0.1") -> Toll:
    """So many attackers, each with one connection after the other."""
    toll, loop = Toll(), asyncio.get_running_loop()
    until = loop.time() + seconds

    async def attacker() -> None:
        while loop.time() < until:
            await strike(port, attack, toll, source)
            await asyncio.sleep(0.01)

    await asyncio.gather(*(attacker() for _ in range(attackers)))
    return toll
