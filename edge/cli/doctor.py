"""
`edge doctor`: what this machine and this configuration give the gateway to work with.

Owns the findings and what is said about each. Without a configuration it looks at the machine alone; with one it also tries
every address the file names. It changes nothing: a listener's port is bound for a moment and let go.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from edge.cli.findings import Finding, State, machine, reachability
from edge.cli.located_findings import located
from edge.cli.output import FAILED, JsonOption, console, print_json
from edge.config.load import load_config
from edge.config.models import Config

_COLOURS = {State.OK: "green", State.WARNING: "yellow", State.FAILED: "red"}


def doctor(
    config: Annotated[
        Path | None, typer.Option("--config", "-c", metavar="FILE", help="Also try what this configuration names.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """
    Report what the gateway has to work with.

    Versions, the engine, limits, and whether listeners and upstreams can be reached. Exits with 0 when
    nothing failed, with 1 otherwise.
    """
    loaded = load_config(config, os.environ) if config else None
    found = machine(loaded) + ([*reachability(loaded), *_consul(loaded), *located(loaded)] if loaded else [])
    if json:
        print_json([{**asdict(finding), "state": finding.state.value} for finding in found])
    else:
        _print(found)
    raise typer.Exit(FAILED if any(finding.state is State.FAILED for finding in found) else 0)


def _consul(config: Config) -> list[Finding]:
    if config.consul is None:
        return []
    from edge.cli.consul_findings import consul  # Consul's client and aiohttp are 20 MiB: only where there is a mesh

    return consul(config)


def _print(found: list[Finding]) -> None:
    out = console()
    for finding in found:
        out.print(f"{finding.state.value:<8}", style=_COLOURS[finding.state], end="")
        out.print(f" {finding.subject}: {finding.text}")
