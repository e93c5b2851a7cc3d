"""
The catalog as a table: its services, or the instances of one.

Owns the columns. A listing says when access rules hid something: without that, an empty one would say that there is nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge.consul.client import ConsulClient
from edge.consul.lookup import Lookup, health_question
from edge.core.consul_instances import observe


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows under titles. `hidden` is why there may be more, empty when there is not."""

    kind: Literal["services", "instances"]
    titles: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    hidden: str = ""


async def list_services(client: ConsulClient) -> Listing:
    """Every service with its tags. Raises ConsulError."""
    answer = await client.read("/v1/catalog/services", needs="service:read")
    rows = tuple((name, list(tags)) for name, tags in sorted((answer.body or {}).items()))
    return Listing(
        "services", ("name", "tags"), rows, _hidden(answer.filtered, answer.default_deny, answer.authenticated)
    )


async def list_instances(client: ConsulClient, name: str, *, connect: bool = False) -> Listing:
    """Every instance of a service, those that take no calls too. Raises ConsulError."""
    question = health_question(Lookup(service=name, connect=connect))
    answer = await client.read(question.path, question.params, needs=question.needs)
    rows = []
    for entry in answer.body or ():
        service, node = entry["Service"], entry["Node"]
        place = service.get("Address") or node.get("Address")
        usable = observe([entry]).instances
        failing = [check["Name"] for check in entry["Checks"] if check["Status"] not in {"passing", "warning"}]
        state = "critical" if failing else "unusable" if not usable else "warning" if usable[0].warning else "passing"
        rows.append(
            (
                service["ID"],
                place,
                service.get("Port"),
                state,
                usable[0].weight if usable else 0,
                service.get("Tags") or [],
                failing,
            )
        )
    titles = ("id", "address", "port", "health", "weight", "tags", "failing")
    hidden = _hidden(answer.filtered, answer.default_deny, answer.authenticated)
    return Listing("instances", titles, tuple(sorted(rows, key=lambda row: str(row[0]))), hidden)


def _hidden(filtered: bool, default_deny: bool, authenticated: bool) -> str:
    if filtered:
        return "access rules do not show all of it to this token"
    return (
        "no token is set, and without one access rules show little or nothing"
        if default_deny and not authenticated
        else ""
    )
