"""`edge openapi`: the document of an API."""

from __future__ import annotations

from pathlib import Path

import yaml

from edge.app import Snapshot
from edge.app.described import openapi_documents
from tests.unit.cli.conftest import PROTO, Edge


def test_the_bytes_the_gateway_serves(edge: Edge, snapshot: Snapshot) -> None:
    """JSON, nothing added."""
    result = edge("openapi")
    assert (result.code, result.err) == (0, "")
    assert result.out.encode() == openapi_documents(snapshot)["/openapi.json"]


def test_yaml(edge: Edge, shop: Path) -> None:
    """The same value, without anchors."""
    printed = edge("openapi", "--yaml").out
    assert yaml.safe_load(printed) == edge("openapi").json
    assert "&id" not in printed


def test_servers(edge: Edge, shop: Path) -> None:
    """As many as are named."""
    whole = edge("openapi", "--server", "https://a.example", "--server", "https://b.example").json
    assert [server["url"] for server in whole["servers"]] == ["https://a.example", "https://b.example"]


def test_unknown_api(edge: Edge, shop: Path) -> None:
    """Bad input, with the nearest name."""
    result = edge("openapi", "--api", "shopp")
    assert (result.code, result.out) == (2, "")
    assert result.err == '--api: error: there is no API "shopp"\n    fix: did you mean "shop"?\n'


def test_several_apis(edge: Edge, shop: Path) -> None:
    """One must be named."""
    other = PROTO.replace("shop.v1", "second.v1").replace("/v1/", "/v2/")
    (shop.parent / "protos" / "second.proto").write_text(other)
    more = "  - name: second\n    protos: {roots: [protos], files: [second.proto]}\n    upstream: shop\n"
    shop.write_text(shop.read_text().replace("upstreams:\n", f"{more}upstreams:\n", 1))
    whole = edge("openapi", "--api", "second").json
    assert whole["info"]["title"] == "second"
    assert all(path.startswith("/v2/") for path in whole["paths"])
    ambiguous = edge("openapi")
    assert (ambiguous.code, ambiguous.out) == (2, "")
    assert ambiguous.err.endswith("fix: name one with --api: shop, second\n")


def test_reflected_api(edge: Edge, shop: Path) -> None:
    """Its document is the running gateway's to give."""
    shop.write_text(shop.read_text().replace("protos: {roots: [protos], files: [shop.proto]}", "reflection: true"))
    result = edge("openapi")
    assert result.code == 2
    assert "fetch its document from the running gateway" in result.err
