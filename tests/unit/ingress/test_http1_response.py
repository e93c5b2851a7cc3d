"""Framing of answers."""

from __future__ import annotations

import pytest

from edge.ingress.http1_response import DateClock, UnsafeFieldError, field_lines, render
from edge.ingress.service import Answer
from tests.unit.ingress.doubles import without_date


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
def test_render(answer: Answer, head_only: bool, expected: bytes) -> None:
    assert without_date(b"".join(render(answer, head_only=head_only, connection=b""))) == expected


@pytest.mark.parametrize("bad", [b"a\r\nb: c", b"a\nb", b"a\rb", b"a\0b", b"\n", b"a\r"])
def test_no_field_breaks_its_line(bad: bytes) -> None:
    """Whatever a service's metadata holds, the client reads one line per field."""
    with pytest.raises(UnsafeFieldError):
        field_lines([(b"ok", b"v"), (b"x", bad)])
    with pytest.raises(UnsafeFieldError):
        field_lines([(bad, b"v")])


def test_the_date_is_the_current_second() -> None:
    line = DateClock().line()
    assert line.startswith(b"date: ")
    assert line.endswith(b" GMT\r\n")
