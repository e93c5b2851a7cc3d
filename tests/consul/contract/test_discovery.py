"""A service's instances as edge sees them, from the real Consul and from the double."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from edge.consul.client import Consistency, ConsulClient
from edge.consul.discovery import ServiceWatch
from edge.consul.lookup import Lookup
from edge.core.consul_instances import Instance
from edge.core.consul_last_good import Alarm
from tests.consul.scenes import HASTY, Peer, agent_at, asked, revoke, token_with, until

Published = list[tuple[Instance, ...]]


@asynccontextmanager
async def watching(
    peer: Peer, lookup: Lookup, token: str | None = None
) -> AsyncIterator[tuple[ServiceWatch, Published]]:
    """A watch that runs, and what it has published."""
    published: Published = []
    async with ConsulClient(agent_at(peer.url, peer.management if token is None else token)) as client:
        watch = ServiceWatch(client, lookup, published.append, HASTY)
        task = asyncio.create_task(watch.run())
        try:
            yield watch, published
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def register(peer: Peer, name: str, port: int, **more: object) -> None:
    """An instance, `<name>-<port>`."""
    given = {"Name": name, "ID": f"{name}-{port}", "Address": "127.0.0.1", "Port": port, **more}
    status, text, _ = await asked(peer, "PUT", "/v1/agent/service/register", given)
    assert status == 200, text


async def remove(peer: Peer, name: str, *ports: int) -> None:
    """Instances."""
    for port in ports:
        await asked(peer, "PUT", f"/v1/agent/service/deregister/{name}-{port}")


async def write(peer: Peer, *entries: dict[str, object]) -> None:
    """Config entries."""
    for entry in entries:
        _, done, _ = await asked(peer, "PUT", "/v1/config", entry)
        assert done is True, done


def ports(watch: ServiceWatch) -> set[int]:
    """Of the instances now."""
    return {instance.port for instance in watch.state().instances}


async def test_instances_come_and_go(peer: Peer, unique: Callable[[str], str]) -> None:
    """Each change is published once; the last one's going is the truth."""
    name = unique("web")
    async with watching(peer, Lookup(service=name)) as (watch, published):
        await until(lambda: watch.state().ready, "the empty set is known")
        assert published == [()]
        await register(peer, name, 8001)
        await until(lambda: ports(watch) == {8001}, "the first instance")
        await register(peer, name, 8002, Weights={"Passing": 5, "Warning": 1})
        await until(lambda: ports(watch) == {8001, 8002}, "the second instance")
        assert {each.port: each.weight for each in watch.state().instances} == {8001: 1, 8002: 5}
        await remove(peer, name, 8001, 8002)
        await until(lambda: not ports(watch), "both are gone")
        assert watch.state().alarm is None
        assert len(published) == len({frozenset(each) for each in published}) + 1  # () came first and last


async def test_health_decides_who_takes_calls(peer: Peer, unique: Callable[[str], str]) -> None:
    """Critical: none; warning: with its own weight."""
    name = unique("web")
    check = {"CheckID": f"{name}-ttl", "Name": "t", "TTL": "60s"}
    async with watching(peer, Lookup(service=name)) as (watch, _):
        await register(peer, name, 8001, Checks=[check], Weights={"Passing": 10, "Warning": 2})
        await until(lambda: watch.state().critical == 1, "it begins critical")
        assert not ports(watch)
        for status, weight in (("passing", 10), ("warning", 2)):
            await asked(peer, "PUT", f"/v1/agent/check/update/{name}-ttl", {"Status": status})
            await until(lambda weight=weight: [each.weight for each in watch.state().instances] == [weight], status)  # type: ignore[misc]  # bound now
        await asked(peer, "PUT", f"/v1/agent/check/update/{name}-ttl", {"Status": "critical"})
        await until(lambda: not ports(watch), "critical")
    await remove(peer, name, 8001)


async def test_tags_select(peer: Peer, unique: Callable[[str], str]) -> None:
    """All that are asked for."""
    name = unique("web")
    await register(peer, name, 8001, Tags=["a"])
    await register(peer, name, 8002, Tags=["a", "b"])
    async with watching(peer, Lookup(service=name, tags=("a", "b"))) as (watch, _):
        await until(lambda: ports(watch) == {8002}, "the one with both")
    await remove(peer, name, 8001, 8002)


