"""`edge routes`: the compiled table."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cli.conftest import Edge


def test_table(edge: Edge, shop: Path) -> None:
    """Every binding with its RPC, upstream, body and source."""
    result = edge("routes")
    lines = [line.split() for line in result.out.splitlines()]
    assert lines[0] == ["METHOD", "TEMPLATE", "RPC", "UPSTREAM", "BODY", "SOURCE"]
    assert lines[1][:5] == ["GET", "/v1/things/{id}", "shop.v1.Shop.GetThing", "shop", "-"]
    assert lines[1][5].startswith("shop.proto:")
    assert lines[3][:5] == ["POST", "/v1/shelves/{shelf}/things", "shop.v1.Shop.CreateThing", "shop", "thing"]
    assert lines[5][2:5] == ["shop.v1.Shop.Watch", "(server", "streaming)"]
    assert not any(line.endswith(" ") for line in result.out.splitlines())


def test_json(edge: Edge, shop: Path) -> None:
    """The same for machines, with the policies they pass."""
    data = edge("routes", "--json").json
    assert len(data["routes"]) == 5
    assert data["policies"]
    assert data["reflected_apis"] == []
    assert data["routes"][2] | {"source": ""} == {
        "method": "POST",
        "template": "/v1/shelves/{shelf}/things",
        "rpc": "shop.v1.Shop.CreateThing",
        "api": "shop",
        "upstream": "shop",
        "body": "thing",
        "response_body": "",
        "streaming": "",
        "timeout_s": 5.0,
        "source": "",
    }


def test_reflected_apis_are_named(edge: Edge, shop: Path) -> None:
    """An empty table is explained."""
    shop.write_text(shop.read_text().replace("protos: {roots: [protos], files: [shop.proto]}", "reflection: true"))
    result = edge("routes")
    assert result.out.splitlines() == ["METHOD  TEMPLATE  RPC  UPSTREAM  BODY  SOURCE"]
    assert result.err == "shop: described by its upstream; its routes are known once the gateway runs\n"
