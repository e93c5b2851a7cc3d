"""Upkeep of a registration when Consul does not play along. The good days are in tests/consul/contract."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from edge.consul.answer import ConsulError, Kind
from edge.consul.client import AgentPlace, ConsulClient
from edge.consul.registration import Outcome, Registration, deregister, held_service
from edge.consul.transport import Place
from edge.core.consul_definition import Check, Definition
from tests.consul.scenes import asked, client_of, until
from tests.peers.consul_double import ConsulDouble, running_double

WEB = Definition("web", "web-1", 80, checks=(Check("ttl", interval_s=30.0),))


def status(double: ConsulDouble) -> str:
    """Of the TTL check, empty when there is none."""
    check = double.catalog.checks.get("service:web-1:ttl-1")
    return check.status if check else ""


async def test_outage_is_told_once_and_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    """The agent is gone, comes back without a memory, and has the registration again within a round."""
    monkeypatch.setattr("edge.consul.registration._BACKOFF_S", 0.02)
    async with running_double() as double, ConsulClient(AgentPlace(Place(double.url))) as client:
        registration = Registration(client, WEB, upkeep_s=0.05)
        with capture_logs() as logs:
            keeper = asyncio.create_task(registration.keep())
            await until(lambda: status(double) == "passing", "registered")
            await double.stop()
            await until(lambda: registration.state().problem, "the problem")
            assert not registration.state().registered
            await asyncio.sleep(0.2)
            await double.lose_memory()
            await until(lambda: status(double) == "passing", "registered again")
            await until(lambda: registration.state().registered, "and known")
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
        assert [each["event"] for each in logs] == [
            "registered in Consul", "the registration in Consul cannot be kept up", "registered in Consul",
            "the registration in Consul is kept up again",
        ]  # fmt: skip


async def test_withdrawn_while_consul_is_gone_says_so() -> None:
    """A drain must not believe that it is out of the catalog."""
    async with running_double() as double, ConsulClient(AgentPlace(Place(double.url))) as client:
        registration = Registration(client, WEB)
        await registration.ensure()
        await double.stop()
        with pytest.raises(ConsulError) as caught:
            await registration.withdraw()
        assert caught.value.kind is Kind.UNREACHABLE
        assert not registration.state().registered


async def test_beat_comes_thrice_within_the_shortest_ttl() -> None:
    """Two may be lost."""
    async with ConsulClient() as client:
        checks = (Check("ttl", interval_s=9.0), Check("ttl", interval_s=6.0))
        assert Registration(client, replace(WEB, checks=checks))._beat_s == 2.0
        assert Registration(client, WEB)._beat_s == 10.0
        assert Registration(client, replace(WEB, checks=()), upkeep_s=7.0)._beat_s == 7.0


async def test_beat_reports_what_it_is_told() -> None:
    """Health, and a word about it."""
    async with running_double() as double, ConsulClient(AgentPlace(Place(double.url))) as client:
        registration = Registration(client, WEB)
        await registration.ensure()
        await registration.beat("warning", "slow")
        check = double.catalog.checks["service:web-1:ttl-1"]
        assert (check.status, check.output) == ("warning", "slow")
        double.catalog.deregister("web-1")
        with pytest.raises(ConsulError) as caught:
            await registration.beat()
        assert caught.value.kind is Kind.NOT_FOUND


async def test_sidecar_alone_was_removed() -> None:
    """It is registered again with its service; a plain service has none to miss."""
    async with running_double() as double, ConsulClient(AgentPlace(Place(double.url))) as client:
        registration = Registration(client, replace(WEB, connect="sidecar"))
        await registration.ensure()
        double.catalog.deregister("web-1-sidecar-proxy")
        assert await registration.ensure() is Outcome.UPDATED
        assert "web-1-sidecar-proxy" in double.catalog.services


async def test_what_an_agent_holds() -> None:
    """By ID; None when it knows none."""
    async with running_double() as double, ConsulClient(AgentPlace(Place(double.url))) as client:
        assert await held_service(client, "web-1", needs="x") is None
        await Registration(client, WEB).ensure()
        held = await held_service(client, "web-1", needs="x")
        assert held is not None
        assert held["Service"] == "web"
        assert await deregister(client, "web-1")
        assert not await deregister(client, "web-1")


async def test_leaving_is_bounded_and_never_raises() -> None:
    """Gone when the agent answers; an agent that is gone costs no more than the time given, and the log says so."""
    async with running_double() as double, client_of(double) as client:
        registration = Registration(client, Definition("web", "web-1", 8001, "127.0.0.1"))
        await registration.ensure()
        await registration.leave()
        found, _, _ = await asked(double, "GET", "/v1/agent/service/web-1")
        assert found == 404
        await double.stop()
        with capture_logs() as logs:
            await registration.leave()
        assert [log["event"] for log in logs] == ["the registration in Consul could not be withdrawn"]
