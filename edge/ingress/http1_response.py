"""
Answers to bytes: the status line, the fields the protocol owns, and the proof that no field breaks out of its line.

Owns response framing: exactly one Content-Length where a body may be, none where none may be, and no CR, LF or NUL in any
field whoever set it (a response split in two would answer another client's request).
Source: RFC 9112 6.3, RFC 9110 6.6.1 (Date), 8.6 (Content-Length), 15.4.5 (304).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from email.utils import formatdate
from http import HTTPStatus

from edge.ingress.service import Answer, Header
from edge.outcome import CLIENT_CLOSED_REQUEST
from edge.wire.http1 import RenderAnswer
from edge.wire.portable.http1_answer import field_lines

CONTINUE = b"HTTP/1.1 %d %s\r\n\r\n" % (HTTPStatus.CONTINUE.value, HTTPStatus.CONTINUE.phrase.encode())
"""The interim answer that asks for the body."""

_PHRASES = {status.value: status.phrase for status in HTTPStatus} | {CLIENT_CLOSED_REQUEST: "Client Closed Request"}
_STATUS_LINES = {code: f"HTTP/1.1 {code} {phrase}\r\n".encode() for code, phrase in _PHRASES.items()}
BODILESS = frozenset({HTTPStatus.NO_CONTENT.value, HTTPStatus.NOT_MODIFIED.value})
"""The final statuses whose answers never have a body."""


class DateClock:
    """The Date field's value, formatted once a second."""

    def __init__(self) -> None:
        self._second = -1
        self._line = self._value = b""

    def line(self) -> bytes:
        """The whole field line, for now."""
        now = time.time()
        if not self._second <= now < self._second + 1:
            self._turn(int(now))
        return self._line

    def value(self) -> bytes:
        """The field's value, for now."""
        self.line()
        return self._value

    def _turn(self, second: int) -> None:
        self._second = second
        self._value = formatdate(second, usegmt=True).encode()
        self._line = b"date: %s\r\n" % self._value


DATE = DateClock()
"""One clock for the process: all its connections are answered within the same second."""


def render(make: RenderAnswer, answer: Answer, *, head_only: bool, connection: bytes) -> bytes:
    """
    The bytes to send, by an engine's `make`.

    `head_only` for answers to HEAD; `connection` is a whole `connection: …` line or empty. Raises UnsafeFieldError.
    """
    status, headers, body = answer.status, answer.headers, answer.body
    line = _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status
    if status in BODILESS:
        return make(line, headers, None, connection, DATE.line(), b"")
    return make(line, headers, len(body), connection, DATE.line(), b"" if head_only else body)


def head(status: int, headers: Sequence[Header], *own: bytes) -> bytes:
    """A head; `own` are whole lines of the protocol's, Date comes by itself. Raises UnsafeFieldError."""
    line = _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status
    return b"".join((line, field_lines(headers), *own, DATE.line(), b"\r\n"))
