"""
An agent that answers, but not with the truth: slow, garbage, pages of a proxy before it, long out of date (reliability.md R56).

It stands between the gateway and a Consul, under load: with what was known no call fails, the alarm tells, and all is well again by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.consul.scenes import HASTY, Peer, until
from tests.consul.test_native_dial import native
from tests.consul.test_rotation_and_loss import CALLS_PER_S, load, shop_of
from tests.gateway import running

SLOW_S = 1.5
_TOLD = (
    "Content-Type",
    "X-Consul-Index",
    "X-Consul-KnownLeader",
    "X-Consul-LastContact",
    "X-Consul-Default-ACL-Policy",
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@dataclass
class Misleading:
    """A Consul whose answers are changed on their way, as `manner` says; `Peer`."""

    peer: Peer
    url: str = ""
    manner: str = "true"
    wrong: int = 0
    known: dict[str, tuple[bytes, dict[str, str]]] = field(default_factory=dict)
    open_now: set[asyncio.Task[web.Response]] = field(default_factory=set)

    @property
    def name(self) -> str:
        return self.peer.name

    @property
    def headers(self) -> dict[str, str]:
        return self.peer.headers

    @property
    def management(self) -> str:
        return self.peer.management

    def become(self, manner: str) -> None:
        """From now on; queries that wait are broken off, so that the next ones come."""
        self.manner, self.wrong = manner, 0
        for each in tuple(self.open_now):
            each.cancel()

    async def answer(self, session: aiohttp.ClientSession, request: web.Request) -> web.Response:
        """What the gateway is told."""
        if self.manner == "garbage":
            self.wrong += 1
            return web.Response(body=b'[{"Service": ', content_type="application/json", headers={"X-Consul-Index": "9"})
        if self.manner == "page":
            self.wrong += 1
            return web.Response(text="<html>Bad gateway", status=502, content_type="text/html")
        if self.manner == "stale" and request.path in self.known:
            self.wrong += 1
            await asyncio.sleep(0.1)
            body, headers = self.known[request.path]
            old = {**headers, "X-Consul-KnownLeader": "false", "X-Consul-LastContact": "600000", "X-Consul-Index": "1"}
            return web.Response(body=body, headers=old)
        if self.manner == "slow":
            self.wrong += 1
            await asyncio.sleep(SLOW_S)
        sent = {name: value for name, value in request.headers.items() if name.startswith("X-Consul")}
        async with session.request(
            request.method, f"{self.peer.url}{request.rel_url}", headers=sent, data=await request.read()
        ) as got:
            body, headers = await got.read(), {name: got.headers[name] for name in _TOLD if name in got.headers}
            if got.status == 200:
                self.known[request.path] = (body, headers)
            return web.Response(body=body, status=got.status, headers=headers)


@asynccontextmanager
async def misleading(peer: Peer) -> AsyncIterator[Misleading]:
    """Serving on a port of its own."""
    between = Misleading(peer)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session:

        async def handle(request: web.Request) -> web.Response:
            task = asyncio.ensure_future(between.answer(session, request))
            between.open_now.add(task)
            task.add_done_callback(between.open_now.discard)
            try:
                return await task
            except asyncio.CancelledError:
                return web.Response(status=503, text="broken off")

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        between.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield between
        finally:
            between.become("page")
            await runner.cleanup()


async def test_nothing_false_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, peer: Peer, unique: Callable[[str], str]
) -> None:
    """Three seconds of each manner under load: zero failed calls; what cannot be read, or has no leader, raises the alarm."""
    monkeypatch.setattr("edge.app.mesh.manners_of", lambda _: HASTY)
    us, service = unique("edge"), unique("shop")
    async with (
        misleading(peer) as between,
        shop_of(peer, service),
        running(tmp_path, native(tmp_path, between, us, service)) as gateway,
    ):
        mesh = gateway.gateway._mesh
        assert mesh is not None

        def alarm() -> object:
            return mesh.followed["bookstore"].state().alarm

        async with load(gateway) as calls:
            for manner in ("garbage", "page", "stale", "slow"):
                between.become(manner)
                await until(lambda: between.wrong > 1, f"answers that are {manner}")
                if manner != "slow":
                    await until(alarm, f"the alarm while answers are {manner}", 30.0)
                done = calls.outcomes.total()
                await until(lambda since=done: calls.outcomes.total() > since + 3 * CALLS_PER_S, "calls for a while")  # type: ignore[misc]
                print(f"{peer.name}: {manner}: {between.wrong} such answers")
                between.become("true")
                await until(lambda: alarm() is None, f"well again after {manner}", 30.0)
        print(f"{peer.name}: {calls}")
    assert set(calls.outcomes) == {"ok"}
