"""What an upstream means, as questions to Consul."""

from __future__ import annotations

from typing import Any

import pytest

from edge.consul.client import Scope
from edge.consul.lookup import (
    MESH_GATEWAY,
    Lookup,
    chain_question,
    health_question,
    prepared_question,
    read_subset,
    target_lookup,
)
from edge.core.consul_chain import Target
from edge.core.consul_identity import MeshService


def test_health_question() -> None:
    """Plain or of the mesh; tags repeat."""
    question = health_question(Lookup(service="web", tags=("a", "b"), filter="x", scope=Scope(datacenter="dc2")))
    assert (question.path, question.params) == ("/v1/health/service/web", (("tag", "a"), ("tag", "b"), ("filter", "x")))
    assert (question.needs, question.scope.datacenter) == ('service:read on "web"', "dc2")
    assert health_question(Lookup(service="web", connect=True)).path == "/v1/health/connect/web"


def test_prepared_question() -> None:
    """By name or ID; of the mesh's instances where that is asked."""
    question = prepared_question(Lookup(prepared="q", connect=True, near="_agent"))
    assert (question.path, question.params) == ("/v1/query/q/execute", (("connect", "true"), ("near", "_agent")))
    assert question.needs == 'query:read on "q"'


def test_chain_question() -> None:
    """Compiled for the datacenter that is meant, asked of our own."""
    question = chain_question(Lookup(service="web", connect=True, scope=Scope(datacenter="dc2", namespace="ns")))
    assert (question.path, question.params, question.scope) == (
        "/v1/discovery-chain/web",
        (("compile-dc", "dc2"),),
        Scope(namespace="ns"),
    )
    assert chain_question(Lookup(service="web", subset="v2")).path == "/v1/config/service-resolver/web"


@pytest.mark.parametrize(
    ("lookup", "follows"),
    [
        (Lookup(service="web"), False),
        (Lookup(service="web", connect=True), True),
        (Lookup(service="web", subset="v2"), True),
        (Lookup(service="web", connect=True, scope=Scope(peer="east")), False),
        (Lookup(prepared="q", connect=True), False),
    ],
)
def test_who_follows_a_chain(lookup: Lookup, follows: bool) -> None:
    """Only what the mesh routes to."""
    assert lookup.follows_chain is follows


def test_subset_from_the_resolver() -> None:
    """Its filter and health; an unknown one, or no resolver at all, is an error."""
    lookup = Lookup(service="web", subset="v2")
    chain = read_subset(lookup, {"Subsets": {"v2": {"Filter": "f", "OnlyPassing": True}}})
    (target,) = chain.targets
    assert (target.subset, target.filter, target.only_passing, target.service.service) == ("v2", "f", True, "web")
    bodies: tuple[Any, ...] = ({}, None, {"Subsets": {"v1": {}}})  # Consul answers null too
    for body in bodies:
        with pytest.raises(ValueError, match="no subset 'v2'"):
            read_subset(lookup, body)


def test_target_of_a_chain() -> None:
    """Its own names; both filters; a default namespace is not spelled, the community edition refuses it."""
    lookup = Lookup(service="web", connect=True, tags=("a",), filter="x", subset="v2")
    target = Target(MeshService("spare", "dc2", "default", "team"), filter="y", only_passing=True)
    found = target_lookup(lookup, target)
    assert (found.service, found.filter, found.only_passing, found.tags, found.subset) == (
        "spare",
        "(x) and (y)",
        True,
        ("a",),
        "",
    )
    assert found.scope == Scope("dc2", "", "team")
    assert target_lookup(lookup, Target(MeshService("web", "dc1", peer="east"))).scope == Scope(peer="east")


@pytest.mark.parametrize(
    ("mode", "asked", "wan", "datacenter"),
    [("local", "", False, ""), ("remote", "", True, "dc2"), ("remote", "local", False, ""), ("", "local", False, "")],
)
def test_target_behind_gateways(mode: str, asked: str, wan: bool, datacenter: str) -> None:
    """Ours, or those of the other datacenter at their WAN addresses; what the upstream says wins over the chain."""
    lookup = Lookup(service="web", connect=True, gateway=asked)  # type: ignore[arg-type]  # parametrized
    found = target_lookup(lookup, Target(MeshService("web", "dc2"), gateway=mode))
    assert (found.service, found.connect, found.wan, found.scope) == (
        MESH_GATEWAY,
        False,
        wan,
        Scope(datacenter=datacenter),
    )
