"""What a source publishes, and what it does when it goes bad."""

from __future__ import annotations

import time

from structlog.testing import capture_logs

from certs.source import Publication, Watchers, readiness_fault
from tests.unit.certs.fixed_source import FixedSource
from tests.unit.certs.mint import EDGE, identity, mint, root

CA = root()
FIRST, SECOND = identity(mint(CA, EDGE), CA), identity(mint(CA, EDGE), CA)


def test_watchers_hear_of_each_change_once() -> None:
    """The same again tells nobody; who left hears nothing."""
    heard: list[int] = []
    published = Publication("test")
    leave = published.watch(lambda: heard.append(1))
    published.publish(FIRST)
    published.publish(FIRST)
    published.publish(SECOND)
    assert len(heard) == 2
    leave()
    leave()
    published.publish(FIRST)
    assert len(heard) == 2
    assert published.current() is FIRST


def test_the_last_good_one_stays() -> None:
    """A rejection says why until the next good one; nothing else changes."""
    heard: list[int] = []
    published = FixedSource(FIRST)
    published.watch(lambda: heard.append(1))
    published.reject("the pair does not match")
    assert (published.current(), published.fault(), heard) == (FIRST, "the pair does not match", [])
    published.broke(RuntimeError("bug"))
    assert published.current() is FIRST
    assert "bug" in (published.fault() or "")
    published.publish(FIRST)
    assert published.fault() is None


def test_withdrawn_is_gone() -> None:
    """Watchers are told, once."""
    heard: list[int] = []
    published = FixedSource(FIRST)
    published.watch(lambda: heard.append(1))
    published.withdraw("not entitled")
    published.withdraw("not entitled")
    assert (published.current(), published.fault(), heard) == (None, "not entitled", [1])


def test_a_rejection_is_logged_once() -> None:
    """A file that stays broken does not fill the log each second."""
    published = FixedSource(FIRST)
    with capture_logs() as said:
        for _ in range(5):
            published.reject("broken")
    assert [entry["event"] for entry in said] == ["certificate_rejected"]


def test_two_reasons_in_turns_are_logged_once_each() -> None:
    """Leaf and roots fail alternately for as long as the agent is away; said anew after a good one."""
    published = FixedSource(FIRST)
    with capture_logs() as said:
        for _ in range(5):
            published.reject("no leaf")
            published.reject("no roots")
        assert published.fault() == "no roots"
    assert [entry["reason"] for entry in said] == ["no leaf", "no roots"]
    published.publish(FIRST)
    with capture_logs() as said:
        published.reject("no leaf")
    assert len(said) == 1


def test_the_key_is_never_logged() -> None:
    """What is said of a certificate: whose, from where, until when."""
    with capture_logs() as entries:
        FixedSource(FIRST)
    said = repr(entries)
    assert EDGE in said
    assert "PRIVATE" not in said


def test_readiness() -> None:
    """False without a leaf, and from the second it expires; the reason is the source's."""
    now = time.time()
    source = FixedSource()
    assert "none has come yet" in (readiness_fault(source, now) or "")
    source.reject("connection refused")
    assert readiness_fault(source, now) == "no certificate from test: connection refused"
    source.publish(FIRST)
    assert readiness_fault(source, now) is None
    assert readiness_fault(source, FIRST.not_after - 1) is None
    assert readiness_fault(source, FIRST.not_after) == "the certificate from test has expired"
    source.reject("connection refused")
    assert (readiness_fault(source, FIRST.not_after) or "").endswith("expired: connection refused")


def test_a_watcher_may_leave_while_it_is_told() -> None:
    """Nobody is passed over for it."""
    heard: list[str] = []
    watchers = Watchers()

    def once() -> None:
        heard.append("first")
        leave()

    leave = watchers.add(once)
    watchers.add(lambda: heard.append("second"))
    watchers.tell()
    watchers.tell()
    assert heard == ["first", "second", "second"]
