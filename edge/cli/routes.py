"""
`edge routes`: the compiled table, in the order of the APIs and their bindings.

Owns its columns. What it lists is what the gateway looks requests up in.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.app import policy_names
from edge.cli.loading import snapshot_of
from edge.cli.output import ConfigOption, JsonOption, console, print_json, print_table
from edge.routes import Route

_TITLES = ("METHOD", "TEMPLATE", "RPC", "UPSTREAM", "BODY", "SOURCE")


def routes(config: ConfigOption = Path("edge.yaml"), json: JsonOption = False) -> None:
    """
    List the compiled routes.

    For each: method, template, RPC, upstream, body, and where it was written. Routes of an API described by
    reflection are known only while the gateway runs.
    """
    snapshot = snapshot_of(config)
    table = [route_data(route) for route in snapshot.routes.routes]
    if json:
        print_json({"policies": policy_names(), "routes": table, "reflected_apis": list(snapshot.loading)})
        return
    print_table(_TITLES, (_row(route) for route in table))
    for api in snapshot.loading:
        console(sys.stderr).print(f"{api}: described by its upstream; its routes are known once the gateway runs")


def route_data(route: Route) -> dict[str, Any]:
    """A route for machines."""
    binding = route.binding
    return {
        "method": binding.http_method,
        "template": binding.template,
        "rpc": route.rpc.selector,
        "api": route.api,
        "upstream": route.upstream,
        "body": binding.body,
        "response_body": binding.response_body,
        "streaming": _streaming(route),
        "timeout_s": None if route.timeout_s is None else float(route.timeout_s),
        "source": binding.source,
    }


def _streaming(route: Route) -> str:
    sides = [
        side
        for side, streams in (("client", route.rpc.client_streaming), ("server", route.rpc.server_streaming))
        if streams
    ]
    return " and ".join(sides)


def _row(route: Mapping[str, Any]) -> list[str]:
    rpc = f"{route['rpc']} ({route['streaming']} streaming)" if route["streaming"] else route["rpc"]
    return [route["method"], route["template"], rpc, route["upstream"], route["body"] or "-", route["source"]]
