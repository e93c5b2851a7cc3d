"""`edge doctor`: its verdict and its forms."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from edge.cli import findings
from edge.wire.engines import engine
from edge.wire.portable import PORTABLE
from tests.unit.cli.conftest import Edge

CLOSED = ("endpoints: [127.0.0.1:50051, 127.0.0.1:50052]", "endpoints: [127.0.0.1:{port}]")


def configured(shop: Path, port: int) -> None:
    """Point the configuration at one upstream port, and let the system choose its own."""
    text = shop.read_text().replace(CLOSED[0], CLOSED[1].format(port=port))
    shop.write_text(text.replace("127.0.0.1:8080", "127.0.0.1:0") + "admin: null\n")


def test_without_a_configuration(edge: Edge) -> None:
    """The machine alone: exit 0."""
    result = edge("doctor")
    assert result.code == 0
    assert "ok       edge: " in result.out
    assert f" engine: {engine().name} " in result.out


def test_the_portable_engine_is_told_at_its_price(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    """A warning, no failure: the gateway works without the native one."""
    monkeypatch.setattr(findings, "engine", lambda: PORTABLE)
    result = edge("doctor")
    assert result.code == 0
    assert "warning  engine: portable " in result.out
    assert "several times the CPU" in result.out


def test_an_upstream_that_answers(edge: Edge, shop: Path) -> None:
    """Everything the file names can be reached: exit 0."""
    with socket.socket() as upstream:
        upstream.bind(("127.0.0.1", 0))
        upstream.listen()
        configured(shop, upstream.getsockname()[1])
        result = edge("doctor", "-c", "edge.yaml")
    assert result.code == 0
    assert "ok       listeners[0]: 127.0.0.1:0 is free" in result.out
    assert "accepts connections" in result.out


def test_an_upstream_that_is_down(edge: Edge, shop: Path) -> None:
    """Exit 1, the endpoint named; the same as JSON."""
    with socket.socket() as bound:  # bound and not listening: nobody else can take the port meanwhile
        bound.bind(("127.0.0.1", 0))
        configured(shop, bound.getsockname()[1])
        result = edge("doctor", "-c", "edge.yaml", "--json")
    assert result.code == 1
    (failed,) = [finding for finding in result.json if finding["state"] == "failed"]
    assert failed["subject"] == "upstreams.shop"
    assert "Connection refused" in failed["text"]
