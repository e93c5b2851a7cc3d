"""
`edge schema`: the configuration's JSON Schema for editors, or its reference page.

Owns nothing but the choice between the two; both are made of the models.
"""

from __future__ import annotations

from typing import Annotated

import typer

from edge.cli.output import print_json
from edge.config.reference import markdown
from edge.config.schema import json_schema


def schema(
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the reference page docs/configuration.md instead.")
    ] = False,
) -> None:
    """Print the JSON Schema of the configuration file."""
    if as_markdown:
        print(markdown(), end="")
    else:
        print_json(json_schema())
