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

from tests.consul.callers import called, client, context_of, define
from tests.consul.scenes import Peer, until
from tests.consul.sidecars import intend
from tests.consul.test_gateway import SHELF, ready
from tests.gateway import RunningGateway, running
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


async def becomes(caller: httpx.AsyncClient, status: int, path: str = SHELF, within_s: float = 2.0) -> float:
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
