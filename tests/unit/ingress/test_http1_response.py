"""Framing of answers."""

from __future__ import annotations

import pytest

from edge.ingress.http1_response import DateClock, render
from edge.ingress.service import Answer
from edge.wire.engines import engine
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
    assert without_date(render(engine().render, answer, head_only=head_only, connection=b"")) == expected


def test_the_date_is_the_current_second() -> None:
    line = DateClock().line()
    assert line.startswith(b"date: ")
    assert line.endswith(b" GMT\r\n")
