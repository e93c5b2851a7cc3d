"""How calls are made, in Consul's words."""

from __future__ import annotations

import pytest

from meshconfig.consul_traffic import (
    duration,
    exported,
    jwt_provider,
    proxy_defaults,
    resolver,
    router,
    service_defaults,
    splitter,
)
from tests.unit.meshconfig.plans import PAY, plan_of

FULL = """\
targets: [consul]
consul: {mesh_gateway: remote}
services:
  pay: {namespace: p, selector: {app: p}, port: 1, timeout: 90s, retries: {attempts: 3}, export_to: [west, east],
        split: {subsets: {v2: {labels: {'app/x': a.b, version: v2}, weight: 12.5}, v1: {labels: {version: v1}, weight: 87.5}}},
        failover: {datacenters: [dc2, dc3]}, jwt: {issuer: i, jwks_uri: 'https://i/k', audiences: [b, a]}}
"""


def test_every_setting_has_its_entry() -> None:
    """Sorted where order means nothing, as written where it does."""
    plan = plan_of(FULL, {"pay": PAY})
    (service,) = plan.services
    assert service_defaults(service)["Protocol"] == "grpc"
    assert list(proxy_defaults(plan)) == [
        {"Kind": "proxy-defaults", "Name": "global", "MeshGateway": {"Mode": "remote"}}
    ]
    (resolved,) = resolver(service)
    assert list(resolved["Subsets"]) == ["v1", "v2"]
    assert resolved["Subsets"]["v2"][
        "Filter"
    ] == 'Service.Meta["app/x"] == "a.b" and Service.Meta.version == "v2"'.replace('["app/x"]', ".app/x")
    assert resolved["Failover"] == {"*": {"Datacenters": ["dc2", "dc3"]}}
    (split,) = splitter(service)
    assert split["Splits"] == [{"Weight": 87.5, "ServiceSubset": "v1"}, {"Weight": 12.5, "ServiceSubset": "v2"}]
    (routed,) = router(service)
    assert routed["Routes"][0]["Destination"] == {"RequestTimeout": "90s", "NumRetries": 3, "RetryOn": ["unavailable"]}
    (shared,) = exported(plan)
    assert shared["Services"] == [{"Name": "pay", "Consumers": [{"Peer": "east"}, {"Peer": "west"}]}]
    (provider,) = jwt_provider(plan, service)
    assert (provider["Name"], provider["Audiences"]) == ("edge-pay", ["a", "b"])


def test_what_is_not_asked_for_is_not_written() -> None:
    """Consul's defaults stay Consul's."""
    plan = plan_of()
    service = plan.services[0]
    assert [
        *proxy_defaults(plan),
        *resolver(service),
        *splitter(service),
        *router(service),
        *exported(plan),
        *jwt_provider(plan, service),
    ] == []


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.25, "250ms"), (2.0, "2s"), (90.0, "90s"), (120.0, "2m0s"), (3600.0, "1h0m0s")]
)
def test_durations(seconds: float, text: str) -> None:
    """As Go writes them."""
    assert duration(seconds) == text
