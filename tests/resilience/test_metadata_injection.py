"""
R23: CR, LF, NUL and whatever else in metadata, in headers and in trailers, through REST, gRPC, gRPC-Web and Connect.

10,000 generated values, one a request, over raw sockets, since no client library would send them. What reaches the service must be a
value that was allowed as it stands, or bytes under a `-bin` key; no status or message of the client's making, and no endless timeout.
"""

from __future__ import annotations

import asyncio
import base64
import random
import re
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from edge.wire.portable.header_encoder import HeaderEncoder
from tests.resilience.h2_attacks import (
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PREFACE,
    RST_STREAM,
    block,
    frame,
)
from tests.resilience.site import Site, site
from tests.upstreams.recorder import Recorded

RPC = "/bookstore.v1.Laboratory/EchoSpecimen"
COUNT, PER_CONNECTION, AT_ONCE = 10_000, 40, 8
FORGED = ((b"grpc-status", b"7"), (b"grpc-message", b"forged"), (b"grpc-status-details-bin", b"AAAA"))
TIMEOUTS = (b"99999999H", b"999999999H", b"18446744073709551616n", b"-1S", b"1e9S", b"5", b"S", b"\xff\xffS", b"0x5S")

_DIALECTS = {
    "REST": ("/v1/lab/specimen", b"application/json", b"{}"),
    "gRPC": (RPC, b"application/grpc", bytes(5)),
    "gRPC-Web": (RPC, b"application/grpc-web+proto", bytes(5)),
    "Connect": (RPC, b"application/json", b"{}"),
}
_BAD = [
    b"\r",
    b"\n",
    b"\0",
    b"\r\n",
    b"\r\nx-injected: 1",
    b"\r\n\r\nGET /v1/shelves HTTP/1.1\r\nhost: a\r\n\r\n",
    b"\n x",
]


@dataclass(frozen=True)
class Injection:
    """A field, in a head or behind the body, in some dialect; `allowed` when it may pass as it stands."""

    dialect: str
    name: bytes
    value: bytes
    trailing: bool
    allowed: bool


def injections(rand: random.Random, count: int) -> list[Injection]:
    """Four in five are hostile; the rest carries the same bytes in ways that are allowed: base64 under -bin, percent codes."""
    found = []
    for number in range(count):
        text = bytes(rand.choices(b"abcXYZ019 ,;=%\"'\\", k=rand.randrange(12)))
        hostile = text + rand.choice(_BAD) + bytes(rand.choices(range(256), k=rand.randrange(6)))
        dialect, trailing = rand.choice([*_DIALECTS]), rand.random() < 0.25
        name = rand.choice((b"x-value", b"grpc-metadata-x-value", b"authorization", b"traceparent", b"x-value-bin"))
        allowed = number % 5 == 0
        if allowed:
            name = rand.choice((b"x-value", b"x-value-bin"))
            coded = "".join(f"%{byte:02x}" for byte in hostile).encode()
            hostile = base64.b64encode(hostile) if name.endswith(b"-bin") else coded
        found.append(Injection(dialect, name, hostile, trailing, allowed))
    return found


def _http1(each: Injection) -> bytes:
    """CR LF ends a line here whoever says so: only the other ways to end one are an injection."""
    path, content_type, body = _DIALECTS[each.dialect]
    line = each.name + b": " + re.sub(rb"\r\n+", b"\r", each.value) + b"\r\n"
    forged = b"".join(b"%s: %s\r\n" % field for field in FORGED)
    head = b"POST %s HTTP/1.1\r\nhost: a\r\ncontent-type: %s\r\nconnection: close\r\n" % (path.encode(), content_type)
    if each.trailing:
        chunk = b"%x\r\n%s\r\n0\r\n" % (len(body), body)
        return head + forged + b"transfer-encoding: chunked\r\n\r\n" + chunk + line + b"\r\n"
    return head + forged + line + b"content-length: %d\r\n\r\n" % len(body) + body


def _http2(each: Injection, stream: int) -> bytes:
    path, content_type, body = _DIALECTS[each.dialect]
    field = (each.name, each.value)
    head = block("POST", path, (b"content-type", content_type), *FORGED, *(() if each.trailing else (field,)))
    data = frame(HEADERS, END_HEADERS, stream, head)
    if not each.trailing:
        return data + frame(DATA, END_STREAM, stream, body)
    trailers = HeaderEncoder().encode([field])
    return data + frame(DATA, 0, stream, body) + frame(HEADERS, END_HEADERS | END_STREAM, stream, trailers)


