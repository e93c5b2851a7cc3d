"""
`edge mesh graph` and `edge mesh explain`: who may call what, as a picture and as an answer.

Owns that `explain` names the object in each mesh that lets a caller in, and ends with 1 when nobody is let in.
"""

from __future__ import annotations

import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

import typer

from edge.cli.mesh_input import plan_of
from edge.cli.output import FAILED, ConfigOption, JsonOption, print_json
from meshconfig.build import rpc_of
from meshconfig.document import Options
from meshconfig.explain import explain as explained
from meshconfig.graph import mermaid, svg
from meshconfig.plan import MeshPlan
from meshconfig.targets import documents


def graph(
    config: ConfigOption = Path("edge.yaml"),
    form: Annotated[Literal["svg", "mermaid"], typer.Option("--format", "-f", help="What to draw.")] = "svg",
) -> None:
    """Draw who may call what, to standard output."""
    plan = plan_of(config)
    sys.stdout.write(svg(plan) if form == "svg" else mermaid(plan))


def explain(
    rpc: Annotated[str, typer.Argument(metavar="RPC", help="As package.Service/Method.")],
    config: ConfigOption = Path("edge.yaml"),
    json: JsonOption = False,
) -> None:
    """
    Say which policy in which mesh lets whom call an RPC.

    Reads the policies as they are generated. Exits with 1 when nobody is let in.
    """
    plan = plan_of(config)
    wanted = rpc_of(rpc.strip("/"))
    found = explained(documents(plan, Options()), plan, wanted)
    if json:
        lines = [{"mesh": each.mesh, "caller": each.caller, "callee": each.callee, "via": each.via} for each in found]
        print_json({"rpc": str(wanted), "allowed": lines})
    elif found:
        for each in found:
            print(f"{each.mesh}: {each.caller} may call {wanted} of {each.callee}\n    by {each.via}")
    else:
        print(f"nobody is let in to call {wanted}{_near(plan, str(wanted))}")
    raise typer.Exit(0 if found else FAILED)


def _near(plan: MeshPlan, rpc: str) -> str:
    known = [str(each) for allowance in plan.allowed for each in allowance.rpcs]
    near = get_close_matches(rpc, known, n=1)
    return f'; did you mean "{near[0]}"?' if near and near[0] != rpc else ""
