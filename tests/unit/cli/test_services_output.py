"""How `edge services` looks."""

from __future__ import annotations

import asyncio
import json

import pytest

from edge.cli.services_output import (
    failed,
    instance_data,
    print_deregistered,
    print_outcomes,
    print_services,
    print_watched,
)
from edge.consul.answer import ConsulError, Kind
from edge.consul.client import ConsulClient
from edge.consul.discovery import ServiceWatch, WatchState
from edge.consul.listing import Listing
from edge.consul.lookup import Lookup
from edge.consul.registration import Outcome
from edge.core.consul_definition import Check, Definition
from edge.core.consul_identity import MeshService
from edge.core.consul_instances import Instance
from edge.core.consul_last_good import Alarm

WEB = Definition("web", "web-1", 80)
ONE = Instance("10.0.0.1", 80, 3, True, MeshService("web", "dc1"), True, "web-1", "n1", ("v1",), (("k", "v"),))


def test_outcomes(capsys: pytest.CaptureFixture[str]) -> None:
    """A TTL that nobody will report is told, unless it is kept."""
    ttl = Definition("w", "w", 1, checks=(Check("ttl"),))
    print_outcomes([(WEB, Outcome.UNCHANGED), (ttl, Outcome.REGISTERED)], json=False, keep=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["web-1: unchanged, the agent holds just this", "w: registered"]
    assert "--keep does" in lines[2]
    print_outcomes([(ttl, Outcome.UPDATED)], json=False, keep=True)
    assert capsys.readouterr().out == "w: updated\n"
    print_outcomes([(WEB, Outcome.REGISTERED)], json=True, keep=False)
    assert json.loads(capsys.readouterr().out) == [{"id": "web-1", "name": "web", "outcome": "registered"}]


def test_deregistered(capsys: pytest.CaptureFixture[str]) -> None:
    """There or not."""
    print_deregistered([("a", True), ("b", False)], json=True)
    assert [each["deregistered"] for each in json.loads(capsys.readouterr().out)] == [True, False]


def test_tables(capsys: pytest.CaptureFixture[str]) -> None:
    """Lists with commas, nothing as a dash, markup as text; hidden is said."""
    listing = Listing("services", ("name", "tags"), (("[red]web[/]", ["a", "b"]), ("x", [])), "access rules")
    print_services(listing, json=False)
    out = capsys.readouterr().out
    assert "[red]web[/]  a,b" in out
    assert out.splitlines()[2].split() == ["x", "-"]
    assert out.endswith("more is hidden: access rules\n")
    print_services(listing, json=True)
    assert json.loads(capsys.readouterr().out)["services"][0] == {"name": "[red]web[/]", "tags": ["a", "b"]}
    print_services(Listing("instances", ("id",), ()), json=False)
    assert capsys.readouterr().out == "no instances\n"


@pytest.mark.parametrize(
    ("kind", "fix"), [(Kind.UNREACHABLE, "start an agent"), (Kind.DENIED, "give a token"), (Kind.FAILED, "")]
)
def test_failures_have_a_fix(kind: Kind, fix: str) -> None:
    """Where there is one."""
    problem = failed(ConsulError(kind, "text"))
    assert problem.message == "text"
    assert problem.fix.startswith(fix)


def test_instance_for_machines() -> None:
    """Plain JSON."""
    data = json.loads(json.dumps(instance_data(ONE)))
    assert (data["endpoint"], data["weight"], data["identity"]["service"], data["meta"]) == (
        "10.0.0.1:80",
        3,
        "web",
        {"k": "v"},
    )


class Told(ServiceWatch):
    """A watch whose state the test sets."""

    told: WatchState
    looks = 0

    def state(self) -> WatchState:
        """What was told."""
        self.looks += 1
        return self.told


async def looked(watch: Told) -> None:
    """Once its state has been looked at again, and printed if it was another."""
    async with asyncio.timeout(20):
        before = watch.looks
        while watch.looks == before:
            await asyncio.sleep(0.01)


async def test_watched_states_are_printed_when_they_differ(capsys: pytest.CaptureFixture[str]) -> None:
    """Not while nothing is known, and not twice."""
    async with ConsulClient() as client:
        watch = Told(client, Lookup(service="web"), lambda _: None)
        watch.told = WatchState("web", (), False, 0, None, "", None)
        printing = asyncio.create_task(print_watched(watch, json=False))
        for state in (
            WatchState("web", (ONE,), True, 2, None, "", 1.0),
            WatchState("web", (ONE,), True, 2, None, "", 2.0),
            WatchState("web", (ONE,), True, 0, Alarm.DENIED, "why", 3.0),
        ):
            await looked(watch)
            watch.told = state
        await looked(watch)
        printing.cancel()
        await asyncio.gather(printing, return_exceptions=True)
    assert capsys.readouterr().out.splitlines() == [
        "web: 1 instance: 10.0.0.1:80 weight 3 warning; 2 critical",
        "web: 1 instance: 10.0.0.1:80 weight 3 warning [denied: why]",
    ]
