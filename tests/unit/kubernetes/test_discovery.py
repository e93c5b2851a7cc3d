"""What a watch makes of a server that misbehaves; with a real one: tests/kubernetes."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from edge.core.endpoint_slices import PodQuery
from edge.core.slice_watch import WatchAlarm
from edge.kubernetes import discovery as module
from edge.kubernetes.api import ClusterAccess
from edge.kubernetes.discovery import SliceDiscovery
from tests.consul.scenes import until
from tests.peers.kubernetes_api import endpoint, slice_of
from tests.peers.kubernetes_double import ApiDouble, Asked, listing, refusal, running_double, versioned

Places = tuple[tuple[str, int], ...]
ONE, TWO = (("10.0.0.1", 1),), (("10.0.0.2", 1),)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("kubernetes", reason="the official client is not installed")
    monkeypatch.setattr(module, "BACKOFF_INITIAL_S", 0.02)
    monkeypatch.setattr(module, "BACKOFF_MAX_S", 0.1)
    monkeypatch.setattr(module, "PAUSE_S", 0.01)


def piece(address: str, version: int = 1) -> dict[str, Any]:
    return versioned(slice_of("a", "shop", "n", [endpoint(address)], port=1), version)


@asynccontextmanager
async def following(
    answer: Callable[[Asked], tuple[int, Any]], folder: Path
) -> AsyncIterator[tuple[SliceDiscovery, list[Places], ApiDouble]]:
    with running_double(answer) as double:
        found, heard = (
            SliceDiscovery(ClusterAccess(str(double.kubeconfig(folder))), "n", "shop", PodQuery()),
            list[Places](),
        )
        found.start(heard.append)
        try:
            yield found, heard, double
        finally:
            await found.stop()


async def test_list_then_watch_from_its_version(tmp_path: Path) -> None:
    """A watch that ends is opened from the last event's version; nothing is listed twice."""
    go, never = threading.Event(), threading.Event()

    def answer(asked: Asked) -> tuple[int, Any]:
        if not asked.watches:
            return 200, listing(5, piece("10.0.0.1"))
        bookmark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "9"}}}
        change = {"type": "MODIFIED", "object": piece("10.0.0.2", 8)}
        return 200, [go, change, bookmark] if asked.query["resourceVersion"] == "5" else [never]

    async with following(answer, tmp_path) as (found, heard, double):
        await until(lambda: heard == [ONE], "the list")
        go.set()
        await until(lambda: double.watches == ["5", "9"], "the next watch")
        assert heard == [ONE, TWO]
        assert double.lists == 1
        assert found.state().alarm is None


@pytest.mark.parametrize("as_event", [True, False], ids=["event", "status"])
async def test_a_forgotten_version_is_listed_anew(as_event: bool, tmp_path: Path) -> None:
    """And raises no alarm; a slice deleted in between is gone, though no event says so."""
    never = threading.Event()
    lists = iter([listing(5, piece("10.0.0.1")), listing(50)])
    gone = refusal(410, "too old resource version")

    def answer(asked: Asked) -> tuple[int, Any]:
        if not asked.watches:
            return 200, next(lists)
        if asked.query["resourceVersion"] == "50":
            return 200, [never]
        return (200, [{"type": "ERROR", "object": gone}]) if as_event else (410, gone)

    async with following(answer, tmp_path) as (found, heard, double):
        await until(lambda: double.watches == ["5", "50"], "the next watch")
        assert heard == [ONE, ()]
        assert (found.state().alarm, found.state().ready) == (None, True)


@pytest.mark.parametrize("broken", [(500, refusal(500)), (200, [b"<html>\n"]), (200, [{"type": "NEW", "object": {}}])])
async def test_a_broken_watch_keeps_the_set(broken: tuple[int, Any], tmp_path: Path) -> None:
    async with following(
        lambda asked: broken if asked.watches else (200, listing(5, piece("10.0.0.1"))), tmp_path
    ) as (found, heard, double):  # fmt: skip
        await until(lambda: found.state().alarm and len(double.watches) > 2, "the alarm")
        assert heard == [ONE]
        assert found.state().endpoints == ONE
        assert found.fault() is None, "a set is known: calls can be served"


async def test_a_server_that_never_grants_a_watch_is_asked_ever_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not list, watch, list, watch in a tight loop."""
    monkeypatch.setattr(module, "BACKOFF_INITIAL_S", 0.1)
    monkeypatch.setattr(module, "BACKOFF_MAX_S", 60.0)

    watched: list[float] = []

    def answer(asked: Asked) -> tuple[int, Any]:
        if not asked.watches:
            return 200, listing(5)
        watched.append(time.monotonic())
        return 410, refusal(410)

    async with following(answer, tmp_path):
        await until(lambda: len(watched) == 5, "five rounds")
    assert watched[4] - watched[3] > 0.6, "0.1 s, doubled three times, less a fifth"


async def test_stopping_a_blocked_watch(tmp_path: Path) -> None:
    """At once, and no thread is left."""
    never = threading.Event()
    async with following(
        lambda asked: (200, [never]) if asked.watches else (200, listing(5)), tmp_path
    ) as (found, heard, double):  # fmt: skip
        await until(lambda: double.watches, "the watch")
        began = time.monotonic()
        await found.stop()
        assert time.monotonic() - began < 20
        assert "kubernetes shop.n" not in [thread.name for thread in threading.enumerate()]
        assert heard == [()]


async def test_stopping_while_it_backs_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACKOFF_INITIAL_S", 60.0)
    async with following(lambda _: (403, refusal(403, "may not")), tmp_path) as (found, _, _):
        await until(lambda: found.state().alarm is WatchAlarm.DENIED, "the alarm")
        assert found.fault() == "waiting for Kubernetes: 403: may not"
        began = time.monotonic()
        await found.stop()
        assert time.monotonic() - began < 5


async def test_no_pod_has_the_port(tmp_path: Path) -> None:
    """The reason calls get says so."""
    with running_double(lambda asked: (200, []) if asked.watches else (200, listing(5, piece("10.0.0.1")))) as double:
        access = ClusterAccess(str(double.kubeconfig(tmp_path)))
        found = SliceDiscovery(access, "n", "shop", PodQuery("http"))
        found.start(lambda _: None)
        await until(lambda: found.state().ready, "the list")
        assert found.why_none() == "no pod of shop.n has the port asked for"
        await found.stop()
