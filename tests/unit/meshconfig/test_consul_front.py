"""Consul's API gateway in front: it reaches the gateway, and nothing behind it."""

from __future__ import annotations

from meshconfig.consul_front import front
from tests.mesh.question import edges
from tests.unit.meshconfig.plans import LAB, plan_of


def test_no_front_unless_asked_for() -> None:
    """Nothing of the gateway itself is written."""
    assert list(front(plan_of())) == []


def test_the_front_may_call_the_gateway_alone() -> None:
    """It is a caller of no service."""
    plan = plan_of(f"consul: {{front: {{name: public, port: 8443, hostnames: [b.x, a.x], certificate: cert}}}}\n{LAB}")
    made = {entry["Kind"]: entry for entry in front(plan)}
    assert [source["Name"] for source in made["service-intentions"]["Sources"]] == ["public"]
    assert made["service-intentions"]["Name"] == "edge"
    assert made["api-gateway"]["Listeners"][0]["TLS"] == {
        "Certificates": [{"Kind": "inline-certificate", "Name": "cert"}]
    }
    assert made["http-route"]["Hostnames"] == ["a.x", "b.x"]
    assert all(caller.service != "public" for caller, _, _ in edges(plan))
