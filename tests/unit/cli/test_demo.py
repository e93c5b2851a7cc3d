"""`edge demo`: its ports. The demo itself is tested with `edge.demo`."""

from __future__ import annotations

import socket

from tests.unit.cli.conftest import Edge


def test_a_taken_port(edge: Edge) -> None:
    """A port asked for and not free is bad input."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = edge("demo", "--port", str(taken.getsockname()[1]))
    assert result.code == 2
    assert "edge demo: " in result.err
