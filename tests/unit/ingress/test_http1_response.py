"""What heads of answers are made of."""

from __future__ import annotations

import pytest

from edge.ingress.http1_response import STATUS_LINES, DateClock, head
from tests.unit.ingress.doubles import without_date


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (200, b"HTTP/1.1 200 OK\r\n"),
        (499, b"HTTP/1.1 499 Client Closed Request\r\n"),
        (599, b"HTTP/1.1 599 \r\n"),
    ],
)
def test_the_status_line(status: int, line: bytes) -> None:
    assert STATUS_LINES[status] == line


def test_a_head_whose_body_flows_behind_it() -> None:
    assert without_date(head(200, [(b"a", b"b")], b"c: d\r\n")) == b"HTTP/1.1 200 OK\r\na: b\r\nc: d\r\n\r\n"


def test_the_date_is_the_current_second() -> None:
    line = DateClock().line()
    assert line.startswith(b"date: ")
    assert line.endswith(b" GMT\r\n")
