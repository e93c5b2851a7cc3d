"""`edge run`: what is refused before anything listens. Serving itself is tested over real sockets."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.unit.cli.conftest import Edge


def test_a_missing_file(edge: Edge, tmp_path: Path) -> None:
    """Exit 2 with the path."""
    result = edge("run", "-c", str(tmp_path / "no.yaml"))
    assert result.code == 2
    assert "no.yaml: error: cannot be read: No such file or directory" in result.err


def test_a_taken_address(edge: Edge, shop: Path) -> None:
    """Exit 2 with the setting."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        shop.write_text(shop.read_text().replace("127.0.0.1:8080", f"127.0.0.1:{taken.getsockname()[1]}"))
        result = edge("run")
    assert result.code == 2
    assert "listeners[0].bind" in result.err
