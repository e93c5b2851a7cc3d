"""The watch protocol's rules, step by step."""

from __future__ import annotations

from typing import Any

import pytest

from edge.core.endpoint_slices import PodQuery
from edge.core.slice_watch import MalformedError, SliceWatch, WatchAlarm
from tests.peers.kubernetes_api import endpoint, slice_of
from tests.peers.kubernetes_double import listing, refusal, versioned


def piece(name: str, *addresses: str) -> dict[str, Any]:
    return slice_of(name, "shop", "default", [endpoint(each) for each in addresses], port=1)


def event(kind: str, name: str, version: int, *addresses: str) -> dict[str, Any]:
    return {"type": kind, "object": versioned(piece(name, *addresses), version)}


def listed(*slices: dict[str, Any], version: int = 10) -> SliceWatch:
    watch = SliceWatch(PodQuery())
    watch.listed(listing(version, *slices), 1.0)
    return watch


def hosts(watch: SliceWatch) -> list[str]:
    assert watch.endpoints is not None
    return [host for host, _ in watch.endpoints.places]


def test_a_list_then_what_changes() -> None:
    """By name of the slice; each event moves the version."""
    watch = listed(piece("a", "10.0.0.1"), piece("b", "10.0.0.2"))
    assert (watch.version, hosts(watch)) == ("10", ["10.0.0.1", "10.0.0.2"])
    watch.heard(event("MODIFIED", "a", 11, "10.0.0.3"), 2.0)
    watch.heard(event("ADDED", "c", 12, "10.0.0.4"), 2.0)
    watch.heard(event("DELETED", "b", 13, "10.0.0.2"), 3.0)
    assert (watch.version, hosts(watch), watch.confirmed_at) == ("13", ["10.0.0.3", "10.0.0.4"], 3.0)


def test_a_bookmark_moves_the_version_alone() -> None:
    watch = listed(piece("a", "10.0.0.1"))
    watch.heard({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "50"}}}, 2.0)
    assert (watch.version, hosts(watch), watch.confirmed_at) == ("50", ["10.0.0.1"], 2.0)


@pytest.mark.parametrize("as_event", [True, False], ids=["event", "status"])
def test_a_version_that_is_forgotten(as_event: bool) -> None:
    """List again; no alarm, and the set stays."""
    watch = listed(piece("a", "10.0.0.1"))
    if as_event:
        watch.heard({"type": "ERROR", "object": refusal(410, "too old")}, 2.0)
    else:
        watch.failed(410, "too old")
    assert (watch.version, watch.alarm, hosts(watch)) == (None, None, ["10.0.0.1"])


def test_a_list_is_the_whole_truth() -> None:
    """A slice that is not in the new one is gone, though nobody said so."""
    watch = listed(piece("a", "10.0.0.1"), piece("b", "10.0.0.2"))
    watch.listed(listing(90, piece("b", "10.0.0.2")), 5.0)
    assert (watch.version, hosts(watch)) == ("90", ["10.0.0.2"])


@pytest.mark.parametrize(
    ("status", "alarm"),
    [(0, WatchAlarm.UNREACHABLE), (401, WatchAlarm.DENIED), (403, WatchAlarm.DENIED), (500, WatchAlarm.UNREACHABLE)],
)
def test_a_failure_keeps_all(status: int, alarm: WatchAlarm) -> None:
    """Set and version; whatever is heard next ends the alarm."""
    watch = listed(piece("a", "10.0.0.1"))
    watch.failed(status, "why")
    assert (watch.version, watch.alarm, watch.reason, hosts(watch)) == ("10", alarm, "why", ["10.0.0.1"])
    watch.watching(7.0)
    assert (watch.alarm, watch.reason, watch.confirmed_at) == (None, "", 7.0)


def test_an_error_event_that_is_no_410() -> None:
    watch = listed(piece("a", "10.0.0.1"))
    watch.heard({"type": "ERROR", "object": refusal(500, "etcd")}, 2.0)
    assert (watch.version, watch.alarm, watch.reason) == ("10", WatchAlarm.UNREACHABLE, "etcd")


@pytest.mark.parametrize("body", [None, [], {}, {"metadata": {}}, {"metadata": {"resourceVersion": "1"}, "items": [1]}])
def test_no_list(body: Any) -> None:
    """The set of before stays whole."""
    watch = listed(piece("a", "10.0.0.1"))
    with pytest.raises(MalformedError):
        watch.listed(body, 2.0)
    assert hosts(watch) == ["10.0.0.1"]


@pytest.mark.parametrize(
    "odd",
    [
        None,
        5,
        {},
        {"type": "ADDED"},
        {"type": "ADDED", "object": {"metadata": {}}},
        {**event("ADDED", "a", 1), "type": "NEW"},
    ],
)
def test_no_event(odd: Any) -> None:
    """A list is to tell the truth anew."""
    watch = listed(piece("a", "10.0.0.1"))
    with pytest.raises(MalformedError):
        watch.heard(odd, 2.0)
    watch.malformed("odd")
    assert (watch.version, watch.alarm, hosts(watch)) == (None, WatchAlarm.MALFORMED, ["10.0.0.1"])
