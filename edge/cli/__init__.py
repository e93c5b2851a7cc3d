"""
The `edge` command: one file per subcommand, each a thin shell around what the gateway itself uses.

Owns the list of commands and the exit codes: 0 ok, 1 failed, 2 bad input. A user's mistake ends in a text with a fix, never in a
traceback; a traceback is a bug of ours. Commands are registered here, not by import side effects.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from edge import __version__
from edge.cli.certs import certs
from edge.cli.check import check
from edge.cli.demo import demo
from edge.cli.doctor import doctor
from edge.cli.explain import explain
from edge.cli.mesh import mesh
from edge.cli.openapi import openapi
from edge.cli.output import BAD_INPUT, print_problems
from edge.cli.routes import routes
from edge.cli.run import run
from edge.cli.schema import schema
from edge.cli.services import services
from edge.core.problem import ProblemsError

_COMMANDS: tuple[tuple[Callable[..., None], str], ...] = (
    (run, "edge run -c edge.yaml --workers 2"),
    (demo, "edge demo --port 8080"),
    (check, "edge check -c edge.yaml --strict"),
    (routes, "edge routes -c edge.yaml --json"),
    (explain, "edge explain -c edge.yaml GET '/v1/shelves/1/books/2?view=FULL'"),
    (openapi, "edge openapi -c edge.yaml --yaml"),
    (schema, "edge schema > edge.schema.json"),
    (doctor, "edge doctor -c edge.yaml"),
)
"""The subcommands in the order of a user's day, each with an example."""

app = typer.Typer(
    name="edge",
    help="An API gateway that puts gRPC services on the web as REST.",
    epilog="First steps: edge demo; then edge check -c edge.yaml and edge run -c edge.yaml. Exit codes: 0 ok, 1 failed, 2 bad input.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _command, _example in _COMMANDS:
    app.command(epilog=f"Example: {_example}")(_command)
app.add_typer(services)
app.add_typer(certs)
app.add_typer(mesh)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"edge {__version__}")
        raise typer.Exit


@app.callback()
def _edge(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """An API gateway that puts gRPC services on the web as REST."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; `arguments` default to the process's. Always ends in SystemExit."""
    try:
        app(arguments, prog_name="edge")
    except ProblemsError as error:
        print_problems(error.problems, sys.stderr)
        sys.exit(BAD_INPUT)