async def _over_http1(port: int, each: Injection) -> None:
    """On a connection of its own, until that is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(_http1(each))
        async with asyncio.timeout(10):
            await reader.read(-1)
    except ConnectionError:
        pass  # closed with our bytes unread: refused
    finally:
        writer.close()


async def _over_http2(port: int, some: list[Injection]) -> None:
    """One after the other on connections that are replaced when the gateway has had enough of them."""
    left = list(some)
    while left:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(PREFACE)
        stream = 1
        try:
            while left:
                writer.write(_http2(left.pop(), stream))
                async with asyncio.timeout(10):
                    if not await _answered(reader, stream):
                        break
                stream += 2
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def _answered(reader: asyncio.StreamReader, stream: int) -> bool:
    """Until the stream is over, or (False) the connection is."""
    while True:
        head = await reader.readexactly(9)
        await reader.readexactly(int.from_bytes(head[:3], "big"))
        kind, flags, of = head[3], head[4], int.from_bytes(head[5:], "big")
        if kind == GOAWAY:
            return False
        if of == stream and (kind == RST_STREAM or (kind in (HEADERS, DATA) and flags & END_STREAM)):
            return True


async def _send(port: int, all_of: list[Injection]) -> None:
    old = [each for each in all_of if each.dialect == "REST"]
    new = [each for each in all_of if each.dialect != "REST"]
    old, new = old[::2], new + old[1::2]  # REST over either
    batches = [new[at : at + PER_CONNECTION] for at in range(0, len(new), PER_CONNECTION)]
    jobs = [
        *(partial(_over_http1, port, each) for each in old),
        *(partial(_over_http2, port, each) for each in batches),
    ]
    waiting = iter(jobs)

    async def sender() -> None:
        for job in waiting:
            await job()

    await asyncio.gather(*(sender() for _ in range(AT_ONCE)))


def _harm(call: Recorded, allowed: set[bytes]) -> list[str]:
    """What is wrong with a call that reached the service."""
    found = []
    for key, value in call.metadata:
        if (key.startswith("grpc-") and key not in ("grpc-accept-encoding", "grpc-timeout")) or key == "x-injected":
            found.append(f"{key}: {value!r}")
        elif isinstance(value, bytes):
            if key == "x-value-bin" and base64.b64encode(value) not in allowed:
                found.append(f"{key}: {value!r}")
        elif not value.isascii() or not value.isprintable() or (key == "x-value" and value.encode() not in allowed):
            found.append(f"{key}: {value!r}")
    return found


@pytest.mark.slow
async def test_no_generated_value_reaches_the_service_unescaped(tmp_path: Path) -> None:
    """Hostile ones are refused or dropped, allowed ones arrive as they are, and a client's grpc-status never does."""
    sent = injections(random.Random(23), COUNT)
    allowed = {each.value for each in sent if each.allowed}
    async with site(tmp_path, base_s=0.2) as where:
        where.upstream.calls.clear()
        await _send(where.edge.port, sent)
        calls = where.upstream.calls
        harm = [found for call in calls for found in _harm(call, allowed)]
        passed = sum(bool(call.values("x-value") or call.values("x-value-bin")) for call in calls)
        hostile = sum(not each.allowed for each in sent)
        in_heads = sum(each.allowed and not each.trailing for each in sent)
        by_dialect = dict(Counter(each.dialect for each in sent))
        print(
            f"R23 {len(sent)} values ({by_dialect}), {hostile} of them hostile: {len(calls)} calls reached the"
            f" service, {passed} with a value that was allowed (of {in_heads} in heads), {len(harm)} harmful"
        )
        assert harm == []
        assert passed == in_heads
        assert len(calls) >= len(sent) - hostile, "an honest request was refused"
        assert "Traceback" not in where.edge.log()


async def _timed_call(where: Site, timeout: bytes) -> tuple[str, float | None]:
    """What becomes of a call with this grpc-timeout, and what the service was told remains."""
    where.upstream.calls.clear()
    reader, writer = await asyncio.open_connection("127.0.0.1", where.edge.port)
    head = block("POST", RPC, (b"content-type", b"application/grpc"), (b"te", b"trailers"), (b"grpc-timeout", timeout))
    writer.write(PREFACE + frame(HEADERS, END_HEADERS, 1, head) + frame(DATA, END_STREAM, 1, bytes(5)))
    try:
        async with asyncio.timeout(5):
            await _answered(reader, 1)
    finally:
        writer.close()
    calls = where.upstream.calls
    return ("served", calls[0].time_remaining_s) if calls else ("refused", None)


@pytest.mark.slow
async def test_a_timeout_that_overflows_is_no_timeout_for_ever(tmp_path: Path) -> None:
    """The route's own timeout bounds the longest one that is well-formed; what is not is refused."""
    async with site(tmp_path, base_s=0.2) as where:
        told = {timeout: await _timed_call(where, timeout) for timeout in TIMEOUTS}
        print("R23 grpc-timeout:", ", ".join(f"{t.decode('latin-1')} {what}" for t, (what, _) in told.items()))
        outcome, left_s = told.pop(b"99999999H")
        assert outcome == "served"
        assert left_s is not None
        assert left_s < 16
        assert {what for what, _ in told.values()} == {"refused"}
        assert "Traceback" not in where.edge.log()
