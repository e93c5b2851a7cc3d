"""
Who the demo's bookstore would be in a mesh, and the commands that show what follows from that.

Owns the `mesh` section of the demo's configuration, for `edge mesh` alone: the running gateway does not read it. The names are invented,
the RPCs are the demo's own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

SECTION: dict[str, Any] = {
    "targets": ["consul", "linkerd", "istio"],
    "services": {
        "bookstore": {
            "namespace": "books",
            "selector": {"app": "bookstore"},
            "port": 50051,
            "other_callers": [
                {
                    "service": "printshop",
                    "service_account": "printshop",
                    "namespace": "print",
                    "rpcs": ["bookstore.v1.Bookstore/GetBook", "bookstore.v1.Bookstore/ListBooks"],
                }
            ],
        }
    },
}


def text(file: Path) -> str:
    """Lines to paste: the picture, and what would be put into a Consul."""
    return (
        "\n# who may call what in a mesh: a picture, and what would be put into a Consul that runs here\n"
        f"edge mesh graph -c {file} > graph.svg\nedge mesh plan -c {file}"
    )
