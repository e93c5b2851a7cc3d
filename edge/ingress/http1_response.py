"""
What an answer's head is made of: the status line, the date, and a whole head where the body flows behind it.

Owns which statuses never have a body, and that all answers of a second say the same date.
Source: RFC 9112 section 4; RFC 9110 6.6.1 (Date), 15.4.5 (304).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from email.utils import formatdate
from http import HTTPStatus

from edge.ingress.service import Header
from edge.outcome import CLIENT_CLOSED_REQUEST
from edge.wire.portable.http1_answer import field_lines

CONTINUE = b"HTTP/1.1 %d %s\r\n\r\n" % (HTTPStatus.CONTINUE.value, HTTPStatus.CONTINUE.phrase.encode())
"""The interim answer that asks for the body."""

_PHRASES = {status.value: status.phrase for status in HTTPStatus} | {CLIENT_CLOSED_REQUEST: "Client Closed Request"}
STATUS_LINES = {code: f"HTTP/1.1 {code} {_PHRASES.get(code, '')}\r\n".encode() for code in range(100, 1000)}
"""Of every status there can be (RFC 9112 section 4); the phrase of one that nobody has named is empty."""

BODILESS = frozenset({HTTPStatus.NO_CONTENT.value, HTTPStatus.NOT_MODIFIED.value})
"""The final statuses whose answers never have a body."""


class DateClock:
    """The Date field's value, formatted once a second."""

    def __init__(self) -> None:
        # The second that the line is for; floats, as the clock's: comparing unlike numbers costs more.
        self._since = self._until = 0.0
        self._line = self._value = b""

    def line(self) -> bytes:
        """The whole field line, for now."""
        now = time.time()
        if not self._since <= now < self._until:
            self._turn(int(now))
        return self._line

    def value(self) -> bytes:
        """The field's value, for now."""
        self.line()
        return self._value

    def _turn(self, second: int) -> None:
        self._since, self._until = float(second), second + 1.0
        self._value = formatdate(second, usegmt=True).encode()
        self._line = b"date: %s\r\n" % self._value


DATE = DateClock()
"""One clock for the process: all its connections are answered within the same second."""


def head(status: int, headers: Sequence[Header], *own: bytes) -> bytes:
    """A head; `own` are whole lines of the protocol's, Date comes by itself. Raises UnsafeFieldError."""
    return b"".join((STATUS_LINES[status], field_lines(headers), *own, DATE.line(), b"\r\n"))
