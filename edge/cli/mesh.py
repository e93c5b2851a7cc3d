"""
`edge mesh`: the policies that make the gateway the only way in, written, compared, applied, checked.

Owns the list of its commands. Exit codes: 0 ok, 1 failed (for `plan` and `verify`: something differs), 2 bad input.
"""

from __future__ import annotations

from collections.abc import Callable

import typer

from edge.cli.mesh_apply import apply, prune
from edge.cli.mesh_compare import plan, verify
from edge.cli.mesh_generate import generate
from edge.cli.mesh_show import explain, graph

EXIT_CODES = "Exit codes: 0 ok, 1 failed, 2 bad input."

mesh = typer.Typer(
    name="mesh",
    help="Mesh policies generated from the configuration.",
    epilog=f"Example: edge mesh generate -c edge.yaml -o policies. {EXIT_CODES}",
    no_args_is_help=True,
    rich_markup_mode=None,
)
_COMMANDS: tuple[tuple[Callable[..., None], str], ...] = (
    (generate, "edge mesh generate -c edge.yaml -o policies"),
    (plan, "edge mesh plan -c edge.yaml --against consul"),
    (apply, "edge mesh apply -c edge.yaml --audit"),
    (verify, "edge mesh verify -c edge.yaml --against cluster.yaml"),
    (prune, "edge mesh prune -c edge.yaml --dry-run"),
    (graph, "edge mesh graph -c edge.yaml > graph.svg"),
    (explain, "edge mesh explain lab.v1.Shop/GetItem -c edge.yaml"),
)
for _command, _example in _COMMANDS:
    mesh.command(epilog=f"Example: {_example}. {EXIT_CODES}")(_command)