async def test_connect_gives_sidecars_with_their_services_identity(peer: Peer, unique: Callable[[str], str]) -> None:
    """And native instances; with the server name of the chain."""
    name = unique("web")
    await register(peer, name, 8001, Connect={"Native": True})
    await register(peer, name, 8002, Connect={"SidecarService": {"Port": 20001, "Checks": []}})
    await register(peer, name, 8003)
    async with watching(peer, Lookup(service=name, connect=True)) as (watch, _):
        # The sidecar's own TCP check fails here, there is no proxy; the real agent's first result takes a moment.
        await until(lambda: 8001 in ports(watch), "the native one")
        (native,) = [each for each in watch.state().instances if each.port == 8001]
        assert (native.identity.service, native.identity.datacenter, native.connect) == (name, "dc1", True)
        assert native.sni.startswith(f"{name}.default.dc1.internal.")
        assert 8003 not in ports(watch)
        assert watch.state().critical + len(ports(watch)) == 2
    await remove(peer, name, 8001, 8002, 8003)


async def test_subsets_and_splits_follow_the_chain(peer: Peer, unique: Callable[[str], str]) -> None:
    """Before a splitter all, after it each subset with its part; the chain's change needs no restart."""
    name = unique("web")
    for port, version in ((8001, "1"), (8002, "1"), (8003, "2"), (8004, "3")):
        await register(peer, name, port, Connect={"Native": True}, Meta={"v": version})
    async with watching(peer, Lookup(service=name, connect=True)) as (watch, _):
        await until(lambda: ports(watch) == {8001, 8002, 8003, 8004}, "the default chain")
        subsets = {"v1": {"Filter": 'Service.Meta.v == "1"'}, "v2": {"Filter": 'Service.Meta.v == "2"'}}
        await write(
            peer,
            {"Kind": "service-defaults", "Name": name, "Protocol": "grpc"},
            {"Kind": "service-resolver", "Name": name, "DefaultSubset": "v1", "Subsets": subsets},
        )
        await until(lambda: ports(watch) == {8001, 8002}, "the default subset")
        splits = [{"Weight": 90, "ServiceSubset": "v1"}, {"Weight": 10, "ServiceSubset": "v2"}]
        await write(peer, {"Kind": "service-splitter", "Name": name, "Splits": splits})
        await until(lambda: ports(watch) == {8001, 8002, 8003}, "the split")
        weights = {each.port: each.weight for each in watch.state().instances}
        assert weights == {8001: 4500, 8002: 4500, 8003: 1000}
    async with watching(peer, Lookup(service=name, connect=True, subset="v2")) as (watch, _):
        await until(lambda: ports(watch) == {8003}, "one subset by name")
    async with watching(peer, Lookup(service=name, connect=True, subset="v9")) as (watch, _):
        await until(lambda: watch.state().alarm is not None, "an unknown subset")
        assert "no subset 'v9'" in watch.state().reason
        assert not watch.state().ready
    for kind in ("service-splitter", "service-resolver", "service-defaults"):
        await asked(peer, "DELETE", f"/v1/config/{kind}/{name}")
    await remove(peer, name, 8001, 8002, 8003, 8004)


async def test_failover_of_the_chain(peer: Peer, unique: Callable[[str], str]) -> None:
    """The next target takes over when the first has no instance, and gives back."""
    web, spare = unique("web"), unique("spare")
    await register(peer, web, 8001, Connect={"Native": True})
    await register(peer, spare, 8009, Connect={"Native": True})
    await write(peer, {"Kind": "service-resolver", "Name": web, "Failover": {"*": {"Service": spare}}})
    async with watching(peer, Lookup(service=web, connect=True)) as (watch, published):
        await until(lambda: ports(watch) == {8001}, "the service itself")
        await remove(peer, web, 8001)
        await until(lambda: ports(watch) == {8009}, "the spare")
        assert watch.state().instances[0].identity.service == spare
        await register(peer, web, 8001, Connect={"Native": True})
        await until(lambda: ports(watch) == {8001}, "the service again")
        assert () not in published
    await asked(peer, "DELETE", f"/v1/config/service-resolver/{web}")
    await remove(peer, web, 8001)
    await remove(peer, spare, 8009)


