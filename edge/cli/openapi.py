"""
`edge openapi`: the OpenAPI document of an API, as the gateway serves it.

Owns the choice of the API and the form: the same bytes as `/openapi.json`, or YAML of the same value.
"""

from __future__ import annotations

import json as json_text
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
import yaml

from edge.app import Snapshot
from edge.app.described import openapi_sources
from edge.cli.loading import snapshot_of
from edge.cli.output import ConfigOption
from edge.core.problem import Problem, ProblemsError
from edge.descriptors.did_you_mean import did_you_mean
from edge.openapi import ApiSource, document, serialized


def openapi(
    config: ConfigOption = Path("edge.yaml"),
    api: Annotated[str, typer.Option("--api", metavar="NAME", help="Which API; needed when there are several.")] = "",
    as_yaml: Annotated[bool, typer.Option("--yaml", help="Print YAML instead of JSON.")] = False,
    server: Annotated[
        list[str] | None,
        typer.Option("--server", metavar="URL", help="A base URL the API answers at; may be given several times."),
    ] = None,
) -> None:
    """
    Print the OpenAPI 3.1 document of an API.

    It describes what is served: the compiled routes with the JSON options of the API. An API described by reflection
    is known only while the gateway runs: fetch its document from there.
    """
    snapshot = snapshot_of(config)
    printed = serialized(document(_chosen(snapshot, api, openapi_sources(snapshot, server or ())))).decode()
    if as_yaml:
        whole = json_text.loads(printed)
        yaml.dump(whole, sys.stdout, yaml.SafeDumper, sort_keys=False, allow_unicode=True, width=120)
    else:
        print(printed, end="")


def _chosen(snapshot: Snapshot, name: str, known: Sequence[ApiSource]) -> ApiSource:
    """The API of that name, or the only one. Raises ProblemsError."""
    names = [api.name for api in snapshot.config.apis]
    if not name and len(names) > 1:
        raise _problem("the configuration has several APIs", f"name one with --api: {', '.join(names)}")
    name = name or names[0]
    if name in snapshot.loading:
        fix = "fetch its document from the running gateway: /openapi.json"
        raise _problem(f'"{name}" is described by its upstream; its routes are known once the gateway runs', fix)
    for api in known:
        if api.name == name:
            return api
    raise _problem(f'there is no API "{name}"', did_you_mean(name, names))


def _problem(message: str, fix: str) -> ProblemsError:
    return ProblemsError([Problem("", "--api", message, fix)])
