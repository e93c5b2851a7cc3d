"""The watch of intentions: what it believes, what it keeps, and that it never guesses the default. Real agents: tests/consul."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from aiohttp import web
from structlog.testing import capture_logs

from edge.consul.client import ConsulClient
from edge.consul.intentions import IntentionsWatch
from edge.core.consul_last_good import Alarm
from tests.consul.scenes import HASTY, agent_at, until
from tests.unit.consul.serving import Server, answering

WEB = {"SourceName": "web", "SourceNS": "default", "DestinationName": "edge", "Precedence": 9, "Action": "allow"}
ALL = {**WEB, "SourceName": "*", "Precedence": 8, "Action": "deny"}


class Consul:
    """What an agent says: intentions, and of whom none names."""

    def __init__(self) -> None:
        self.listed: Any = [WEB]
        self.allowed: Any = False
        self.header = "allow"
        self.status = 200
        self.check_status = 200
        self.leader = "true"
        self.index = 7
        self.checks = 0

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.endswith("/check"):
            self.checks += 1
            assert request.query["destination"] == "edge"
            return web.json_response({"Allowed": self.allowed}, status=self.check_status)
        assert dict(request.query)["by"] == "destination"
        while int(request.query.get("index", 0)) == self.index:
            await asyncio.sleep(0.005)
        headers = {
            "X-Consul-Index": str(self.index),
            "X-Consul-Default-ACL-Policy": self.header,
            "X-Consul-KnownLeader": self.leader,
        }
        return web.json_response({"edge": self.listed}, status=self.status, headers=headers)

    def change(self) -> None:
        """Blocking queries return."""
        self.index += 1


@asynccontextmanager
async def watching(
    consul: Consul, changed: Callable[[], None] = lambda: None
) -> AsyncIterator[tuple[IntentionsWatch, Server]]:
    async with answering(consul.answer) as server, ConsulClient(agent_at(server.url)) as client:
        watch = IntentionsWatch(client, "edge", changed, HASTY)
        task = asyncio.ensure_future(watch.run())
        try:
            yield watch, server
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_a_change_is_told_once() -> None:
    """Nothing is known at first; an answer without news tells nobody."""
    consul, heard = Consul(), []
    async with watching(consul, lambda: heard.append(1)) as (watch, server):
        assert (watch.current, watch.state().known, watch.state().age_s) == (None, False, None)
        await until(lambda: watch.current, "the first answer")
        consul.change()
        await until(lambda: consul.checks == 2, "the second")
        assert len(heard) == 1
        consul.listed = None
        consul.change()
        await until(lambda: watch.current is not None and watch.current.listed == (), "none")
        assert len(heard) == 2
        assert any("index=8" in str(request.rel_url) for request in server.asked), "it blocks"


async def test_the_default_is_what_consul_does_with_a_stranger() -> None:
    """Not what its header says of access rules: default_intention_policy may say otherwise."""
    consul = Consul()
    consul.allowed, consul.header = False, "allow"
    async with watching(consul) as (watch, _):
        await until(lambda: watch.current, "the answer")
        assert watch.current is not None
        assert watch.current.default_allow is False


async def test_where_a_wildcard_names_everyone_the_header_tells() -> None:
    """Nobody can be asked about whom no intention names."""
    consul = Consul()
    consul.listed, consul.header = [WEB, ALL], "deny"
    async with watching(consul) as (watch, _):
        await until(lambda: watch.current, "the answer")
        assert watch.current is not None
        assert (watch.current.default_allow, consul.checks) == (False, 0)


async def test_without_the_default_nothing_is_believed() -> None:
    """A guess would let in or shut out everyone; it is asked again, and not only when intentions change."""
    consul = Consul()
    consul.check_status = 500
    async with watching(consul) as (watch, _):
        await until(lambda: consul.checks > 2, "it is asked again")
        assert watch.current is None
        assert watch.state().alarm is Alarm.UNREACHABLE
        consul.check_status, consul.allowed = 200, "yes"
        await until(lambda: "no verdict" in watch.state().reason, "what is no verdict is none")
        consul.allowed = True
        await until(lambda: watch.current, "well at last")
        assert watch.state().alarm is None


def _raised(watch: IntentionsWatch, alarm: Alarm) -> bool:
    return watch.state().alarm is alarm


async def test_what_fails_replaces_nothing() -> None:
    """No permission, no leader, no such answer: the last good ones are kept, with the reason, and Consul is believed when it is back."""
    consul = Consul()
    with capture_logs() as logged:
        async with watching(consul) as (watch, _):
            await until(lambda: watch.current, "the first answer")
            good = watch.current
            for what, value, alarm in (
                ("leader", "false", Alarm.NO_LEADER),
                ("listed", "x", Alarm.UNREACHABLE),
                ("status", 403, Alarm.DENIED),
            ):
                was = getattr(consul, what)
                setattr(consul, what, value)
                consul.change()
                await until(partial(_raised, watch, alarm), f"the alarm for {what}")
                assert watch.current is good
                setattr(consul, what, was)
                await until(lambda: watch.state().alarm is None, f"well again after {what}")
    said = [entry["event"] for entry in logged]
    assert said.count("intentions cannot be told") == said.count("intentions are known to be current again") == 3
    denied = next(entry for entry in logged if entry.get("alarm") == "denied")
    assert 'intention:read on "edge"' in denied["reason"]
    assert denied["until_then"] == "the last ones are kept"
