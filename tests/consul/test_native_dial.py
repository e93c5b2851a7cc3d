"""
`dial: native`: the running gateway, a Consul (the double and the real agent), and a real Envoy as the service's sidecar.

The gateway's certificate comes from Consul, the sidecar's too; who may call is Consul's intentions.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.consul.scenes import Peer, token_with
from tests.consul.sidecars import intend, register_with_sidecar, sidecar_of
from tests.consul.test_gateway import SHELF, ready
from tests.gateway import bookstore_config, running
from tests.peers.envoy import envoy_binary
from tests.peers.ports import free_port
from tests.upstreams.recorder import Recorder

Names = Callable[[str], str]

pytestmark = [
    pytest.mark.envoy,
    pytest.mark.timeout(240),
    pytest.mark.skipif(envoy_binary() is None, reason="Envoy is not installed: run make setup"),
]


def native(folder: Path, peer: Peer, us: str, service: str, **more: Any) -> dict[str, Any]:
    """The bookstore as a service of the mesh; we are `us`."""
    consul = {"address": peer.url, "wait": "5s", "service": us}
    upstream = {"consul": {"service": service}, "reconnect": {"initial": "20ms", "max": "100ms"}}
    return bookstore_config(folder, 1, consul=consul, upstreams={"bookstore": upstream}, **more)


async def test_a_service_behind_its_sidecar(tmp_path: Path, peer: Peer, unique: Names) -> None:
    """200 over mTLS; denied by an intention: refused within 2 s; allowed again: 200."""
    us, service, port = unique("edge"), unique("shop"), free_port()
    async with Recorder() as upstream:
        await register_with_sidecar(peer, service, upstream.port, port)
        async with running(tmp_path, native(tmp_path, peer, us, service)) as gateway, gateway.client() as client:
            await intend(peer, us, service, "allow")
            async with sidecar_of(peer, service, upstream.port, us, tmp_path / "one", port):
                answer = await client.get(SHELF)
                assert answer.status_code == 200, (answer.text, await ready(gateway))
                assert await ready(gateway) == []
                async with httpx.AsyncClient(trust_env=False) as other:
                    page = (await other.get(f"{gateway.admin_url}/consul")).json()
                    assert page["certificate"]["spiffe_id"].endswith(f"/svc/{us}")
                    metrics = (await other.get(f"{gateway.admin_url}/metrics")).text
                assert "edge_certificate_generation 1.0" in metrics
            await intend(peer, us, service, "deny")
            denied = time.monotonic()
            async with sidecar_of(peer, service, upstream.port, us, tmp_path / "two", port):
                before = len(upstream.calls)
                answer = await client.get(SHELF)
                assert (answer.status_code, answer.json()["code"]) == (503, 14)
                assert len(upstream.calls) == before
                print(f"refused {time.monotonic() - denied:.2f} s after the intention, the sidecar's start included")
            await intend(peer, us, service, "allow")
            async with sidecar_of(peer, service, upstream.port, us, tmp_path / "three", port):
                ended = time.monotonic() + 10
                while (answer := await client.get(SHELF)).status_code != 200:
                    assert time.monotonic() < ended, answer.text


async def test_another_service_at_the_address_is_not_believed(tmp_path: Path, peer: Peer, unique: Names) -> None:
    """A sidecar with a certificate of the same mesh, but another service's: not one call reaches it, and the log says why."""
    us, service, impostor, port = unique("edge"), unique("shop"), unique("cart"), free_port()
    async with Recorder() as upstream:
        await register_with_sidecar(peer, service, upstream.port, port)
        async with (
            running(tmp_path, native(tmp_path, peer, us, service)) as gateway,
            gateway.client() as client,
            sidecar_of(peer, impostor, upstream.port, us, tmp_path / "one", port),
        ):
            answer = await client.get(SHELF)
            assert (answer.status_code, answer.json()["code"]) == (503, 14)
            assert upstream.calls == []
    log = (tmp_path / "access.log").read_text()
    assert "identity: the peer is spiffe://" in log
    assert impostor in log


async def test_without_a_certificate_the_gateway_is_not_ready(tmp_path: Path, guarded: Peer, unique: Names) -> None:
    """A token that may see services but not be one: refused with the permission that lacks, and readiness says it."""
    us, service, port = unique("edge"), unique("shop"), free_port()
    read = {"service_prefix": {"": {"policy": "read"}}, "node_prefix": {"": {"policy": "read"}}}
    token, _ = await token_with(guarded, read)
    given = native(tmp_path, guarded, us, service)
    (tmp_path / "token").write_text(token)
    given["consul"]["token"] = f"file:{tmp_path / 'token'}"
    async with Recorder() as upstream:
        await register_with_sidecar(guarded, service, upstream.port, port)
        async with running(tmp_path, given) as gateway, gateway.client() as client:
            reasons: list[str] = []

            async def denied() -> bool:
                reasons[:] = await ready(gateway)
                return any(us in reason for reason in reasons)

            for _ in range(100):
                if await denied():
                    break
            assert any(f'service:write on "{us}"' in reason for reason in reasons), reasons
            assert (await client.get(SHELF)).status_code == 503
            assert upstream.calls == []
