"""
`edge demo`: a bookstore service and a gateway in front of it, with curl lines to try.

Owns only the command's shape; `edge.demo` runs it and chooses the ports.
"""

from __future__ import annotations

from typing import Annotated

import typer

from edge.demo.run import run as run_demo

_PORTS = {"min": 1, "max": 65535, "show_default": "the usual one, or a free one"}


def demo(
    port: Annotated[int | None, typer.Option("--port", help="Where the gateway listens.", **_PORTS)] = None,
    admin_port: Annotated[int | None, typer.Option("--admin-port", help="Where its admin listens.", **_PORTS)] = None,
    upstream_port: Annotated[
        int | None, typer.Option("--upstream-port", help="Where the service listens.", **_PORTS)
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Make the printed requests, report each, and end.")] = False,
) -> None:
    """
    Try the gateway before a bookstore service.

    Starts both and prints curl lines that work when pasted.
    """
    raise typer.Exit(run_demo(port, admin_port, upstream_port, check=check))
