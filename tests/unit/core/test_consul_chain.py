"""Compiled discovery chains as shares of traffic."""

from __future__ import annotations

from typing import Any

import pytest

from edge.core.consul_chain import MAX_TARGETS, Chain, Share, Target, merged, read_chain
from edge.core.consul_identity import MeshService
from edge.core.consul_instances import Instance


def target(name: str, **more: Any) -> dict[str, Any]:
    """A target as Consul lists it."""
    return {
        "ID": name,
        "Service": name,
        "Namespace": "default",
        "Partition": "default",
        "Datacenter": "dc1",
        "SNI": f"{name}.sni",
        **more,
    }


def resolver(name: str, *failover: str) -> dict[str, Any]:
    """A resolver node."""
    body: dict[str, Any] = {"Target": name}
    if failover:
        body["Failover"] = {"Targets": list(failover)}
    return {"Type": "resolver", "Resolver": body}


def chain(start: str, nodes: dict[str, Any], *targets: dict[str, Any]) -> Chain:
    """A chain, read."""
    return read_chain(
        {
            "Chain": {
                "Protocol": "grpc",
                "StartNode": start,
                "Nodes": nodes,
                "Targets": {each["ID"]: each for each in targets},
            }
        }
    )


def test_default_chain_is_the_service_itself() -> None:
    """One share, one target."""
    found = chain("r", {"r": resolver("web")}, target("web"))
    assert found.protocol == "grpc"
    assert [(share.weight, [each.service.service for each in share.targets]) for share in found.shares] == [
        (1.0, ["web"])
    ]
    assert found.targets[0].sni == "web.sni"


def test_subset_and_failover() -> None:
    """The filter is the subset's; failover targets follow in order."""
    subset = {"Filter": "Service.Meta.v == 2", "OnlyPassing": True}
    found = chain("r", {"r": resolver("web", "spare", "far")}, target("web", ServiceSubset="v2", Subset=subset),
                  target("spare"), target("far", Datacenter="dc2", MeshGateway={"Mode": "remote"}))  # fmt: skip
    first, spare, far = found.shares[0].targets
    assert (first.subset, first.filter, first.only_passing) == ("v2", "Service.Meta.v == 2", True)
    assert (spare.service.service, far.service.datacenter, far.gateway) == ("spare", "dc2", "remote")
    assert first.gateway == ""


def test_gateway_mode_none_is_no_gateway() -> None:
    """Consul writes it out."""
    assert chain("r", {"r": resolver("web")}, target("web", MeshGateway={"Mode": "none"})).targets[0].gateway == ""


def test_splitter_weights_multiply() -> None:
    """Also when split again; a share of nothing is none."""
    nodes = {
        "s": {
            "Type": "splitter",
            "Splits": [
                {"Weight": 60, "NextNode": "t"},
                {"Weight": 40, "NextNode": "a"},
                {"Weight": 0, "NextNode": "b"},
            ],
        },
        "t": {"Type": "splitter", "Splits": [{"Weight": 50, "NextNode": "a"}, {"Weight": 50, "NextNode": "b"}]},
        "a": resolver("a"),
        "b": resolver("b"),
    }
    found = chain("s", nodes, target("a"), target("b"))
    assert [(round(share.weight, 3), share.targets[0].service.service) for share in found.shares] == [
        (0.3, "a"),
        (0.3, "b"),
        (0.4, "a"),
    ]
    assert [each.service.service for each in found.targets] == ["a", "b"]


def test_router_gives_its_catch_all() -> None:
    """Paths are the gateway's own affair."""
    routes = [{"Definition": {"Match": {}}, "NextNode": "admin"}, {"Definition": None, "NextNode": "r"}]
    found = chain("router", {"router": {"Type": "router", "Routes": routes}, "admin": resolver("admin"), "r": resolver("web")},
                  target("web"), target("admin"))  # fmt: skip
    assert [share.targets[0].service.service for share in found.shares] == ["web"]


def test_circle_ends() -> None:
    """Consul refuses them; we do not hang on one."""
    assert chain("s", {"s": {"Type": "splitter", "Splits": [{"Weight": 100, "NextNode": "s"}]}}).shares == ()


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"Chain": None},
        {"Chain": {"Nodes": {}}},
        {"Chain": {"Nodes": {"r": {"Type": "resolver"}}, "Targets": {}, "StartNode": "r"}},
    ],
)
def test_what_is_no_chain_is_refused(body: Any) -> None:
    """With a ValueError, which the watch keeps its last chain on."""
    with pytest.raises(ValueError, match="not as documented"):
        read_chain(body)


def test_watched_targets_are_bounded() -> None:
    """Each costs an open query."""
    many = tuple(Target(MeshService(f"s{number}", "dc1")) for number in range(MAX_TARGETS + 9))
    assert len(Chain("tcp", (Share(1.0, many),)).targets) == MAX_TARGETS


def instance(port: int, weight: int = 1) -> Instance:
    """At a port."""
    return Instance("10.0.0.1", port, weight, False, MeshService("web", "dc1"), True, str(port), "n1")


def test_one_share_keeps_the_weights() -> None:
    """Also when it is the only one with instances."""
    assert merged([(1.0, (instance(1, 7),))]) == (instance(1, 7),)
    assert merged([(0.1, ()), (0.9, (instance(1, 7),))]) == (instance(1, 7),)
    assert merged([]) == ()


def test_shares_weigh_as_written() -> None:
    """However many instances each has; an instance in both has both parts."""
    found = merged([(0.9, (instance(1), instance(2, 3))), (0.1, (instance(3), instance(1)))])
    weights = {each.port: each.weight for each in found}
    assert sum(weights.values()) == pytest.approx(10_000, rel=0.01)
    assert weights[3] == 500
    assert weights[2] == 6750
    assert weights[1] == 2250 + 500
