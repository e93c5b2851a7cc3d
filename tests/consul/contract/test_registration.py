"""A registration made, left alone, put right, kept alive and withdrawn, with the real Consul and with the double."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from edge.consul.answer import ConsulError, Kind
from edge.consul.registration import Outcome, Registration, held_service
from edge.core.consul_definition import Check, Definition
from tests.consul.scenes import Peer, asked, client_of, healthy_service, token_with, until

TTL = Check("ttl", interval_s=60.0)


def web(name: str, **more: Any) -> Definition:
    """A definition."""
    return Definition(
        name, f"{name}-1", 50051, **{"address": "127.0.0.1", "tags": ("v1", "a"), "meta": (("team", "x"),), **more}
    )


async def health(peer: Peer, name: str) -> list[dict[str, Any]]:
    """What the catalog says."""
    _, body, _ = await asked(peer, "GET", f"/v1/health/service/{name}")
    return list(body)


async def eventually(
    peer: Peer, name: str, true: Callable[[list[dict[str, Any]]], bool], what: str
) -> list[dict[str, Any]]:
    """The catalog once something is so: agents tell their servers a moment later."""
    for _ in range(500):
        found = await health(peer, name)
        if true(found):
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(f"{what}: {await health(peer, name)}")


def statuses(entries: list[dict[str, Any]]) -> list[str]:
    """Of the service's own checks."""
    return [check["Status"] for entry in entries for check in entry["Checks"] if check["CheckID"] != "serfHealth"]


async def test_registered_once_and_then_left_alone(peer: Peer, unique: Callable[[str], str]) -> None:
    """The second time finds it as wanted: its checks keep their state and its index does not move."""
    name = unique("web")
    async with client_of(peer) as client:
        registration = Registration(client, web(name, checks=(TTL,), weight=3))
        assert await registration.ensure() is Outcome.REGISTERED
        await registration.beat()
        (before,) = await eventually(peer, name, lambda found: statuses(found) == ["passing"], "passing")
        assert (before["Service"]["Weights"]["Passing"], sorted(before["Service"]["Tags"])) == (3, ["a", "v1"])
        assert await Registration(client, web(name, checks=(TTL,), weight=3)).ensure() is Outcome.UNCHANGED
        await asyncio.sleep(0.2)
        assert await health(peer, name) == [before]
        assert await registration.withdraw()
        assert not await registration.withdraw()
        assert await registration.ensure() is Outcome.REGISTERED
        await registration.withdraw()


@pytest.mark.parametrize(
    "changed",
    [
        {"tags": ("v2",)}, {"meta": (("team", "y"),)}, {"weight": 9}, {"checks": (replace(TTL, interval_s=61.0),)},
        {"checks": ()}, {"connect": "native"}, {"address": "127.0.0.2"},
    ],
)  # fmt: skip
async def test_what_changed_is_told_again(peer: Peer, unique: Callable[[str], str], changed: dict[str, Any]) -> None:
    """Once; the checks are those of the new definition alone."""
    name = unique("web")
    async with client_of(peer) as client:
        await Registration(client, web(name, checks=(TTL,))).ensure()
        wanted = web(name, **{"checks": (TTL,), **changed})
        assert await Registration(client, wanted).ensure() is Outcome.UPDATED
        assert await Registration(client, wanted).ensure() is Outcome.UNCHANGED
        _, checks, _ = await asked(peer, "GET", "/v1/agent/checks")
        assert {key for key, check in checks.items() if check["ServiceID"] == f"{name}-1"} == set(wanted.check_ids())
        await Registration(client, wanted).withdraw()


async def test_what_others_changed_is_put_right(peer: Peer, unique: Callable[[str], str]) -> None:
    """Somebody registered over it, took a check away, or the whole service."""
    name = unique("web")
    async with client_of(peer) as client:
        registration = Registration(client, web(name, checks=(TTL,), connect="sidecar"))
        await registration.ensure()
        await asked(peer, "PUT", "/v1/agent/service/register", {"Name": name, "ID": f"{name}-1", "Port": 1})
        assert await registration.ensure() is Outcome.UPDATED
        await asked(peer, "PUT", f"/v1/agent/service/deregister/{name}-1-sidecar-proxy")
        assert await registration.ensure() is Outcome.UPDATED
        await asked(peer, "PUT", f"/v1/agent/service/deregister/{name}-1")
        assert await registration.ensure() is Outcome.REGISTERED
        await registration.withdraw()
        status, _, _ = await asked(peer, "GET", f"/v1/agent/service/{name}-1-sidecar-proxy")
        assert status == 404


