"""
The gateway is called from the mesh: a real Consul's certificates and intentions decide who may call what.

Callers are Python's TLS with a leaf of the agent's, and a real Envoy as a caller's sidecar. Each against the double and the real agent.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from edge.app.mesh_inbound import MeshInbound
from edge.ingress.visits import Ending
from tests.consul.callers import called, client, context_of, define
from tests.consul.scenes import HASTY, Peer, asked, token_with, until
from tests.consul.sidecars import intend
from tests.consul.test_gateway import SHELF, ready
from tests.gateway import RunningGateway, running
from tests.peers.consul_double import ConsulDouble, running_double
from tests.upstreams.recorder import Recorder

Names = Callable[[str], str]

pytestmark = pytest.mark.timeout(120)


@asynccontextmanager
async def serving(folder: Path, peer: Peer, us: str, **more: Any) -> AsyncIterator[tuple[RunningGateway, Recorder]]:
    """The gateway with a listener of the mesh, ready to be called."""
    async with Recorder() as upstream, running(folder, called(folder, peer, us, upstream.port, **more)) as gateway:
        await ready_within(gateway)
        yield gateway, upstream


async def ready_within(gateway: RunningGateway) -> None:
    for _ in range(500):
        if not (reasons := await ready(gateway)):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(reasons)


async def page(gateway: RunningGateway) -> dict[str, Any]:
    async with httpx.AsyncClient(trust_env=False) as other:
        return dict((await other.get(f"{gateway.admin_url}/consul")).json()["intentions"])


async def test_allowed_denied_allowed(tmp_path: Path, peer: Peer, unique: Names) -> None:
    """200; 403 within 2 s of the denial, with the intention in the log; 200 again. The service is told who called."""
    us, web = unique("edge"), unique("web")
    await intend(peer, web, us, "allow")
    async with serving(tmp_path, peer, us) as (gateway, upstream):
        context = await context_of(peer, web)
        async with client(gateway, context) as caller:
            assert (
                await caller.get(SHELF, headers={"x-forwarded-client-cert": "URI=spiffe://evil"})
            ).status_code == 200
            told = dict(upstream.calls[0].metadata)["x-forwarded-client-cert"]
            assert f"/svc/{web}" in told
            assert "evil" not in told
            line = await gateway.logged('"status":200')
            assert line["caller"].endswith(f"/dc/dc1/svc/{web}")
            assert line["peer"] == "127.0.0.1"
            await intend(peer, web, us, "deny")
            await becomes(caller, 403)
            answer = await caller.get(SHELF)
            assert answer.json()["code"] == 7
            assert answer.json()["details"][0]["reason"] == "INTENTION_DENIED"
            await intend(peer, web, us, "allow")
            await becomes(caller, 200)
    denied = [line for line in (tmp_path / "access.log").read_text().splitlines() if "INTENTION_DENIED" in line]
    assert json.loads(denied[0])["detail"] == f"the intention {web} => {us} denies it"


async def becomes(caller: httpx.AsyncClient, status: int, path: str = SHELF, within_s: float = 10.0) -> float:
    """Ask until the answer is this; how long that took. A connection that was told to end may end under a request."""
    began = time.monotonic()
    while True:
        try:
            if (await caller.get(path)).status_code == status:
                return time.monotonic() - began
        except httpx.TransportError:
            pass
        assert time.monotonic() - began < within_s, f"not {status} within {within_s} s"
        await asyncio.sleep(0.02)


async def test_permissions_let_one_path_through(tmp_path: Path, peer: Peer, unique: Names) -> None:
    """Only what a permission names: in REST and as gRPC's path, with that method; an escaped spelling of a denied path leads nowhere."""
    us, web, admin = unique("edge"), unique("web"), unique("admin")
    shelf = {"PathPrefix": "/v1/shelves/", "Methods": ["GET"]}
    await define(
        peer,
        us,
        [
            {"Name": web, "Permissions": [{"Action": "allow", "HTTP": shelf}]},
            {
                "Name": admin,
                "Permissions": [
                    {"Action": "deny", "HTTP": {"PathExact": "/v1/shelves/2"}},
                    {"Action": "allow", "HTTP": {"PathPrefix": "/"}},
                ],
            },
            {"Name": "*", "Action": "deny"},
        ],
    )
    async with serving(tmp_path, peer, us) as (gateway, _):
        async with client(gateway, await context_of(peer, web)) as caller:
            assert (await caller.get(SHELF)).status_code == 200
            assert (await caller.delete(SHELF)).status_code == (200 if await defaults_to_allow(peer) else 403)
            assert (await caller.get("/nowhere")).status_code == (404 if await defaults_to_allow(peer) else 403)
        async with client(gateway, await context_of(peer, admin)) as caller:
            for path, status in (
                (SHELF, 200),
                ("/v1/shelves/2", 403),
                ("/v1/shelves/%32", 403),
                ("/v1/%73helves/2", 403),
            ):
                assert (await caller.get(path)).status_code == status, path
            assert (await caller.get("/v1/shelves/2?view=FULL")).status_code == 403
        async with client(gateway, await context_of(peer, unique("other"))) as caller:
            assert (await caller.get(SHELF)).status_code == 403


