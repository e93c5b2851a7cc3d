"""`edge explain`: how an explanation reads, and its exit code."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.unit.cli.conftest import Edge


def test_forwarded(edge: Edge, shop: Path) -> None:
    """Match, bindings, RPC, upstream, policies, deadline, metadata, message: exit 0."""
    result = edge("explain", "get", "/v1/shelves/1/things/2?full=true", "-H", "X-A: [red]b", "-H", "Grpc-Timeout: 1S")
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0] == "request    GET /v1/shelves/1/things/2?full=true"
    assert lines[1].startswith("match      GET /v1/shelves/{shelf}/things/{id}   (shop.proto:")
    assert lines[2:7] == [
        "  path     shelf = 1",
        "  path     id = 2",
        "  query    full = true",
        "rpc        /shop.v1.Shop/GetThing   (api shop)",
        "upstream   shop: 127.0.0.1:50051, 127.0.0.1:50052",
    ]
    assert lines[7].startswith("policies   ")
    assert lines[8] == "deadline   1s, the client's Grpc-Timeout"
    assert "metadata   x-a: [red]b" in lines
    assert "metadata   x-token: ***" in lines
    assert '  "shelf": "1",' in lines
    assert "hunter2" not in result.out


def test_refused(edge: Edge, shop: Path) -> None:
    """The answer the client would get: exit 1."""
    result = edge("explain", "GET", "/v1/things/seven")
    assert result.code == 1
    assert "answer     400, from the gateway: nothing is sent upstream" in result.out
    assert "deadline   5s, the route's timeout" in result.out
    assert '"field": "id"' in result.out


def test_unmatched(edge: Edge, shop: Path) -> None:
    """Near misses instead of a match."""
    result = edge("explain", "GET", "/v1/thing/7")
    assert result.code == 1
    assert "match      none" in result.out
    assert '  near     GET /v1/things/{id}: segment 2 is "things", in the path "thing"' in result.out


def test_body_from_a_file(edge: Edge, shop: Path) -> None:
    """As curl reads it."""
    (shop.parent / "body.json").write_text('{"name": "x"}')
    result = edge("explain", "POST", "/v1/shelves/s/things", "-d", "@body.json")
    assert result.code == 0
    assert '  body     thing = {"name":"x"}' in result.out


def test_json(edge: Edge, shop: Path) -> None:
    """All of it for machines; secrets stay hidden."""
    data = edge("explain", "GET", "/v1/things/2", "--json").json
    assert data["forwarded"]
    assert data["route"]["rpc"] == "shop.v1.Shop.GetThing"
    assert data["bindings"] == [{"field": "id", "value": "2", "source": "path"}]
    assert data["endpoints"] == ["127.0.0.1:50051", "127.0.0.1:50052"]
    assert data["deadline_s"] == 5.0
    assert ["x-token", "***"] in data["metadata"]
    assert data["message"] == {"id": "2"}
    assert data["answer"] is None


@pytest.mark.parametrize(
    ("dial", "endpoints"),
    [
        ({"dial": "native"}, ["consul things (native)"]),
        ({"dial": "sidecar", "listener": "127.0.0.1:9191"}, ["127.0.0.1:9191 (our sidecar)"]),
    ],
)
def test_an_upstream_found_in_consul(dial: dict[str, str], endpoints: list[str], edge: Edge, shop: Path) -> None:
    """Nothing is asked of Consul; what would be is said."""
    given = yaml.safe_load(shop.read_text())
    for upstream in given["upstreams"].values():
        upstream.pop("endpoints", None)
        upstream.pop("tls", None)
        upstream["consul"] = {"service": "things", **dial}
    given["consul"] = {"service": "edge"}
    shop.write_text(yaml.safe_dump(given))
    assert edge("explain", "GET", "/v1/things/2", "--json").json["endpoints"] == endpoints


@pytest.mark.parametrize("url", ["/nothing/like/it", "/v1/things/2?x=1"])
def test_json_of_a_refusal(url: str, edge: Edge, shop: Path) -> None:
    """The answer with its status and body."""
    result = edge("explain", "GET", url, "--json")
    assert result.code == 1
    assert result.json["answer"]["status"] in {400, 404}
    assert result.json["answer"]["body"]["details"]
