"""What is dropped of one read, and what never is."""

from __future__ import annotations

from edge.ingress.http2_sieve import Sieve, worthwhile
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


RESET3 = StreamReset(3, CANCEL)


def test_the_last_head_of_a_piece_waits_for_the_next_which_may_reset_it() -> None:
    sieve = Sieve()
    assert sieve.sift([HEAD1, WINDOW, HEAD3, DATA3], more=True) == [HEAD1, WINDOW]
    assert sieve.sift([RESET3], more=False) == [DATA3, RESET3]


def test_what_waited_comes_in_its_order_and_the_last_piece_keeps_nothing_back() -> None:
    sieve = Sieve()
    assert sieve.sift([HEAD1], more=True) == []
    assert sieve.sift([WINDOW], more=True) == []
    assert sieve.sift([HEAD3, DATA3], more=False) == [HEAD1, WINDOW, HEAD3, DATA3]
    assert sieve.sift([WINDOW], more=False) == [WINDOW]


def test_a_piece_that_ends_the_connection_begins_nothing_that_waited() -> None:
    sieve, failed = Sieve(), ConnectionFailed(1, "")
    sieve.sift([HEAD1], more=True)
    assert sieve.sift([HEAD3, failed], more=True) == [failed]