async def test_grpc_http_and_tcp_checks_turn_passing(peer: Peer, unique: Callable[[str], str]) -> None:
    """Against a real gRPC service with the health protocol, its port, and Consul's own HTTP."""
    name = unique("web")
    with healthy_service() as port:
        place = f"127.0.0.1:{port}"
        checks = (
            Check("grpc", place, interval_s=0.5, timeout_s=2.0), Check("tcp", place, interval_s=0.5),
            Check("http", f"{peer.url}/v1/status/leader", interval_s=0.5),
        )  # fmt: skip
        async with client_of(peer) as client:
            registration = Registration(client, Definition(name, name, port, "127.0.0.1", checks=checks))
            await registration.ensure()
            await eventually(peer, name, lambda found: statuses(found) == ["passing"] * 3, "all passing")
            await registration.withdraw()


async def test_ttl_is_kept_alive_and_runs_out_without(peer: Peer, unique: Callable[[str], str]) -> None:
    """For several times its length while kept; critical soon after the keeper stopped."""
    name = unique("web")
    async with client_of(peer) as client:
        registration = Registration(client, web(name, checks=(Check("ttl", interval_s=1.0),)))
        keeper = asyncio.create_task(registration.keep())
        await eventually(peer, name, lambda found: statuses(found) == ["passing"], "passing")
        for _ in range(30):
            await asyncio.sleep(0.1)
            assert statuses(await health(peer, name)) == ["passing"]
        assert registration.state().registered
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        await eventually(peer, name, lambda found: statuses(found) == ["critical"], "the TTL ran out")
        await registration.withdraw()


async def test_keeper_registers_again_what_the_agent_lost(peer: Peer, unique: Callable[[str], str]) -> None:
    """Within its next round."""
    name = unique("web")
    async with client_of(peer) as client:
        registration = Registration(client, web(name, checks=(TTL,)), upkeep_s=0.2)
        keeper = asyncio.create_task(registration.keep())
        await eventually(peer, name, bool, "registered")
        await asked(peer, "PUT", f"/v1/agent/service/deregister/{name}-1")
        await eventually(peer, name, lambda found: statuses(found) == ["passing"], "registered again")
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        await registration.withdraw()


async def test_denied_registration_says_which_permission(guarded: Peer, unique: Callable[[str], str]) -> None:
    """And the rule that grants it; with it, it goes through."""
    name = unique("web")
    reading, _ = await token_with(guarded, {"service_prefix": {"": {"policy": "read"}}})
    async with client_of(guarded, reading) as client:
        with pytest.raises(ConsulError) as caught:
            await Registration(client, web(name)).ensure()
        assert caught.value.kind is Kind.DENIED
        assert f'service:write on "{name}"; a policy with service "{name}" {{ policy = "write" }} grants it' in str(
            caught.value
        )
        keeping = Registration(client, web(name), upkeep_s=0.1)
        keeper = asyncio.create_task(keeping.keep())
        await until(lambda: "service:write" in keeping.state().problem, "the problem is shown")
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
    writing, _ = await token_with(guarded, {"service": {name: {"policy": "write"}}})
    async with client_of(guarded, writing) as client:
        registration = Registration(client, web(name, checks=(TTL,)))
        assert await registration.ensure() is Outcome.REGISTERED
        assert await registration.ensure() is Outcome.UNCHANGED
        await registration.withdraw()


async def test_sidecar_takes_a_permission_of_its_own(guarded: Peer, unique: Callable[[str], str]) -> None:
    """Under its own name; nothing is registered without it. A service identity has both."""
    name = unique("web")
    writing, _ = await token_with(guarded, {"service": {name: {"policy": "write"}}})
    async with client_of(guarded, writing) as client:
        with pytest.raises(ConsulError, match=f'service:write on "{name}-sidecar-proxy"'):
            await Registration(client, web(name, connect="sidecar")).ensure()
        assert await held_service(client, f"{name}-1", needs="") is None
    _, token, _ = await asked(guarded, "PUT", "/v1/acl/token", {"ServiceIdentities": [{"ServiceName": name}]})
    async with client_of(guarded, token["SecretID"]) as client:
        registration = Registration(client, web(name, connect="sidecar"))
        assert await registration.ensure() is Outcome.REGISTERED
        assert await registration.ensure() is Outcome.UNCHANGED
        assert await registration.withdraw()


async def test_namespace_is_refused_by_the_community_edition(peer: Peer, unique: Callable[[str], str]) -> None:
    """In Consul's words."""
    async with client_of(peer) as client:
        with pytest.raises(ConsulError, match="Invalid query parameter"):
            await Registration(client, web(unique("web"), namespace="team")).ensure()
