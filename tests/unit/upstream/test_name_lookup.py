"""Addresses behind names: new ones are heard, a failure takes none away. Through a pool, and with gRPC: tests/sidecar/test_headless.py."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from edge.upstream.name_lookup import NameLookup, Places
from tests.consul.scenes import until
from tests.sidecar.resolver import Resolver


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    return Resolver(monkeypatch)


@asynccontextmanager
async def looking(*names: tuple[str, int]) -> AsyncIterator[tuple[NameLookup, list[Places]]]:
    lookup, heard = NameLookup(names, 0.02), list[Places]()
    lookup.start(heard.append)
    try:
        yield lookup, heard
    finally:
        await lookup.stop()


async def test_every_address_once_and_each_change_once(resolver: Resolver) -> None:
    resolver.zone["h.shop"] = ["127.0.0.2", "127.0.0.1", "127.0.0.2", "::1"]
    async with looking(("h.shop", 5)) as (lookup, heard):
        await until(lambda: heard, "the first look")
        assert heard == [(("127.0.0.1", 5), ("127.0.0.2", 5), ("::1", 5))]
        resolver.zone["h.shop"] = ["127.0.0.2", "127.0.0.1", "::1"]
        before = resolver.asked
        await until(lambda: resolver.asked > before + 2, "further looks")
        assert len(heard) == 1, "the same in another order is the same"
        resolver.zone["h.shop"] = ["127.0.0.3"]
        await until(lambda: heard[-1] == (("127.0.0.3", 5),), "the change")
        state = lookup.state()
        assert (state.names, state.ready, state.reason) == (("h.shop:5",), True, "")
        assert state.age_s is not None


@pytest.mark.parametrize(
    "fault", [socket.gaierror(socket.EAI_AGAIN, "try again"), socket.gaierror(socket.EAI_NONAME, "unknown")]
)
async def test_a_failure_keeps_what_was_found(fault: OSError, resolver: Resolver) -> None:
    """Whatever the resolver says: it does not tell a name server that is ill from a name without addresses."""
    resolver.zone["h.shop"] = ["127.0.0.1"]
    async with looking(("h.shop", 5)) as (lookup, heard):
        await until(lambda: heard, "the first look")
        resolver.zone["h.shop"] = fault
        await until(lambda: lookup.state().reason, "the failure")
        assert heard == [(("127.0.0.1", 5),)]
        assert lookup.fault() is None, "addresses are known"
        resolver.zone["h.shop"] = ["127.0.0.1"]
        await until(lambda: not lookup.state().reason, "the recovery")


async def test_nothing_was_ever_found(resolver: Resolver) -> None:
    resolver.zone["h.shop"] = socket.gaierror(socket.EAI_NONAME, "unknown")
    async with looking(("h.shop", 5)) as (lookup, heard):
        await until(lambda: lookup.state().reason, "the failure")
        assert lookup.fault() == "waiting for names: h.shop: unknown"
        assert lookup.why_none() == "h.shop: unknown"
        assert heard == []


async def test_one_name_of_two_fails(resolver: Resolver) -> None:
    """The other's addresses count all the same."""
    resolver.zone |= {"a.shop": ["127.0.0.1"], "b.shop": socket.gaierror(socket.EAI_AGAIN, "try again")}
    async with looking(("a.shop", 5), ("b.shop", 6)) as (lookup, heard):
        await until(lambda: heard, "the first look")
        assert heard == [(("127.0.0.1", 5),)]
        assert lookup.state().reason == "b.shop: try again"


async def test_a_name_that_is_none(resolver: Resolver) -> None:
    """No crash of the loop that looks."""
    name = "a" * 64 + ".shop"
    async with looking((name, 5)) as (lookup, _):
        await until(lambda: lookup.state().reason, "the failure")
        assert name in (lookup.fault() or "")
        await asyncio.sleep(0.05)
