"""`edge doctor` on a real agent: what the token may not do is told with the policy rule that is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.cli.consul_findings import _looks
from edge.cli.findings import State
from edge.config.models import Config
from tests.consul.scenes import asked, token_with
from tests.peers.consul_agent import ConsulAgent

Names = Callable[[str], str]

pytestmark = pytest.mark.timeout(120)


async def looked(
    agent: ConsulAgent, us: str, service: str, folder: Path, token: str = ""
) -> dict[str, tuple[State, str]]:
    """Each finding by its subject."""
    (folder / "token").write_text(token)
    given = {"token": f"file:{folder / 'token'}"} if token else {}
    config = Config.model_validate(
        {
            "listeners": [{"bind": "127.0.0.1:0"}],
            "admin": None,
            "consul": {"address": agent.url, **given, "service": us, "register": {"port": 1}},
            "apis": [{"name": "a", "reflection": True, "upstream": "u"}],
            "upstreams": {"u": {"consul": {"service": service}}},
        }
    )
    return {each.subject: (each.state, each.text) for each in await _looks(config)}


async def test_a_token_that_may_all_the_file_wants(guarded_agent: ConsulAgent, unique: Names, tmp_path: Path) -> None:
    """Certificate, registration and instances; nothing is left registered."""
    us, service = unique("edge"), unique("shop")
    body = {"Name": service, "Port": 1, "Address": "127.0.0.1", "Connect": {"Native": True}}
    status, told, _ = await asked(guarded_agent, "PUT", "/v1/agent/service/register", body)
    assert status == 200, told
    rules: dict[str, Any] = {
        "service": {us: {"policy": "write"}, service: {"policy": "read"}},
        "node_prefix": {"": {"policy": "read"}},
    }
    token, _ = await token_with(guarded_agent, rules)
    for _ in range(50):
        found = await looked(guarded_agent, us, service, tmp_path, token)
        if found["upstreams.u"][0] is State.OK:
            break
        await asyncio.sleep(0.1)  # the agent's own catalog follows a moment later
    assert {state for state, _ in found.values()} == {State.OK}, found
    assert set(found) == {"consul", "consul certificate", "consul registration", "upstreams.u"}
    _, services, _ = await asked(guarded_agent, "GET", "/v1/agent/services")
    assert not any(name.startswith(us) for name in services)


async def test_what_a_token_may_not(guarded_agent: ConsulAgent, unique: Names, tmp_path: Path) -> None:
    """Each wish that is denied, with its rule; an empty list that access rules made is denied too."""
    us, service = unique("edge"), unique("shop")
    body = {"Name": service, "Port": 1, "Address": "127.0.0.1", "Connect": {"Native": True}}
    await asked(guarded_agent, "PUT", "/v1/agent/service/register", body)
    token, _ = await token_with(guarded_agent, {"key": {"none": {"policy": "read"}}})
    found = await looked(guarded_agent, us, service, tmp_path, token)
    assert found["consul"][0] is State.OK
    for subject, rule in (
        ("consul certificate", f'service "{us}" {{ policy = "write" }}'),
        ("consul registration", f'service "{us}" {{ policy = "write" }}'),
        ("upstreams.u", f'service "{service}" {{ policy = "read" }}'),
    ):
        state, text = found[subject]
        assert state is State.FAILED, found
        assert rule in text, text


async def test_instances_that_access_rules_hide(guarded_agent: ConsulAgent, unique: Names, tmp_path: Path) -> None:
    """The service may be read, its nodes not: Consul says 200 and nothing, the doctor says which rule is missing."""
    us, service = unique("edge"), unique("shop")
    body = {"Name": service, "Port": 1, "Address": "127.0.0.1", "Connect": {"Native": True}}
    await asked(guarded_agent, "PUT", "/v1/agent/service/register", body)
    token, _ = await token_with(guarded_agent, {"service": {service: {"policy": "read"}}})
    for _ in range(50):
        state, text = (await looked(guarded_agent, us, service, tmp_path, token))["upstreams.u"]
        if state is State.FAILED:
            break
        await asyncio.sleep(0.1)  # the agent's own catalog follows a moment later
    assert state is State.FAILED
    assert 'node_prefix "" { policy = "read" }' in text, text


async def test_a_token_consul_does_not_know(guarded_agent: ConsulAgent, unique: Names, tmp_path: Path) -> None:
    """Said as such, not as a missing permission."""
    found = await looked(
        guarded_agent, unique("edge"), unique("shop"), tmp_path, "11111111-2222-3333-4444-555555555555"
    )
    assert "not known to Consul" in found["consul certificate"][1], found


async def test_without_access_rules(open_agent: ConsulAgent, unique: Names, tmp_path: Path) -> None:
    """Everything is allowed; a service nobody registered is a warning."""
    found = await looked(open_agent, unique("edge"), unique("shop"), tmp_path)
    assert found.pop("upstreams.u") == (State.WARNING, "Consul knows no instance")
    assert {state for state, _ in found.values()} == {State.OK}, found