async def defaults_to_allow(peer: Peer) -> bool:
    _, verdict, _ = await asked(peer, "GET", "/v1/connect/intentions/check?source=nobody-x&destination=nobody-y")
    return bool(verdict["Allowed"])


@pytest.mark.parametrize(
    ("ours", "everyones", "expected"),
    [
        ([("web", "deny"), ("*", "allow")], [], 403),
        ([("web", "allow"), ("*", "deny")], [], 200),
        ([("*", "allow")], [("web", "deny")], 200),
        ([("*", "deny")], [("web", "allow")], 403),
        ([], [("web", "deny"), ("*", "allow")], 403),
        ([], [("*", "deny")], 403),
        ([("other", "deny")], [("*", "allow")], 200),
    ],
)
async def test_the_most_exact_intention_counts(
    tmp_path: Path, unique: Names, open_agent: Peer, ours: Any, everyones: Any, expected: int
) -> None:
    """Our own before everyone's (destination `*`), an exact source before `*`; the real agent's own check says the same."""
    us, web = unique("edge"), unique("web")

    def sources(given: Any) -> list[dict[str, Any]]:
        return [{"Name": name if name == "*" else unique(name), "Action": action} for name, action in given]

    if ours:
        await define(open_agent, us, sources(ours))
    if everyones:
        await define(open_agent, "*", sources(everyones))
    try:
        path = f"/v1/connect/intentions/check?source={web}&destination={us}"
        _, verdict, _ = await asked(open_agent, "GET", path)
        assert verdict["Allowed"] is (expected == 200)
        async with (
            serving(tmp_path, open_agent, us) as (gateway, _),
            client(gateway, await context_of(open_agent, web)) as caller,
        ):
            assert (await caller.get(SHELF)).status_code == expected
    finally:
        await asked(open_agent, "DELETE", "/v1/config/service-intentions/*")


async def test_without_an_intention_the_default_decides(tmp_path: Path, peer: Peer, unique: Names) -> None:
    """Without access rules all may call; the admin page says so."""
    async with serving(tmp_path, peer, unique("edge")) as (gateway, _):
        async with client(gateway, await context_of(peer, unique("web"))) as caller:
            assert (await caller.get(SHELF)).status_code == 200
        told = await page(gateway)
        assert (told["known"], told["default"], told["intentions"]) == (True, "allow", [])
        assert told["requests"] == {"allowed": 1, "denied": 0, "unknown": 0}


async def test_with_access_rules_the_default_is_to_deny(tmp_path: Path, guarded: Peer, unique: Names) -> None:
    """Nobody may call whom no intention names; metrics count it."""
    us = unique("edge")
    token = tmp_path / "token"
    token.write_text(guarded.management)
    async with serving(tmp_path, guarded, us, consul={"token": f"file:{token}"}) as (gateway, upstream):
        async with client(gateway, await context_of(guarded, unique("web"))) as caller:
            answer = await caller.get(SHELF)
            assert (answer.status_code, upstream.calls) == (403, [])
            assert answer.json()["message"] == "the mesh's intentions do not allow this call"
        assert (await page(gateway))["default"] == "deny"
        async with httpx.AsyncClient(trust_env=False) as other:
            metrics = (await other.get(f"{gateway.admin_url}/metrics")).text
        assert 'edge_intention_decisions_total{verdict="denied"} 1.0' in metrics
        assert f'edge_intentions_default_allow{{service="{us}"}} 0.0' in metrics
    assert "the default is to deny" in (tmp_path / "access.log").read_text()


async def test_a_connection_has_an_age(tmp_path: Path, peer: Peer, unique: Names) -> None:
    """Past it, the next answer says that it was the last (HTTP/1.1), and the next call comes by a new connection; none fails."""
    us, web = unique("edge"), unique("web")
    await intend(peer, web, us, "allow")
    async with serving(tmp_path, peer, us, mesh={"max_connection_age": "300ms"}) as (gateway, _):
        inbound = inbound_of(gateway)
        async with client(gateway, await context_of(peer, web)) as caller:
            told, ended = [], time.monotonic() + 60
            while inbound.endings[Ending.AGE] < 2:
                answer = await caller.get(SHELF)
                assert answer.status_code == 200
                told.append(answer.headers.get("connection"))
                assert time.monotonic() < ended
                await asyncio.sleep(0.01)
        assert told.count("close") in {1, 2}  # the second may be told with the next


def inbound_of(gateway: RunningGateway) -> MeshInbound:
    """What the gateway knows of being called."""
    mesh = gateway.gateway._mesh
    assert mesh is not None
    assert mesh.inbound is not None
    return mesh.inbound


