"""What others have opened is told, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from meshconfig.items import items
from meshconfig.widening import widened
from tests.unit.meshconfig.plans import LAB, plan_of


def intention(name: str, source: dict[str, Any]) -> dict[str, Any]:
    return {"Kind": "service-intentions", "Name": name, "Sources": [source]}


@pytest.mark.parametrize(
    ("entry", "warning"),
    [
        (
            intention("shop", {"Name": "x", "Action": "allow"}),
            "service-intentions/shop [x]: not ours, lets x call all of shop",
        ),
        (
            intention("*", {"Name": "*", "Action": "allow"}),
            "service-intentions/* [*]: not ours, lets any service call all of every service",
        ),
        (
            intention("shop", {"Name": "x", "Permissions": [{"Action": "allow", "HTTP": {"PathPrefix": "/"}}]}),
            "service-intentions/shop [x]: not ours, lets x call some of shop",
        ),
        (intention("shop", {"Name": "x", "Action": "deny"}), None),
        (intention("elsewhere", {"Name": "x", "Action": "allow"}), None),
        (
            intention("shop", {"Name": "edge", "Action": "allow", "Description": "managed-by=edge:edge spec-hash=00"}),
            None,
        ),
        (
            {"Kind": "service-defaults", "Name": "shop", "Protocol": "tcp"},
            "service-defaults/shop: not ours, says tcp, on which Consul takes every permission for a deny",
        ),
        (
            {"Kind": "service-defaults", "Name": "shop", "Protocol": "grpc", "MutualTLSMode": "permissive"},
            "service-defaults/shop: not ours, lets calls without mTLS in, which no intention sees",
        ),
        (
            {"Kind": "proxy-defaults", "Name": "global", "MutualTLSMode": "permissive"},
            "proxy-defaults/global: lets calls without mTLS in, which no intention sees, where a service does not say strict",
        ),
        (
            {"Kind": "mesh", "Name": "mesh", "AllowEnablingPermissiveMutualTLS": True},
            "mesh/mesh: lets services be made permissive, that is, open to calls without mTLS",
        ),
    ],
)
def test_foreign_entries(entry: dict[str, Any], warning: str | None) -> None:
    """One sentence each, with the object it is about."""
    assert widened(items([entry]), plan_of(), "edge:edge") == (() if warning is None else (warning,))


def test_a_default_of_allow_is_told() -> None:
    """Every service without intentions is open then."""
    assert "default policy is allow" in widened({}, plan_of(f"default_allow: true\n{LAB}"), "edge:edge")[0]
