"""What the writer adds to an answer, and what it notices of a slow reader."""

from __future__ import annotations

import asyncio

import pytest

from edge.ingress.http1_limits import QUEUE_BYTES, Http1Limits
from edge.ingress.http1_writer import AnswerWriter
from edge.ingress.service import Answer
from edge.wire.portable.http1_reader import PortableRequestReader as RequestReader
from tests.unit.ingress.doubles import FakeTransport, without_date


def request(head: bytes) -> RequestReader:
    reader = RequestReader(Http1Limits())
    reader.feed(head + b"Host: a\r\n\r\n", 0)
    return reader


@pytest.mark.parametrize(
    ("head", "close", "line"),
    [
        (b"GET / HTTP/1.1\r\n", False, b""),
        (b"GET / HTTP/1.1\r\n", True, b"connection: close\r\n"),
        (b"GET / HTTP/1.0\r\n", False, b"connection: keep-alive\r\n"),
        (b"GET / HTTP/1.0\r\n", True, b"connection: close\r\n"),
    ],
)
def test_the_connection_field(head: bytes, close: bool, line: bytes) -> None:
    transport = FakeTransport(asyncio.Protocol())
    assert AnswerWriter(transport).send(Answer(200, (), b"hi"), request(head), close=close) == 2
    assert without_date(transport.out) == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n" + line + b"\r\nhi"


@pytest.mark.parametrize(
    ("answer", "head_only", "expected"),
    [
        (
            Answer(200, ((b"a", b"b"), (b"c", b"")), b"hi"),
            False,
            b"HTTP/1.1 200 OK\r\na: b\r\nc: \r\ncontent-length: 2\r\n\r\nhi",
        ),
        (Answer(200, [(b"a", b"b")], b"hi"), True, b"HTTP/1.1 200 OK\r\na: b\r\ncontent-length: 2\r\n\r\n"),
        (Answer(204, (), b"ignored"), False, b"HTTP/1.1 204 No Content\r\n\r\n"),
        (Answer(304, (), b"ignored"), False, b"HTTP/1.1 304 Not Modified\r\n\r\n"),
        (Answer(499), False, b"HTTP/1.1 499 Client Closed Request\r\ncontent-length: 0\r\n\r\n"),
        (Answer(599), False, b"HTTP/1.1 599 \r\ncontent-length: 0\r\n\r\n"),
    ],
)
def test_framing(answer: Answer, head_only: bool, expected: bytes) -> None:
    """One Content-Length where a body may be, none where none may be, and what is counted as sent is the body that was."""
    transport = FakeTransport(asyncio.Protocol())
    asked = request(b"HEAD / HTTP/1.1\r\n" if head_only else b"GET / HTTP/1.1\r\n")
    size = AnswerWriter(transport).send(answer, asked, close=False)
    assert without_date(transport.out) == expected
    assert size == len(expected.partition(b"\r\n\r\n")[2])


def test_a_large_body_is_whole() -> None:
    transport = FakeTransport(asyncio.Protocol())
    body = bytes(QUEUE_BYTES + 1)
    AnswerWriter(transport).send(Answer(200, (), body), request(b"GET / HTTP/1.1\r\n"), close=False)
    assert transport.out.endswith(b"\r\n\r\n" + body)


def test_an_answer_that_cannot_be_rendered_is_replaced() -> None:
    """A field of the wrong type is a bug of the service; its client still gets an answer."""
    transport = FakeTransport(asyncio.Protocol())
    broken = Answer(200, ((b"x", "text"),), b"hi")  # type: ignore[arg-type]  # the bug
    AnswerWriter(transport).send(broken, request(b"GET / HTTP/1.1\r\n"), close=False)
    assert transport.out.startswith(b"HTTP/1.1 500 ")


def test_stalled_means_nothing_was_taken() -> None:
    transport = FakeTransport(asyncio.Protocol())
    transport.unsent = 100
    writer = AnswerWriter(transport)
    writer.watch()
    assert writer.stalled()
    transport.unsent = 99
    assert not writer.stalled()


def test_tls_is_not_half_closed() -> None:
    transport = FakeTransport(asyncio.Protocol(), tls=True)
    AnswerWriter(transport).half_close()
    assert not transport.eof
