"""The `mesh` section as the design writes it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from edge.config.mesh_models import MeshPolicies, MeshService

SERVICE = {"namespace": "shop", "selector": {"app": "shop"}, "port": 50051}


def test_the_issues_example_loads_and_means_what_it_says() -> None:
    """Defaults: gRPC, probes let in, the service's name its own."""
    caller = {
        "service": "billing",
        "service_account": "billing",
        "namespace": "billing",
        "rpcs": ["lab.v1.Shop/GetItem"],
    }
    mesh = MeshPolicies.model_validate(
        {
            "targets": ["consul", "linkerd", "istio"],
            "gateway": {"namespace": "edge", "service_account": "edge-gateway"},
            "services": {"shop": {**SERVICE, "protocol": "grpc", "other_callers": [caller]}},
        }
    )
    shop = mesh.services["shop"]
    assert (shop.protocol, shop.probes.grpc, shop.service, shop.other_callers[0].rpcs) == (
        "grpc",
        True,
        None,
        ("lab.v1.Shop/GetItem",),
    )
    assert (mesh.gateway.trust_domain, mesh.default_allow) == ("cluster.local", False)


@pytest.mark.parametrize(
    "change",
    [
        {"namespace": "Shop"}, {"namespace": "-shop"}, {"selector": {}}, {"selector": {"app": 'a"b'}}, {"selector": {"a b": "x"}},
        {"port": 0}, {"port": 65536}, {"protocol": "udp"}, {"service": "a.b"}, {"unknown": 1}, {"other_callers": [{"service": "x"}]},
        {"split": {"subsets": {"v1": {"labels": {"version": "v1"}, "weight": 0.001}}}}, {"failover": {"datacenters": ["DC2"]}},
        {"jwt": {"issuer": "i", "jwks_uri": "ftp://x"}},
    ],
)  # fmt: skip
def test_what_a_mesh_would_refuse_or_misread_is_refused(change: dict[str, object]) -> None:
    """Names as RFC 1123 has them, labels as Kubernetes has them: nothing that ends an expression."""
    with pytest.raises(ValidationError):
        MeshService.model_validate({**SERVICE, **change})


@pytest.mark.parametrize(
    ("rpc", "good"),
    [
        ("a.b.S/M", True),
        ("S/M", True),
        ("a.b.S.M", False),
        ("a.S/M/N", False),
        ("a.Ś/M", False),
        ("/a.S/M", False),
        ("a..S/M", False),
    ],
)
def test_rpcs(rpc: str, good: bool) -> None:
    """`package.Service/Method`, in ASCII."""
    caller = {"service": "b", "service_account": "b", "namespace": "b", "rpcs": [rpc]}
    if good:
        assert MeshService.model_validate({**SERVICE, "other_callers": [caller]}).other_callers[0].rpcs == (rpc,)
    else:
        with pytest.raises(ValidationError):
            MeshService.model_validate({**SERVICE, "other_callers": [caller]})
