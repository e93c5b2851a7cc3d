"""What the `mesh` section says about the rest of the file; its texts stand in tests/golden/config/21-mesh.txt."""

from __future__ import annotations

import pytest

from edge.config.document import read_document
from edge.config.mesh_checks import check_mesh

BASE = """\
apis: [{name: shop, reflection: true, upstream: shop}]
upstreams: {shop: {endpoints: ['a:1']}}
"""


def found(mesh: str, base: str = BASE) -> list[tuple[str, bool]]:
    """Paths, and whether it is a warning."""
    document = read_document(f"{base}mesh: {mesh}\n", "edge.yaml")
    check_mesh(document)
    return [(problem.path, problem.warning) for problem in document.problems]


SHOP = "namespace: shop, selector: {app: shop}, port: 1"


@pytest.mark.parametrize(
    ("mesh", "path", "warning"),
    [
        (f"{{services: {{shop: {{{SHOP}}}}}}}", "", False),
        (f"{{services: {{shop: {{{SHOP}}}, shp: {{{SHOP}, service: x}}}}}}", "mesh.services.shp", False),
        (f"{{services: {{shop: {{{SHOP}, service: edge}}}}}}", "mesh.services.shop", False),
        (f"{{services: {{shop: {{{SHOP}, protocol: tcp}}}}}}", "mesh.services.shop.protocol", True),
        (
            f"{{services: {{shop: {{{SHOP}, probes: {{networks: [x]}}}}}}}}",
            "mesh.services.shop.probes.networks[0]",
            False,
        ),
        (f"{{services: {{shop: {{{SHOP}, export_to: [a, a]}}}}}}", "mesh.services.shop.export_to[1]", False),
        (f"{{targets: [consul, consul], services: {{shop: {{{SHOP}}}}}}}", "mesh.targets[1]", False),
        (f"{{services: {{shop: {{{SHOP}, failover: {{by: mesh, datacenters: [b]}}}}}}}}", "", False),
        ("{services: {}}", "", False),
        ("nonsense", "", False),
        ("{services: {shop: 1, 2: x}}", "mesh.services.2", False),
    ],
)
def test_each_rule(mesh: str, path: str, warning: bool) -> None:
    """What is wrong is noted first; what is of another type is left to the schema."""
    problems = found(mesh)
    assert problems[:1] == ([(path, warning)] if path else [])


def test_every_exposed_upstream_needs_its_service() -> None:
    """Nobody would guard it; one that is not exposed needs none."""
    base = BASE.replace("[{name: shop, reflection: true, upstream: shop}]", "[{upstream: shop}, {upstream: pay}]")
    base = base.replace("{shop:", "{pay: {endpoints: ['b:1']}, spare: {endpoints: ['c:1']}, shop:")
    assert found(f"{{services: {{shop: {{{SHOP}}}}}}}", base) == [("mesh.services", False)]


@pytest.mark.parametrize(
    ("service", "mesh", "count"),
    [
        ("gw", "targets: [consul]", 1),
        ("gw", "targets: [consul], gateway: {service: gw}", 0),
        ("edge", "targets: [consul], gateway: {service: gw}", 1),
        ("edge", "targets: [consul]", 0),
        ("gw", "targets: [istio]", 0),
    ],
)
def test_the_gateway_is_one_service_in_consul(service: str, mesh: str, count: int) -> None:
    """Intentions for another name than its certificate's would shut it out; only Consul goes by that name."""
    problems = found(f"{{{mesh}, services: {{shop: {{{SHOP}}}}}}}", f"{BASE}consul: {{service: {service}}}\n")
    assert problems == [("mesh.gateway.service", False)] * count


@pytest.mark.parametrize(
    ("other", "count"),
    [
        ("{service: edge, service_account: x, namespace: y, rpcs: [a.B/C]}", 1),
        ("{service: x, service_account: edge-gateway, namespace: edge, rpcs: [a.B/C]}", 1),
        ("{service: x, service_account: x, namespace: edge, rpcs: [a.B/C]}", 0),
        ("{service: x, service_account: x, namespace: x, rpcs: [a.B/C, a.B/C]}", 1),
    ],
)
def test_other_callers_are_others(other: str, count: int) -> None:
    """The gateway's own rights come from its APIs."""
    assert len(found(f"{{services: {{shop: {{{SHOP}, other_callers: [{other}]}}}}}}")) == count


