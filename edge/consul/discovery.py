"""
The instances of a service, kept current from Consul.

Owns the watch: one task per service, which follows the service's discovery chain where there is one to follow, asks for the instances
of each target, and publishes a new immutable set when the set is another. What is believed is edge.core.consul_last_good's decision;
what is wrong is in `state()`, for admin, metrics and the log. Whoever listens is never told of a failure by an emptied set.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import structlog

from edge.consul.answer import ConsulError
from edge.consul.client import ConsulClient
from edge.consul.lookup import (
    Lookup,
    chain_question,
    health_question,
    prepared_question,
    read_subset,
    target_lookup,
)
from edge.consul.query import BlockingQuery, Heard, Manners, PeriodicQuery, Query
from edge.core.consul_chain import Chain, Target, merged, read_chain
from edge.core.consul_instances import Instance, observe
from edge.core.consul_last_good import Alarm, LastGood, Trouble

_MANY = 500  # entries that are read in a thread: some 10 microseconds each, which calls would wait for

PREPARED_INTERVAL_S = 10.0
"""How often a prepared query is run: Consul cannot block on one."""

_log = structlog.get_logger("edge.consul")

Publish = Callable[[tuple[Instance, ...]], None]


@dataclass(frozen=True, slots=True)
class WatchState:
    """A watch, for admin, metrics and `edge services watch`. `age_s` is None until Consul was heard."""

    service: str
    instances: tuple[Instance, ...]
    ready: bool
    """A set was once believed; it may be empty."""
    critical: int
    """Instances that Consul knows and that take no calls."""
    alarm: Alarm | None
    reason: str
    age_s: float | None
    """Since Consul last confirmed the whole set. An open blocking query confirms only when it returns."""


class TargetWatch:
    """The instances of one question, without anything to follow."""

    def __init__(self, lookup: Lookup, query: Query, changed: Callable[[], None]) -> None:
        self.kept = LastGood()
        self._lookup = lookup
        self._query = query
        self._changed = changed

    async def run(self) -> None:
        """Ask until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            heard = await self._query.next(self.kept.recheck_in_s(loop.time()), confirm=self.kept.unconfirmed)
            before = self.kept.trouble
            if await self._take(heard):
                self._changed()
            _log_trouble(self._lookup.name, before, self.kept.trouble, known=self.kept.instances is not None)

    async def _take(self, heard: Heard | ConsulError) -> bool:
        if isinstance(heard, ConsulError):
            self.kept.failed(heard.alarm, str(heard))
            return False
        body = heard.answer.body
        entries = body.get("Nodes") if isinstance(body, dict) else body
        if not isinstance(entries, list):
            self.kept.failed(Alarm.UNREACHABLE, "the answer is no list of instances")
            return False
        read = partial(observe, entries, only_passing=self._lookup.only_passing, wan=self._lookup.wan)
        observed = await asyncio.to_thread(read) if len(entries) > _MANY else read()
        now = asyncio.get_running_loop().time()
        return self.kept.heard(observed, heard.answer.provenance(restarted=heard.restarted), now)