@pytest.mark.parametrize("protocol", ["http1", "http2"])
async def test_without_alpn_the_first_bytes_tell(tmp_path: Path, peer: Peer, unique: Names, protocol: str) -> None:
    """As the proxies of a service whose protocol is tcp call: no ALPN, and yet HTTP/2 or HTTP/1.1."""
    us, web = unique("edge"), unique("web")
    await intend(peer, web, us, "allow")
    async with serving(tmp_path, peer, us) as (gateway, _):
        context = await context_of(peer, web, ())
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, ssl=context, server_hostname="x")
        assert writer.get_extra_info("ssl_object").selected_alpn_protocol() is None
        if protocol == "http1":
            writer.write(f"GET {SHELF} HTTP/1.1\r\nhost: edge\r\nconnection: close\r\n\r\n".encode())
            assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
        else:
            writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)))
            head = await reader.readexactly(9)
            assert head[3] == 4, "SETTINGS"
        writer.close()
        await asyncio.wait({asyncio.ensure_future(writer.wait_closed())})


async def test_until_consul_has_told_nobody_may_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unavailable, not open; once it has told, its loss changes nothing and the alarm is raised."""
    monkeypatch.setattr("edge.app.mesh.manners_of", lambda _: HASTY)
    async with running_double() as double, serving(tmp_path, double, "edge") as (gateway, _):
        inbound = inbound_of(gateway)
        async with client(gateway, await context_of(double, "web")) as caller:
            assert (await caller.get(SHELF)).status_code == 200
            known, inbound.watch_of_intentions.current = inbound.watch_of_intentions.current, None
            answer = await caller.get(SHELF)
            assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, 14, "1")
            assert (await ready(gateway))[0].startswith("mesh listener: intentions: waiting for Consul")
            inbound.watch_of_intentions.current = known
            await double.stop()
            await until(lambda: inbound.watch_of_intentions.state().alarm, "the alarm")
            assert (await caller.get(SHELF)).status_code == 200
            assert await ready(gateway) == []
            told = await page(gateway)
            assert (told["known"], told["alarm"]) == (True, "unreachable")
            async with httpx.AsyncClient(trust_env=False) as other:
                metrics = (await other.get(f"{gateway.admin_url}/metrics")).text
            assert 'edge_intentions_alarm{alarm="unreachable",service="edge"} 1.0' in metrics


async def test_a_root_rotates_while_calls_run(tmp_path: Path, peer: Peer, unique: Names) -> None:
    """New connections from callers with leaves of the new root and of the old; no call fails; we present the new leaf."""
    us, web = unique("edge"), unique("web")
    await intend(peer, web, us, "allow")
    async with serving(tmp_path, peer, us) as (gateway, _):
        inbound = inbound_of(gateway)
        statuses: list[int] = []
        old = await context_of(peer, web)

        async def calling() -> None:
            async with client(gateway, old) as caller:
                while True:
                    statuses.append((await caller.get(SHELF)).status_code)
                    await asyncio.sleep(0.01)

        load = asyncio.ensure_future(calling())
        current = inbound.contexts.current
        assert current is not None
        await rotate(peer)
        await until(
            lambda: inbound.contexts.current and inbound.contexts.current.number > current.number, "a new identity"
        )
        await until(lambda: len(inbound.contexts.current.identity.roots(inbound.contexts.current.identity.trust_domains)) > 1
                    if inbound.contexts.current else False, "both roots")  # fmt: skip
        async with client(gateway, await context_of(peer, web)) as caller:
            assert (await caller.get(SHELF)).status_code == 200
        calls = len(statuses)
        await until(lambda: len(statuses) > calls + 20, "calls after it")
        load.cancel()
        await asyncio.gather(load, return_exceptions=True)
        assert set(statuses) == {200}


async def rotate(peer: Peer) -> None:
    """Another root."""
    if isinstance(peer, ConsulDouble):
        peer.ca.rotate_root()
        return
    _, configuration, _ = await asked(peer, "GET", "/v1/connect/ca/configuration")
    bits = 384 if configuration["Config"].get("PrivateKeyBits") != 384 else 256
    config = {**configuration["Config"], "PrivateKeyType": "ec", "PrivateKeyBits": bits}
    status, told, _ = await asked(peer, "PUT", "/v1/connect/ca/configuration", {"Provider": "consul", "Config": config})
    assert status == 200, told


@pytest.mark.slow
async def test_a_token_that_may_be_the_service_is_enough(tmp_path: Path, guarded: Peer, unique: Names) -> None:
    """Certificate and intentions take `service:write` on our own name and nothing else; without it, readiness names what lacks."""
    us, web = unique("edge"), unique("web")
    await intend(guarded, web, us, "allow")
    token, _ = await token_with(guarded, {"service": {us: {"policy": "write"}}})
    (tmp_path / "token").write_text(token)
    consul = {"token": f"file:{tmp_path / 'token'}"}
    context = await context_of(guarded, web)
    async with serving(tmp_path, guarded, us, consul=consul) as (gateway, _), client(gateway, context) as caller:
        assert (await caller.get(SHELF)).status_code == 200
    token, _ = await token_with(guarded, {"service": {web: {"policy": "write"}}})
    (tmp_path / "token").write_text(token)
    given = called(tmp_path, guarded, us, 1, consul=consul)
    async with running(tmp_path, given) as gateway:
        for _ in range(200):
            (reason,) = await ready(gateway)
            if "intention:read" in reason:
                break
            await asyncio.sleep(0.02)
        assert f'lacks intention:read on "{us}"' in reason
