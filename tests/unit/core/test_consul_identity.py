"""SPIFFE IDs and server names of services in the mesh, as Consul spells them."""

from __future__ import annotations

import pytest

from edge.core.consul_identity import MeshService, service_at

TD = "11111111-2222-3333-4444-555555555555.consul"


@pytest.mark.parametrize(
    ("service", "path"),
    [
        (MeshService("web", "dc1"), "/ns/default/dc/dc1/svc/web"),
        (MeshService("web", "dc1", partition="Team"), "/ap/team/ns/default/dc/dc1/svc/web"),
        (MeshService("web", "dc2", namespace="shop"), "/ns/shop/dc/dc2/svc/web"),
        (MeshService("we b", "dc1"), "/ns/default/dc/dc1/svc/we%20b"),
        (MeshService("web", "dc1", namespace=""), "/ns/default/dc/dc1/svc/web"),
    ],
)
def test_spiffe_id(service: MeshService, path: str) -> None:
    """The default partition is left out, others are lower case; the trust domain is lower case."""
    assert service.spiffe_id(TD.upper()) == f"spiffe://{TD}{path}"


@pytest.mark.parametrize(
    ("service", "subset", "name"),
    [
        (MeshService("web", "dc1"), "", f"web.default.dc1.internal.{TD}"),
        (MeshService("web", "dc1"), "v2", f"v2.web.default.dc1.internal.{TD}"),
        (MeshService("web", "dc1", "shop", "Team"), "", f"web.shop.team.dc1.internal-v1.{TD}"),
        (MeshService("web", "dc1", "shop", "Team"), "v2", f"v2.web.shop.team.dc1.internal-v1.{TD}"),
        (MeshService("web", "dc1", peer="east"), "", f"web.default.default.east.external.{TD}"),
    ],
)
def test_server_name(service: MeshService, subset: str, name: str) -> None:
    """As agent/connect/sni.go makes it."""
    assert service.sni(TD, subset) == name


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/ns/default/dc/dc1/svc/web", MeshService("web", "dc1")),
        ("/ap/east/ns/shop/dc/dc1/svc/web", MeshService("web", "dc1", "shop", "east")),
        ("/ns/default/dc/dc1/svc/a%2Fb", MeshService("a/b", "dc1")),
        ("/gateway/mesh/dc/dc1", None), ("/agent/client/dc/dc1/id/node", None), ("", None), ("/ns/default/dc/dc1/svc/web/x", None),
        ("/x/ns/default/dc/dc1/svc/web", None), ("/ns/default/dc/dc1/svc/", None),
    ],
)  # fmt: skip
def test_who_a_path_names(path: str, expected: MeshService | None) -> None:
    """A service, and nothing else; what it is called by is what it reads from."""
    found = service_at(path)
    assert found == expected
    if found is not None:
        assert found.spiffe_id("td.test") == f"spiffe://td.test{path}"
