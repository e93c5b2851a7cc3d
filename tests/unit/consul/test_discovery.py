"""A watch: what it publishes, what it keeps, and what its state says. The peers' side is in tests/consul/contract."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from structlog.testing import capture_logs

from edge.consul.answer import Answer, ConsulError, Kind, read_answer
from edge.consul.client import AgentPlace, ConsulClient
from edge.consul.discovery import ServiceWatch, TargetWatch, target_instances
from edge.consul.lookup import Lookup
from edge.consul.query import Heard
from edge.consul.transport import Place
from edge.core.consul_chain import Target
from edge.core.consul_identity import MeshService
from edge.core.consul_instances import Instance, observe
from edge.core.consul_last_good import DOUBT_S, Alarm
from tests.consul.scenes import HASTY, asked, until
from tests.peers.consul_double import ConsulDouble, running_double


def entry(port: int, status: str = "passing") -> dict[str, Any]:
    """An instance in a health answer."""
    return {
        "Node": {"Node": "n1", "Address": "10.0.0.1", "Datacenter": "dc1"},
        "Service": {"ID": f"web-{port}", "Service": "web", "Port": port},
        "Checks": [{"CheckID": "c", "Status": status}],
    }


def saying(body: Any, **headers: str) -> Heard:
    """An answer."""
    told = {"X-Consul-Index": "5"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return Heard(read_answer(body, told, authenticated=True))


@dataclass
class Script:
    """A Query that says what it is told to; then it is silent."""

    lines: deque[Heard | ConsulError]
    asked: list[tuple[float | None, bool]] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def next(self, within_s: float | None = None, *, confirm: bool = False) -> Heard | ConsulError:
        """The next line."""
        self.asked.append((within_s, confirm))
        if not self.lines:
            self.over.set()
            await asyncio.Event().wait()
        return self.lines.popleft()


async def played(*lines: Heard | ConsulError) -> tuple[TargetWatch, Script, int]:
    """A target's watch after these; and how often it said that its set is another."""
    script, changes = Script(deque(lines)), 0

    def changed() -> None:
        nonlocal changes
        changes += 1

    watch = TargetWatch(Lookup(service="web"), script, changed)
    task = asyncio.create_task(watch.run())
    await script.over.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return watch, script, changes


async def test_equal_answers_are_one_change() -> None:
    """Returning does not imply change."""
    watch, _, changes = await played(saying([entry(1), entry(2)]), saying([entry(2), entry(1)]), saying([entry(1)]))
    assert changes == 2
    assert [each.port for each in watch.kept.instances or ()] == [1]


@pytest.mark.parametrize("body", [None, {"error": 1}, "[]", 7, {"Nodes": None}])
async def test_what_is_no_list_changes_nothing(body: Any) -> None:
    """A proxy's answer, or a Consul of the future."""
    watch, _, changes = await played(saying([entry(1)]), saying(body))
    assert changes == 1
    assert watch.kept.trouble is not None
    assert [each.port for each in watch.kept.instances or ()] == [1]


async def held_up(work: Awaitable[object]) -> float:
    """How long the loop was not free while this went on, in seconds, at the worst."""
    loop, worst = asyncio.get_running_loop(), 0.0

    async def tick() -> None:
        nonlocal worst
        while True:
            began = loop.time()
            await asyncio.sleep(0.001)
            worst = max(worst, loop.time() - began)

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0)
    await work
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)
    return worst


async def test_many_instances_do_not_hold_up_the_loop() -> None:
    """Ten thousand are made of their entries in a thread: the loop stands still for less time than that takes."""
    many = [entry(number) for number in range(1, 10_001)]
    taken, worst = [], []
    for _ in range(10):  # the best of some: a shared machine pauses at will
        began = time.monotonic()
        observe(many)
        taken.append(time.monotonic() - began)
        worst.append(await held_up(played(saying(many))))
        if min(worst) < min(taken) * 0.8:
            break
    print(
        f"reading 10,000 instances takes {min(taken) * 1000:.0f} ms; the loop is held up for {min(worst) * 1000:.0f} ms"
    )
    assert min(worst) < min(taken) * 0.8


async def test_streamed_news_are_confirmed() -> None:
    """The next question does not block; an empty answer counts only with that."""
    streamed = {"X_Consul_Query_Backend": "streaming", "X_Consul_KnownLeader": "false"}
    watch, script, changes = await played(saying([entry(1)]), saying([], **streamed), saying([]))
    assert [confirm for _, confirm in script.asked] == [False, False, True, False]
    assert watch.kept.instances == ()
    assert changes == 2
    hidden = {"X-Consul-Results-Filtered-By-ACLs": "true"}
    watch, _, changes = await played(saying([entry(1)]), saying([], **streamed), saying([], **hidden))
    assert changes == 1
    assert watch.kept.trouble is not None
    assert watch.kept.trouble.alarm is Alarm.FILTERED


async def test_doubt_asks_again_in_time() -> None:
    """The query after a doubted answer ends when the doubt does."""
    _, script, changes = await played(saying([entry(1)]), ConsulError(Kind.UNREACHABLE, "gone"), saying([]))
    assert [within for within, _ in script.asked[:3]] == [None, None, None]
    within = script.asked[3][0]
    assert within is not None
    assert DOUBT_S - 5 < within <= DOUBT_S
    assert changes == 1