class ServiceWatch:
    """A service as an upstream means it. `publish` gets each new set; it must not block."""

    def __init__(self, client: ConsulClient, lookup: Lookup, publish: Publish, manners: Manners | None = None) -> None:
        self._client = client
        self._lookup = lookup
        self._publish = publish
        self._manners = manners or Manners()
        self._targets: dict[Target | None, tuple[TargetWatch, asyncio.Task[None]]] = {}
        self._chain: Chain | None = None
        self._chain_trouble: Trouble | None = None
        self._published: tuple[Instance, ...] | None = None

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            if self._lookup.follows_chain:
                await self._follow(group)
            else:
                self._start(group, None, self._lookup)

    def state(self) -> WatchState:
        """The watch now."""
        now = asyncio.get_running_loop().time()
        kept = [watch.kept for watch, _ in self._targets.values()]
        troubles = [self._chain_trouble, *(each.trouble for each in kept)]
        trouble = next((each for each in troubles if each is not None), None)
        confirmed = [each.confirmed_at for each in kept if each.confirmed_at is not None]
        return WatchState(
            service=self._lookup.name,
            instances=self._published or (),
            ready=self._published is not None,
            critical=sum(each.observed.critical for each in kept),
            alarm=trouble.alarm if trouble else None,
            reason=trouble.reason if trouble else "",
            age_s=now - min(confirmed) if confirmed else None,
        )

    async def _follow(self, group: asyncio.TaskGroup) -> None:
        """Watch the chain, and with it the targets it leads to now."""
        query = BlockingQuery(self._client, chain_question(self._lookup), self._manners)
        while True:
            heard = await query.next()
            before = self._chain_trouble
            try:
                if isinstance(heard, ConsulError):
                    raise heard
                body = heard.answer.body
                chain = read_subset(self._lookup, body) if self._lookup.subset else read_chain(body)
            except (ConsulError, ValueError) as error:
                alarm = error.alarm if isinstance(error, ConsulError) else Alarm.UNREACHABLE
                self._chain_trouble = Trouble(alarm, str(error))
            else:
                self._chain_trouble = None
                await self._lead(group, chain)
            name = f"{self._lookup.name} (discovery chain)"
            _log_trouble(name, before, self._chain_trouble, known=self._chain is not None)

    async def _lead(self, group: asyncio.TaskGroup, chain: Chain) -> None:
        self._chain = chain
        wanted = chain.targets
        for target in wanted:
            if target not in self._targets:
                self._start(group, target, target_lookup(self._lookup, target))
        for known in [each for each in self._targets if each not in wanted]:
            _, task = self._targets.pop(known)
            task.cancel()
            await asyncio.wait([task])
        self._changed()

    def _start(self, group: asyncio.TaskGroup, target: Target | None, lookup: Lookup) -> None:
        if lookup.prepared:
            query: Query = PeriodicQuery(self._client, prepared_question(lookup), PREPARED_INTERVAL_S, self._manners)
        else:
            query = BlockingQuery(self._client, health_question(lookup), self._manners)
        watch = TargetWatch(lookup, query, self._changed)
        self._targets[target] = (watch, group.create_task(watch.run(), name=f"consul watch {lookup.name}"))

    def _changed(self) -> None:
        """Some target has another set, or the chain leads elsewhere: publish what that comes to, once all is known."""
        if self._chain is None:
            kept = [watch.kept.instances for watch, _ in self._targets.values()]
            instances = kept[0] if kept else None
        else:
            instances = self._merged(self._chain)
        if instances is not None and instances != self._published:
            self._published = instances
            self._publish(instances)

    def _merged(self, chain: Chain) -> tuple[Instance, ...] | None:
        """The chain's shares as one set; None while a share's first targets have not been heard."""
        parts = []
        for share in chain.shares:
            chosen: tuple[Instance, ...] = ()
            for target in share.targets:
                known = self._targets[target][0].kept.instances if target in self._targets else ()
                if known is None:
                    return self._published  # a failover before its target was heard would be a false alarm
                if known:
                    gateway = bool(self._lookup.gateway or target.gateway) and not target.service.peer
                    chosen = target_instances(known, target, through_gateway=gateway)
                    break
            parts.append((share.weight, chosen))
        return merged(parts)


def target_instances(instances: tuple[Instance, ...], target: Target, *, through_gateway: bool) -> tuple[Instance, ...]:
    """The instances as ways to their target: with the server name the chain gives it, and behind a gateway with its identity."""
    named = (each if each.sni else replace(each, sni=target.sni) for each in instances)
    if not through_gateway:
        return tuple(named)
    return tuple(replace(each, identity=target.service, connect=True) for each in named)


def _log_trouble(name: str, before: Trouble | None, now: Trouble | None, *, known: bool) -> None:
    """Say what has gone wrong, or right again; not again what has not changed."""
    if (before.alarm if before else None) == (now.alarm if now else None):
        return
    if now is None:
        _log.info("Consul answers again", service=name)
    else:
        event = "the last good instances are kept" if known else "Consul does not tell the instances"
        _log.warning(event, service=name, alarm=now.alarm.value, reason=now.reason)
