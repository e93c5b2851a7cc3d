"""RPCs as rules of routes."""

from __future__ import annotations

import pytest

from meshconfig.plan import Rpc
from meshconfig.route_rules import GRPC_ROUTE, HTTP_ROUTE, Kind, catch_all, rule_sets


def _rpcs(count: int) -> list[Rpc]:
    return [Rpc("p.S", f"M{number:03}") for number in range(count)]


@pytest.mark.parametrize(
    ("count", "shape"),
    [
        (0, []),
        (1, [[1]]),
        (8, [[8]]),
        (9, [[8, 1]]),
        (128, [[8] * 16]),
        (129, [[8] * 16, [1]]),
        (300, [[8] * 16, [8] * 16, [8] * 5 + [4]]),
    ],
)
@pytest.mark.parametrize("kind", [GRPC_ROUTE, HTTP_ROUTE])
def test_routes_are_split_at_the_size_rules(count: int, shape: list[list[int]], kind: Kind) -> None:
    """16 rules of 8 matches; every RPC once, in order."""
    made = list(rule_sets(kind, _rpcs(count)))
    assert [[len(rule["matches"]) for rule in rules] for rules in made] == shape
    assert sum(len(rule["matches"]) for rules in made for rule in rules) == count


def test_a_match_is_exact() -> None:
    """Service and method, or path and POST."""
    rpc = [Rpc("p.S", "Get")]
    assert next(rule_sets(GRPC_ROUTE, rpc)) == [
        {"matches": [{"method": {"type": "Exact", "service": "p.S", "method": "Get"}}]}
    ]
    assert next(rule_sets(HTTP_ROUTE, rpc)) == [
        {"matches": [{"method": "POST", "path": {"type": "Exact", "value": "/p.S/Get"}}]}
    ]


def test_more_is_said_in_every_rule() -> None:
    rules = next(rule_sets(GRPC_ROUTE, _rpcs(20), {"backendRefs": []}))
    assert all(rule["backendRefs"] == [] for rule in rules)


def test_everything_is_one_match_that_is_written_out() -> None:
    assert catch_all(GRPC_ROUTE) == [{"matches": [{}]}]
    assert catch_all(HTTP_ROUTE, {"x": 1}) == [{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}], "x": 1}]
