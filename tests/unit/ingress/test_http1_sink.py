"""The framing of answers that are made piece by piece; more in test_http1_stream."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from edge.ingress.http1_limits import QUEUE_BYTES, Http1Limits
from edge.ingress.http1_sink import LeavingAnswer
from edge.ingress.http1_writer import AnswerWriter
from edge.wire.portable.http1_reader import PortableRequestReader as RequestReader
from tests.unit.ingress.doubles import FakeTransport, without_date


def sink(
    head: bytes = b"GET / HTTP/1.1\r\n", closes: Callable[[], bool] = lambda: False
) -> tuple[LeavingAnswer, FakeTransport]:
    reader = RequestReader(Http1Limits())
    reader.feed(head + b"Host: a\r\n\r\n", 0)
    transport = FakeTransport(asyncio.Protocol())
    return LeavingAnswer(transport, AnswerWriter(transport), reader, closes), transport


async def test_a_large_piece_is_one_chunk() -> None:
    answer, transport = sink()
    answer.start(200, ())
    data = bytes(QUEUE_BYTES + 1)
    await answer.write(data)
    answer.end()
    assert transport.out.endswith(b"\r\n\r\n10001\r\n" + data + b"\r\n0\r\n\r\n")
    assert answer.body_bytes == len(data)


@pytest.mark.parametrize("status", [204, 304])
async def test_a_status_without_a_body_has_none(status: int) -> None:
    answer, transport = sink()
    answer.start(status, ())
    await answer.write(b"dropped")
    answer.end(((b"t", b"v"),))
    assert transport.out.endswith(b"\r\n\r\n")
    assert b"transfer-encoding" not in transport.out
    assert answer.body_bytes == 0


async def test_the_answer_says_when_the_connection_ends() -> None:
    answer, transport = sink(closes=lambda: True)
    answer.start(200, ())
    assert answer.close
    assert without_date(transport.out) == b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"


async def test_the_order_is_kept() -> None:
    """start, writes, end: anything else would make bytes that mean something else."""
    answer, transport = sink()
    with pytest.raises(RuntimeError):
        await answer.write(b"x")
    with pytest.raises(RuntimeError):
        answer.end()
    answer.start(200, ())
    with pytest.raises(RuntimeError):
        answer.start(200, ())
    answer.end()
    with pytest.raises(RuntimeError):
        answer.end()
    with pytest.raises(RuntimeError):
        await answer.write(b"x")
    answer.abort()
    assert not answer.aborted
    assert not transport.closed


async def test_an_unreached_length_is_no_good_end() -> None:
    answer, _ = sink()
    answer.start(200, ((b"content-length", b"3"),))
    await answer.write(b"ab")
    answer.end()
    assert answer.aborted