@pytest.mark.parametrize(
    ("targets", "second", "words"),
    [
        ("consul", "{service: x, service_account: x, namespace: x, rpcs: [a.B/C]}", ""),
        ("consul", "{service: x, service_account: y, namespace: x, rpcs: [a.B/C]}", 'in Consul both are "x"'),
        ("consul", "{service: x, service_account: x, namespace: y, rpcs: [a.B/C]}", 'in Consul both are "x"'),
        ("istio", "{service: x, service_account: y, namespace: x, rpcs: [a.B/C]}", ""),
        ("istio", "{service: y, service_account: x, namespace: x, rpcs: [a.B/C]}", "by its account both are one"),
        ("linkerd", "{service: y, service_account: x, namespace: x, rpcs: [a.B/C]}", "by its account both are one"),
        ("consul", "{service: y, service_account: x, namespace: x, rpcs: [a.B/C]}", ""),
        ("kubernetes", "{service: y, service_account: x, namespace: x, rpcs: [a.B/C]}", ""),
        ("consul", "{service: y, service_account: y, namespace: y, rpcs: [a.B/C]}", ""),
    ],
)
def test_a_caller_is_one_workload_in_every_service(targets: str, second: str, words: str) -> None:
    """Two accounts under one Consul name, or two names under one account, could each do what the other may."""
    base = BASE.replace("apis: [", "apis: [{upstream: pay}, ").replace("{shop:", "{pay: {endpoints: ['b:1']}, shop:")
    pay = f"namespace: pay, selector: {{app: pay}}, port: 1, other_callers: [{second}]"
    shop = f"{SHOP}, other_callers: [{{service: x, service_account: x, namespace: x, rpcs: [a.B/C]}}]"
    mesh = f"{{targets: [{targets}], services: {{shop: {{{shop}}}, pay: {{{pay}}}}}}}"
    document = read_document(f"{base}mesh: {mesh}\n", "edge.yaml")
    check_mesh(document)
    told = [(problem.path, problem.message) for problem in document.problems]
    assert [path for path, _ in told] == (["mesh.services.pay.other_callers[0]"] if words else [])
    assert not words or words in told[0][1]


@pytest.mark.parametrize(
    ("shop", "pay", "same"),
    [
        ("{app: shop}", "{app: shop, version: v2}", True),
        ("{app: shop, version: v2}", "{app: shop}", True),
        ("{app: shop, version: v1}", "{app: shop, version: v2}", False),
        ("{app: shop}", "{app: pay}", False),
    ],
)
def test_a_wider_selector_picks_the_pods_of_a_narrower(shop: str, pay: str, same: bool) -> None:
    """Both policies would hold for them, and Istio lets in whom either does; on another port, or elsewhere, they are others."""
    base = BASE.replace("apis: [", "apis: [{upstream: pay}, ").replace("{shop:", "{pay: {endpoints: ['b:1']}, shop:")
    for port, namespace, told in ((1, "a", same), (2, "a", False), (1, "b", False)):
        mesh = (
            f"{{services: {{shop: {{namespace: a, selector: {shop}, port: 1}},"
            f" pay: {{namespace: {namespace}, selector: {pay}, port: {port}}}}}}}"
        )
        assert found(mesh, base) == ([("mesh.services.pay", False)] if told else []), mesh


@pytest.mark.parametrize(("name", "told"), [("edge", True), ("x", True), ("public", False)])
def test_the_front_is_nobody_else(name: str, told: bool) -> None:
    """Under a caller's name it would have the caller's rights, and reach services past the gateway."""
    caller = "{service: x, service_account: x, namespace: x, rpcs: [a.B/C]}"
    mesh = (
        f"{{targets: [consul], consul: {{front: {{name: {name}, port: 1}}}},"
        f" services: {{shop: {{{SHOP}, other_callers: [{caller}]}}}}}}"
    )
    assert found(mesh) == ([("mesh.consul.front.name", False)] if told else [])
