"""
How `edge services` shows what it did and what there is, for people and for machines.

Owns the columns and the JSON. Names and texts from Consul are printed as they are, never read as markup.
"""

from __future__ import annotations

import asyncio
import json as json_text
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from edge.cli.output import console, counted, print_json, print_table
from edge.core.problem import Problem

if TYPE_CHECKING:  # see services_input
    from edge.consul.answer import ConsulError
    from edge.consul.discovery import ServiceWatch, WatchState
    from edge.consul.listing import Listing
    from edge.consul.registration import Outcome
    from edge.core.consul_definition import Definition
    from edge.core.consul_instances import Instance

_LOOK_S = 0.1  # how often a watch is looked at

_FIXES = {
    "unreachable": "start an agent there, or name another: --agent URL, consul.address or CONSUL_HTTP_ADDR",
    "denied": "give a token that may: --token-file FILE, consul.token or CONSUL_HTTP_TOKEN",
}


def failed(error: ConsulError) -> Problem:
    """What Consul did not do, as a problem with a fix."""
    return Problem("consul", "", str(error), _FIXES.get(error.kind.value, ""))


def print_outcomes(outcomes: Sequence[tuple[Definition, Outcome]], *, json: bool, keep: bool) -> None:
    """What registering came to."""
    if json:
        print_json([{"id": given.id, "name": given.name, "outcome": outcome.value} for given, outcome in outcomes])
        return
    out = console()
    for given, outcome in outcomes:
        out.print(f"{given.id}: {outcome.value}{'' if outcome.value != 'unchanged' else ', the agent holds just this'}")
        if given.ttl_checks() and not keep:
            out.print(
                f"{given.id}: has a TTL check, which nobody reports to now: it is critical until somebody does; --keep does"
            )


def print_deregistered(found: Sequence[tuple[str, bool]], *, json: bool) -> None:
    """What was removed, and what was not there."""
    if json:
        print_json([{"id": service_id, "deregistered": there} for service_id, there in found])
        return
    out = console()
    for service_id, there in found:
        out.print(f"{service_id}: {'deregistered' if there else 'was not registered'}")


def print_services(listing: Listing, *, json: bool) -> None:
    """The catalog, or a service's instances."""
    if json:
        print_json(
            {
                "hidden": listing.hidden,
                listing.kind: [dict(zip(listing.titles, row, strict=True)) for row in listing.rows],
            }
        )
        return
    if listing.rows:
        print_table(
            [title.upper() for title in listing.titles], [[_cell(value) for value in row] for row in listing.rows]
        )
    else:
        console().print(f"no {listing.kind}")
    if listing.hidden:
        console().print(f"more is hidden: {listing.hidden}")


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ",".join(str(each) for each in value) or "-"
    return "-" if value in ("", None) else str(value)


async def print_watched(watch: ServiceWatch, *, json: bool) -> None:
    """Print the watch's state whenever it is another, until cancelled."""
    before: tuple[object, ...] | None = None
    while True:
        state = watch.state()
        now = (state.ready, state.instances, state.alarm)
        if now != before and (state.ready or state.alarm is not None):
            before = now
            print(json_text.dumps(_watched(state)) if json else _line(state), flush=True)
        await asyncio.sleep(_LOOK_S)


def _watched(state: WatchState) -> dict[str, Any]:
    return {
        "service": state.service,
        "ready": state.ready,
        "instances": [instance_data(instance) for instance in state.instances],
        "critical": state.critical,
        "alarm": state.alarm.value if state.alarm else None,
        "reason": state.reason,
        "age_s": None if state.age_s is None else round(state.age_s, 3),
    }


def instance_data(instance: Instance) -> dict[str, Any]:
    """An instance for machines."""
    data = asdict(instance)
    return {**data, "endpoint": instance.endpoint, "tags": list(instance.tags), "meta": dict(instance.meta)}


def _line(state: WatchState) -> str:
    listed = ", ".join(
        f"{each.endpoint} weight {each.weight}{' warning' if each.warning else ''}" for each in state.instances
    )
    said = (
        f"{counted(len(state.instances), 'instance')}{': ' if listed else ''}{listed}"
        if state.ready
        else "not known yet"
    )
    if state.critical:
        said += f"; {state.critical} critical"
    return f"{state.service}: {said}" + (f" [{state.alarm.value}: {state.reason}]" if state.alarm else "")
