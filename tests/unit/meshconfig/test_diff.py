"""What is there against what should be."""

from __future__ import annotations

from typing import Any

from meshconfig.diff import changes, differences, outcome
from meshconfig.items import Key, items

MINE = "edge:edge"


def entry(name: str, protocol: str, owner: str = MINE) -> dict[str, Any]:
    return {
        "Kind": "service-defaults",
        "Name": name,
        "Protocol": protocol,
        "Meta": {"managed-by": owner} if owner else {},
    }


def test_create_change_delete_and_nothing() -> None:
    """Only what carries our mark is deleted; what is equal is no change, whoever made it."""
    there = items(
        [entry("same", "grpc", ""), entry("old", "grpc"), entry("differs", "http"), entry("foreign", "tcp", "")]
    )
    asked = items([entry("same", "grpc"), entry("differs", "grpc"), entry("new", "grpc")])
    found = changes(there, asked, MINE)
    assert [(change.action, change.key.name) for change in found] == [
        ("change", "differs"),
        ("create", "new"),
        ("delete", "old"),
    ]
    assert found[0].details == ("Protocol: http -> grpc",)


def test_what_is_foreign_and_differs_is_a_conflict() -> None:
    """Another gateway's too; taking over is asked for."""
    asked = items([entry("a", "grpc"), entry("b", "grpc"), entry("c", "grpc")])
    there = items([entry("a", "http", ""), entry("b", "http", "edge:other"), entry("c", "grpc", "edge:other")])
    assert [change.action for change in changes(there, asked, MINE)] == ["conflict", "conflict"]
    assert [change.action for change in changes(there, asked, MINE, take_over=True)] == ["change"] * 3


def test_the_outcome_leaves_conflicts_as_they_are() -> None:
    """And has what is created, not what is deleted."""
    there = items([entry("a", "http", ""), entry("old", "grpc")])
    found = changes(there, items([entry("a", "grpc"), entry("new", "grpc")]), MINE)
    after = outcome(there, found)
    assert {key.name for key in after} == {"a", "new"}
    assert after[Key("service-defaults", "a")].body["Protocol"] == "http"


def test_differences_name_each_field() -> None:
    """With both values."""
    before, after = {"a": {"b": 1}, "l": [1, 2], "gone": {"x": True}}, {"a": {"b": 2}, "l": [1], "new": [3]}
    assert list(differences(before, after)) == [
        "a.b: 1 -> 2",
        "gone: {x: True} -> nothing",
        "l[1]: 2 -> nothing",
        "new: nothing -> [3]",
    ]
