"""
`edge run`: the gateway itself.

Owns only the command's shape; `edge.app` runs it. Problems in the file end it with their lines and exit code 2, before anything listens.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge import app
from edge.cli.output import ConfigOption


def run(
    config: ConfigOption = Path("edge.yaml"),
    workers: Annotated[int, typer.Option("--workers", min=1, max=256, help="Processes that serve.")] = 1,
) -> None:
    """
    Run the gateway.

    SIGTERM or SIGINT stops accepting, finishes the calls that run, and exits with 0. With several workers a
    supervisor holds the listening sockets and restarts workers that die.
    """
    raise typer.Exit(app.run(config, workers))
