"""Each mesh, by an evaluator that knows nothing of the renderers, allows the plan's edges and no more."""

from __future__ import annotations

import pytest

from tests.mesh.cases import NAMES, case
from tests.mesh.question import HEALTH, callers, edges, every_edge, planned_edges, probed_edges, workload
from tests.mesh.verdicts import allowed, call_of, impostors, verdict

MESHES = ("consul", "linkerd", "istio")
JUDGED = [(name, mesh) for name in NAMES for mesh in MESHES if mesh in case(name).plan.targets]
ENFORCED = [(name, mesh) for name, mesh in JUDGED if not case(name).options.audit]
AUDITED = [(name, mesh) for name, mesh in JUDGED if case(name).options.audit]


@pytest.mark.parametrize(("name", "mesh"), ENFORCED)
def test_allowed_is_what_the_plan_allows(name: str, mesh: str) -> None:
    """The same set, plus the health check where probes are let in without an identity."""
    made = case(name)
    expected = planned_edges(made.plan)
    if mesh == "linkerd":
        expected |= probed_edges(made.plan, callers(made.plan))
    assert allowed(made.plan, verdict(made.plan, made.documents, mesh)) == expected


@pytest.mark.parametrize(("name", "mesh"), ENFORCED)
def test_without_an_identity_nothing_but_the_health_check(name: str, mesh: str) -> None:
    """No mutual TLS, no call."""
    made = case(name)
    let_in = allowed(made.plan, verdict(made.plan, made.documents, mesh), caller=None)
    assert {rpc for _, _, rpc in let_in} <= ({HEALTH} if mesh == "linkerd" else set())


@pytest.mark.parametrize(("name", "mesh"), ENFORCED)
def test_half_an_identity_is_none(name: str, mesh: str) -> None:
    """Another account of the namespace, the account's name in another namespace: strangers."""
    made = case(name)
    decide = verdict(made.plan, made.documents, mesh)
    for edge in sorted(edges(made.plan)):
        if edge[2] != HEALTH:
            assert not any(decide(call_of(made.plan, edge, caller=each)) for each in impostors(edge[0])), edge


@pytest.mark.parametrize(("name", "mesh"), ENFORCED)
def test_an_rpc_is_a_post_to_its_own_port(name: str, mesh: str) -> None:
    """GET is none; on a port nobody can look into there is no method."""
    made = case(name)
    decide = verdict(made.plan, made.documents, mesh)
    opaque = {service.key for service in made.plan.services if service.protocol == "tcp"}
    for edge in sorted(edges(made.plan)):
        if edge[1] not in opaque:
            assert not decide(call_of(made.plan, edge, method="GET")), edge


@pytest.mark.parametrize("mesh", ["consul", "istio"])
def test_a_demanded_token_is_needed(mesh: str) -> None:
    """Nobody is let in without it, or with another's; Linkerd cannot ask for one."""
    made = case("jwt")
    decide = verdict(made.plan, made.documents, mesh)
    assert allowed(made.plan, decide)
    assert allowed(made.plan, decide, issuer=None) == frozenset()
    assert allowed(made.plan, decide, issuer="https://evil.example.com") == frozenset()


@pytest.mark.parametrize(("name", "mesh"), [pair for pair in AUDITED if pair[1] != "consul"])
def test_audit_refuses_nothing(name: str, mesh: str) -> None:
    """Not even what no route names, nor a call without an identity."""
    made = case(name)
    decide = verdict(made.plan, made.documents, mesh)
    everything = frozenset(every_edge(made.plan))
    assert allowed(made.plan, decide) == everything
    assert allowed(made.plan, decide, caller=None) == everything


def test_probes_are_let_in_from_their_networks_only() -> None:
    """Whoever is elsewhere needs an identity for the health check too."""
    made = case("probes")
    decide = verdict(made.plan, made.documents, "linkerd")
    probe = next(edge for edge in every_edge(made.plan) if edge[2] == HEALTH)
    assert decide(call_of(made.plan, probe, caller=None, address="10.0.3.4"))
    assert decide(call_of(made.plan, probe, caller=None, address="fd00::1"))
    assert not decide(call_of(made.plan, probe, caller=None, address="10.1.3.4"))


def test_the_evaluators_find_the_workload_they_are_asked_about() -> None:
    """Another port of the same pods is not governed by this Server."""
    made = case("default-deny-two-upstreams")
    service = made.plan.services[0]
    assert workload(service).has(dict(service.selector))
    assert not workload(service).has({"app": "another"})
