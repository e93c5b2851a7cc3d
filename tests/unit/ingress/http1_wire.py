"""Requests and answers of HTTP/1.1 as bytes, for the tests of its connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from edge.ingress.service import Answer, Call, Head

OK = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n%s\r\n%s"


def ok(body: bytes, connection: bytes = b"") -> bytes:
    return OK % (len(body), connection, body)


def refused(status: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s" % (status, len(body), body)


MALFORMED = refused(b"400 Bad Request", b"MALFORMED_REQUEST")
VERSION = refused(b"505 HTTP Version Not Supported", b"HTTP_VERSION_UNSUPPORTED")
CLOSE = b"connection: close\r\n"
HOST = b"Host: a\r\n"
GET = b"GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n"


def early(status: int = 404, *, close: bool = False) -> Callable[[Head], Call | Answer]:
    return lambda head: Answer(status, (), b"early", close)


async def forever(head: Head, body: bytes) -> Answer:
    await asyncio.Event().wait()
    raise AssertionError