@pytest.mark.parametrize("consistency", ["stale", "consistent"])
async def test_consistency_modes(peer: Peer, unique: Callable[[str], str], consistency: Consistency) -> None:
    """Each follows changes, through the chain too."""
    name = unique("web")
    published: Published = []
    await register(peer, name, 8001, Connect={"Native": True})
    async with ConsulClient(agent_at(peer.url, consistency=consistency)) as client:
        watch = ServiceWatch(client, Lookup(service=name, connect=True), published.append, HASTY)
        task = asyncio.create_task(watch.run())
        await until(lambda: ports(watch) == {8001}, "the first")
        await register(peer, name, 8002, Connect={"Native": True})
        await until(lambda: ports(watch) == {8001, 8002}, "the second")
        assert watch.state().alarm is None
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await remove(peer, name, 8001, 8002)


async def test_prepared_query(peer: Peer, unique: Callable[[str], str]) -> None:
    """Its instances, asked for at intervals."""
    name = unique("web")
    await register(peer, name, 8001)
    await asked(peer, "POST", "/v1/query", {"Name": f"q-{name}", "Service": {"Service": name}})
    async with watching(peer, Lookup(prepared=f"q-{name}")) as (watch, _):
        await until(lambda: ports(watch) == {8001}, "the query's instance")
    async with watching(peer, Lookup(prepared=f"none-{name}")) as (watch, _):
        await until(lambda: watch.state().alarm is not None, "no such query")
        assert "Query not found" in watch.state().reason
    await remove(peer, name, 8001)


async def test_hidden_instances_are_not_gone(guarded: Peer, unique: Callable[[str], str]) -> None:
    """A token that may not see the service gives no empty set, but none at all, and an alarm."""
    name = unique("web")
    await register(guarded, name, 8001)
    blind, _ = await token_with(guarded, {"service": {"other": {"policy": "read"}}})
    for token, alarm in (
        (blind, Alarm.FILTERED),
        ("", Alarm.FILTERED),
        ("11111111-2222-3333-4444-555555555555", Alarm.DENIED),
    ):
        async with watching(guarded, Lookup(service=name), token) as (watch, published):
            await until(lambda watch=watch: watch.state().alarm is not None, "an alarm")  # type: ignore[misc]  # bound now
            assert watch.state().alarm is alarm
            assert not watch.state().ready
            assert published == []
    await remove(guarded, name, 8001)


async def test_revoked_token_takes_nothing_away(guarded: Peer, unique: Callable[[str], str]) -> None:
    """The last good set is kept and the alarm stands, whether Consul denies or hides."""
    name = unique("web")
    await register(guarded, name, 8001)
    rules = {"service_prefix": {"": {"policy": "read"}}, "node_prefix": {"": {"policy": "read"}}}
    token, accessor = await token_with(guarded, rules)
    async with watching(guarded, Lookup(service=name), token) as (watch, published):
        await until(lambda: ports(watch) == {8001}, "the instance")
        await revoke(guarded, accessor)
        await register(guarded, name, 8002)  # wakes the query, where the revocation does not
        await until(lambda: watch.state().alarm is not None, "an alarm", 30.0)
        assert watch.state().alarm in {Alarm.DENIED, Alarm.FILTERED}
        await asyncio.sleep(0.5)
        assert {8001} <= ports(watch)
        assert () not in published
    await remove(guarded, name, 8001, 8002)


async def test_scaling_to_nothing_under_access_rules_is_the_truth(guarded: Peer, unique: Callable[[str], str]) -> None:
    """With a token that may see: an empty set is published, without an alarm."""
    name = unique("web")
    rules = {"service_prefix": {"": {"policy": "read"}}, "node_prefix": {"": {"policy": "read"}}}
    token, _ = await token_with(guarded, rules)
    await register(guarded, name, 8001)
    async with watching(guarded, Lookup(service=name), token) as (watch, published):
        await until(lambda: ports(watch) == {8001}, "the instance")
        await remove(guarded, name, 8001)
        await until(lambda: watch.state().ready and not ports(watch), "nothing")
        assert watch.state().alarm is None
        assert published[-1] == ()