async def test_troubles_are_logged_once_each_way() -> None:
    """Not with every failure."""
    failure = ConsulError(Kind.UNREACHABLE, "gone")
    with capture_logs() as logs:
        await played(failure, failure, saying([entry(1)]), failure, failure, saying([entry(1)]))
    assert [each["event"] for each in logs] == [
        "Consul does not tell the instances", "Consul answers again", "the last good instances are kept", "Consul answers again",
    ]  # fmt: skip


def test_ways_through_a_gateway_lead_to_the_service() -> None:
    """The gateway's address, the service's identity and server name; an instance's own server name stays."""
    (gateway,) = observe([entry(8443)]).instances
    target = Target(MeshService("web", "dc2"), sni="web.default.dc2.internal.td")
    (way,) = target_instances((gateway,), target, through_gateway=True)
    assert (way.port, way.identity, way.sni, way.connect) == (8443, target.service, target.sni, True)
    (direct,) = target_instances((gateway,), target, through_gateway=False)
    assert (direct.identity.service, direct.sni, direct.connect) == ("web", target.sni, False)
    (own,) = observe(
        [{**entry(1), "Service": {"Service": "web", "Port": 1, "Connect": {"PeerMeta": {"SNI": ["own"]}}}}]
    ).instances
    assert target_instances((own,), target, through_gateway=False)[0].sni == "own"


@asynccontextmanager
async def watching(
    double: ConsulDouble, lookup: Lookup
) -> AsyncIterator[tuple[ServiceWatch, list[tuple[Instance, ...]]]]:
    """A whole watch on the double."""
    published: list[tuple[Instance, ...]] = []
    async with ConsulClient(AgentPlace(Place(double.url))) as client:
        watch = ServiceWatch(client, lookup, published.append, HASTY)
        task = asyncio.create_task(watch.run())
        try:
            yield watch, published
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def put(double: ConsulDouble, path: str, body: object) -> None:
    """Write something."""
    status, text, _ = await asked(double, "PUT", path, body)
    assert status == 200, text


def register(name: str, port: int) -> dict[str, Any]:
    """A native instance."""
    return {"Name": name, "ID": f"{name}-{port}", "Port": port, "Connect": {"Native": True}}


async def test_state_before_and_after_consul_was_heard() -> None:
    """Not ready, then ready with an age; both without an alarm."""
    async with running_double() as double:
        await put(double, "/v1/agent/service/register", register("web", 1))
        async with watching(double, Lookup(service="web", connect=True)) as (watch, _):
            before = watch.state()
            assert (before.ready, before.age_s, before.alarm, before.instances) == (False, None, None, ())
            await until(lambda: watch.state().ready, "ready")
            state = watch.state()
            assert state.age_s is not None
            assert (state.age_s < 20.0, state.alarm, [each.port for each in state.instances]) == (True, None, [1])


async def test_targets_that_are_no_longer_wanted_are_no_longer_asked_for() -> None:
    """A redirect leads elsewhere: the old target's query ends."""
    async with running_double() as double:
        await put(double, "/v1/agent/service/register", register("web", 1))
        await put(double, "/v1/agent/service/register", register("other", 2))
        async with watching(double, Lookup(service="web", connect=True)) as (watch, published):
            await until(lambda: [each.port for each in watch.state().instances] == [1], "the service")
            await put(
                double, "/v1/config", {"Kind": "service-resolver", "Name": "web", "Redirect": {"Service": "other"}}
            )
            await until(lambda: [each.port for each in watch.state().instances] == [2], "where it leads")
            tasks = [task for task in asyncio.all_tasks() if task.get_name().startswith("consul watch")]
            assert [task.get_name() for task in tasks] == ["consul watch other"]
            assert () not in published


async def test_chain_that_cannot_be_read_keeps_the_last_one() -> None:
    """Its targets are watched on; the alarm says so."""
    broken = False

    async def chain(client: ConsulClient, original: Callable[..., Any], path: str, *args: Any, **kwargs: Any) -> Answer:
        answer: Answer = await original(path, *args, **kwargs)
        if broken and "discovery-chain" in path:
            return read_answer({"Chain": None}, {"X-Consul-Index": str((answer.index or 0) + 1)}, authenticated=False)
        return answer

    async with running_double() as double:
        await put(double, "/v1/agent/service/register", register("web", 1))
        async with watching(double, Lookup(service="web", connect=True)) as (watch, _):
            client = watch._client
            original = client.read
            client.read = lambda path, *args, **kwargs: chain(client, original, path, *args, **kwargs)  # type: ignore[method-assign]  # one endpoint breaks
            await until(lambda: watch.state().ready, "ready")
            broken = True
            await put(double, "/v1/config", {"Kind": "service-defaults", "Name": "web", "Protocol": "grpc"})
            await until(lambda: watch.state().alarm is not None, "the alarm")
            assert "not as documented" in watch.state().reason
            await put(double, "/v1/agent/service/register", register("web", 2))
            await until(lambda: [each.port for each in watch.state().instances] == [1, 2], "its instances are followed")
