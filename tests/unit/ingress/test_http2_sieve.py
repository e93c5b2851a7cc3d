"""What is dropped of one read, and what never is."""

from __future__ import annotations

from edge.ingress.http2_sieve import worthwhile
from edge.wire.session import (
    CANCEL,
    ConnectionFailed,
    DataReceived,
    H2Event,
    HeadersReceived,
    StreamReset,
    WindowOpened,
)

HEAD1, HEAD3 = HeadersReceived(1, [], end=True), HeadersReceived(3, [], end=False)
DATA3, WINDOW = DataReceived(3, b"x", 1, end=False), WindowOpened(0)


def test_nothing_is_dropped_of_an_honest_read() -> None:
    events: list[H2Event] = [HEAD1, HEAD3, DATA3, WINDOW]
    assert worthwhile(events) is events
    assert worthwhile([]) == []


def test_a_stream_opened_and_reset_in_one_read_is_not_begun() -> None:
    """Whoever reset it; the reset itself stays, for one opened by an earlier read needs it."""
    for by_peer in (True, False):
        reset = StreamReset(3, CANCEL, by_peer)
        assert worthwhile([HEAD1, HEAD3, DATA3, reset]) == [HEAD1, DATA3, reset]
        assert worthwhile([HEAD1, reset]) == [HEAD1, reset]


def test_a_read_that_ends_the_connection_begins_nothing() -> None:
    failed = ConnectionFailed(1, "")
    assert worthwhile([HEAD1, WINDOW, HEAD3, DATA3, failed]) == [WINDOW, DATA3, failed]
