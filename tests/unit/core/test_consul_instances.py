"""Health entries as instances: who counts, with which weight, and whose certificate to expect."""

from __future__ import annotations

from typing import Any

import pytest

from edge.core.consul_instances import observe


def entry(*statuses: str, node: dict[str, Any] | None = None, **service: Any) -> dict[str, Any]:
    """An entry of a health answer."""
    return {
        "Node": {"Node": "n1", "Address": "10.0.0.1", "Datacenter": "dc1", **(node or {})},
        "Service": {"ID": "web-1", "Service": "web", "Port": 8080, "Address": "", **service},
        "Checks": [{"CheckID": f"c{number}", "Status": status} for number, status in enumerate(statuses)],
    }


def test_instance_with_all_it_says() -> None:
    """Place, weight, tags, metadata, identity."""
    given = entry("passing", Address="10.0.0.9", Weights={"Passing": 7, "Warning": 2}, Tags=["b", "a"], Meta={"v": "1"})
    (found,) = observe([given]).instances
    assert (found.endpoint, found.weight, found.warning, found.tags, found.meta) == (
        "10.0.0.9:8080",
        7,
        False,
        ("a", "b"),
        (("v", "1"),),
    )
    assert (found.identity.service, found.identity.datacenter, found.connect) == ("web", "dc1", False)


def test_nodes_address_where_the_service_has_none() -> None:
    """As Consul's own clients do."""
    assert observe([entry("passing")]).instances[0].endpoint == "10.0.0.1:8080"


def test_ipv6_is_bracketed() -> None:
    """In the endpoint, not in the address."""
    (found,) = observe([entry(Address="fd00::1")]).instances
    assert (found.address, found.endpoint) == ("fd00::1", "[fd00::1]:8080")


@pytest.mark.parametrize(
    ("statuses", "usable", "weight"),
    [
        ((), 1, 5),
        (("passing", "passing"), 1, 5),
        (("passing", "warning"), 1, 2),
        (("warning", "critical"), 0, None),
        (("maintenance",), 0, None),
        (("passing", "what?"), 0, None),
    ],
)
def test_worst_check_decides(statuses: tuple[str, ...], usable: int, weight: int | None) -> None:
    """Critical takes no calls, nor does a status nobody knows; a warning has its own weight."""
    observed = observe([entry(*statuses, Weights={"Passing": 5, "Warning": 2})])
    assert len(observed.instances) == usable
    assert observed.critical == 1 - usable
    assert observed.total == 1
    if usable:
        assert observed.instances[0].weight == weight


def test_only_passing_leaves_out_warnings() -> None:
    """A subset may ask for that."""
    assert observe([entry("warning")], only_passing=True).instances == ()
    assert observe([entry("warning")]).instances[0].warning


@pytest.mark.parametrize(
    "broken",
    [
        entry(Port=0),
        entry(Port=70000),
        entry(Port="eighty"),
        entry(Weights={"Passing": 0}),
        entry(node={"Address": ""}),
        entry(Kind="connect-proxy", Proxy={}),
        {"Node": None, "Service": None, "Checks": None},
        {},
        "no entry",
        {**entry(), "Checks": 7},
    ],
)
def test_what_cannot_be_dialled_is_counted(broken: Any) -> None:
    """And costs the others nothing."""
    observed = observe([broken, entry()])
    assert len(observed.instances) == 1
    assert observed.unusable == 1


def test_sidecar_stands_for_its_service() -> None:
    """The certificate says the service's name, not the proxy's."""
    (found,) = observe(
        [
            entry(
                Kind="connect-proxy",
                Service="web-sidecar-proxy",
                Proxy={"DestinationServiceName": "web"},
                Namespace="ns",
                Partition="ap",
            )
        ]
    ).instances
    assert (found.identity.service, found.identity.namespace, found.identity.partition, found.connect) == (
        "web",
        "ns",
        "ap",
        True,
    )


def test_native_service_is_in_the_mesh() -> None:
    """By its own name."""
    (found,) = observe([entry(Connect={"Native": True})]).instances
    assert (found.connect, found.identity.service) == (True, "web")


def test_peers_say_their_identities() -> None:
    """SPIFFE IDs and server name of an imported service come from the exporting cluster."""
    meta = {"SNI": ["web.default.default.east.external.td"], "SpiffeID": ["spiffe://td/ns/default/dc/east-dc/svc/web"]}
    (found,) = observe([entry(PeerName="east", Connect={"PeerMeta": meta})]).instances
    assert (found.identity.peer, found.sni, found.spiffe_ids) == ("east", meta["SNI"][0], tuple(meta["SpiffeID"]))


def test_addresses_for_other_datacenters() -> None:
    """The service's WAN address, or the node's where the service has no address of its own."""
    tagged = entry(TaggedAddresses={"wan": {"Address": "192.0.2.1", "Port": 443}})
    assert observe([tagged]).instances[0].endpoint == "10.0.0.1:8080"
    assert observe([tagged], wan=True).instances[0].endpoint == "192.0.2.1:443"
    by_node = entry(node={"TaggedAddresses": {"wan": "192.0.2.9"}})
    assert observe([by_node], wan=True).instances[0].endpoint == "192.0.2.9:8080"
    assert observe([entry()], wan=True).instances[0].endpoint == "10.0.0.1:8080"


def test_order_does_not_matter() -> None:
    """Consul does not promise any; equal sets are equal, and doubles count once."""
    many = [entry(ID=f"web-{port}", Port=port) for port in range(1, 41)]
    found = observe(many).instances
    assert [each.port for each in found] == list(range(1, 41))
    assert observe([*reversed(many), many[7]]).instances == found
