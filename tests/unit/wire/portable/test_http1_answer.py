"""The field lines of answers; whole answers: tests/unit/wire/test_http1.py."""

from __future__ import annotations

import pytest

from edge.wire.http1 import UnsafeFieldError
from edge.wire.portable.http1_answer import field_lines


def test_a_line_each() -> None:
    assert field_lines([(b"a", b"b"), (b"c", b"")]) == b"a: b\r\nc: \r\n"


@pytest.mark.parametrize("bad", [b"a\r\nb: c", b"a\nb", b"a\rb", b"a\0b"])
def test_none_breaks_out_of_it(bad: bytes) -> None:
    for fields in ([(b"x", bad)], [(bad, b"v")]):
        with pytest.raises(UnsafeFieldError):
            field_lines(fields)
