"""The order of writes, as a list of what is done."""

from __future__ import annotations

from typing import Any

from meshconfig.diff import Change, changes
from meshconfig.items import items
from meshconfig.steps import steps

META = {"Meta": {"managed-by": "edge:edge"}}


def entry(kind: str, **fields: Any) -> dict[str, Any]:
    return {"Kind": kind, "Name": "shop", **fields, **META}


def split(*names: str) -> list[dict[str, Any]]:
    return [
        entry("service-resolver", Subsets={name: {"OnlyPassing": True} for name in names}),
        entry("service-splitter", Splits=[{"Weight": 100 / len(names), "ServiceSubset": name} for name in names]),
    ]


def told(found: tuple[Change, ...]) -> list[str]:
    return [f"{change.action} {change.key.kind}" for change in steps(found)]


def test_creates_go_down_and_deletes_come_back() -> None:
    """What depends comes after what it depends on, and leaves before it."""
    made = [*split("v1"), entry("service-defaults", Protocol="grpc"), entry("service-router", Routes=[{}])]
    assert told(changes({}, items(made), "edge:edge")) == [
        "create service-defaults", "create service-resolver", "create service-splitter", "create service-router",
    ]  # fmt: skip
    assert told(changes(items(made), {}, "edge:edge")) == [
        "delete service-router", "delete service-splitter", "delete service-resolver", "delete service-defaults",
    ]  # fmt: skip


def test_an_exchange_of_subsets_takes_three_writes() -> None:
    """First both, then the splitter, then the new ones alone; growing takes two."""
    found = steps(changes(items(split("v1", "v2")), items(split("v2", "v3")), "edge:edge"))
    subsets = [sorted(change.after.raw.get("Subsets") or ()) for change in found if change.after]
    assert subsets == [["v1", "v2", "v3"], [], ["v2", "v3"]]
    assert found[2].before == found[0].after
    assert told(changes(items(split("v1")), items(split("v1", "v2")), "edge:edge")) == [
        "change service-resolver", "change service-splitter",
    ]  # fmt: skip


def test_a_service_turns_tcp_last() -> None:
    """Once its permissions are gone."""

    def both(protocol: str) -> list[dict[str, Any]]:
        mark = {"Description": "managed-by=edge:edge spec-hash=00"}
        rule = (
            {"Action": "allow"}
            if protocol == "tcp"
            else {"Permissions": [{"Action": "allow", "HTTP": {"PathExact": "/a"}}]}
        )
        return [
            entry("service-defaults", Protocol=protocol),
            entry("service-intentions", Sources=[{"Name": "edge", **rule, **mark}]),
        ]

    forth = told(changes(items(both("grpc")), items(both("tcp")), "edge:edge"))
    back = told(changes(items(both("tcp")), items(both("grpc")), "edge:edge"))
    assert forth == list(reversed(back)) == ["change service-intentions", "change service-defaults"]


def test_conflicts_are_no_steps() -> None:
    """What is foreign is not touched."""
    foreign = [{"Kind": "service-defaults", "Name": "shop", "Protocol": "http"}]
    assert told(changes(items(foreign), items([entry("service-defaults", Protocol="grpc")]), "edge:edge")) == []
