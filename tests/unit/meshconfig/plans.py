"""Plans made from the text of a configuration, without descriptions: which RPCs are exposed is given."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import indent

from edge.config.load import load_config
from edge.config.models import Config
from edge.core.problem import Problem
from meshconfig.build import Exposure, Source, build_plan, rpc_of
from meshconfig.plan import MeshPlan

SHOP = ("lab.v1.Shop/GetItem", "lab.v1.Shop/ListItems")
PAY = ("lab.v1.Pay/Charge",)
SOURCE = Source("edge.yaml", "edge mesh generate -c edge.yaml")

LAB = """\
targets: [consul]
services:
  shop: {namespace: shop, selector: {app: shop}, port: 50051,
         other_callers: [{service: billing, service_account: billing, namespace: billing, rpcs: [lab.v1.Shop/GetItem]}]}
  pay: {namespace: pay, selector: {app: pay}, port: 50052}
"""
"""Two upstreams, one with another caller."""


def config_of(mesh: str, upstreams: Sequence[str]) -> Config:
    """A configuration with this `mesh` section."""
    apis = "\n".join(f"  - {{name: {name}, reflection: true, upstream: {name}}}" for name in upstreams)
    dialled = "\n".join(f"  {name}: {{endpoints: ['127.0.0.1:50051']}}" for name in upstreams)
    text = (
        f"listeners: [{{bind: '127.0.0.1:8080'}}]\napis:\n{apis}\nupstreams:\n{dialled}\nmesh:\n{indent(mesh, '  ')}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "edge.yaml"
        path.write_text(text)
        return load_config(path, {})


def built(mesh: str = LAB, exposed: Mapping[str, Sequence[str]] | None = None) -> tuple[MeshPlan, tuple[Problem, ...]]:
    """The plan and its warnings."""
    exposed = {"shop": SHOP, "pay": PAY} if exposed is None else exposed
    rpcs = {name: {rpc_of(rpc) for rpc in each} for name, each in exposed.items()}
    return build_plan(config_of(mesh, sorted(exposed)), Exposure(rpcs, rpcs), SOURCE)


def plan_of(mesh: str = LAB, exposed: Mapping[str, Sequence[str]] | None = None) -> MeshPlan:
    """The plan."""
    return built(mesh, exposed)[0]
