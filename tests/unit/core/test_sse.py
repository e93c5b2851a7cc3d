"""Events as the WHATWG's parser reads them."""

from __future__ import annotations

import pytest

from edge.core.sse import HEARTBEAT, event


@pytest.mark.parametrize(
    ("made", "written"),
    [
        (event(b"{}"), b"data: {}\n\n"),
        (event(b"{}", id_="7"), b"id: 7\ndata: {}\n\n"),
        (event(b"{}", name="error"), b"event: error\ndata: {}\n\n"),
        (event(b"a\nb\r\nc\rd"), b"data: a\ndata: b\ndata: c\ndata: d\n\n"),
        (event(b"{}", id_="a\nb"), b"data: {}\n\n"),
        (event(b"{}", id_="\0"), b"data: {}\n\n"),
        (event(b""), b"data: \n\n"),
        (event(b"{}", id_="\u00e9"), "id: \u00e9\ndata: {}\n\n".encode()),
    ],
)
def test_event(made: bytes, written: bytes) -> None:
    assert made == written


def test_a_heartbeat_is_a_comment() -> None:
    """It ends no event and is none."""
    assert HEARTBEAT.startswith(b":")
    assert HEARTBEAT.endswith(b"\n\n")
