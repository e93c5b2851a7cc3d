"""
What `edge mesh` works on: the plan of a configuration, and the documents made of it.

Owns the step from compiled routes to what the gateway exposes: every RPC a client can call in any dialect, by its upstream and those its
calls may be sent to instead. An API
that only its upstream can describe is refused: what is not known cannot be allowed. What a mesh would refuse is neither written, compared
nor applied.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from edge.app import Snapshot
from edge.app.builtin import BUILTIN
from edge.cli.loading import snapshot_of
from edge.cli.output import print_problems
from edge.config.models import Config
from edge.config.ways import ways_of
from edge.core.problem import Problem, ProblemsError
from meshconfig.build import Exposure, Source, build_plan
from meshconfig.checks.every import problems as refused_of
from meshconfig.document import Document, Options
from meshconfig.plan import MeshPlan, Rpc
from meshconfig.targets import documents


def plan_of(path: Path) -> MeshPlan:
    """
    The plan of a configuration file. Raises ProblemsError; warnings go to standard error.

    Files name the configuration without its folder, so that every machine makes the same bytes.
    """
    snapshot = snapshot_of(path)
    source = Source(path.name, f"edge mesh generate -c {path.name}")
    plan, warnings = build_plan(snapshot.config, exposure_of(snapshot), source)
    print_problems(warnings, sys.stderr)
    return plan


def checked_documents(plan: MeshPlan, options: Options) -> tuple[Document, ...]:
    """Every document of the plan. Raises ProblemsError with what a mesh would refuse, or take and ignore."""
    made = documents(plan, options)
    if refused := refused_of(made):
        raise ProblemsError(refused)
    return made


def exposure_of(snapshot: Snapshot) -> Exposure:
    """What is exposed, and what is described. Raises ProblemsError where that is not known."""
    config = snapshot.config
    problems = [
        Problem(
            config.place(f"apis[{index}].reflection"),
            f"apis[{index}].reflection",
            "only the running upstream can say which RPCs this exposes, so that no policy can name them",
            "describe it by protos or descriptors",
        )
        for index, api in enumerate(config.apis)
        if api.name in snapshot.loading and config.mesh is not None and api.upstream in config.mesh.services
    ]
    if problems:
        raise ProblemsError(problems)
    exposed: dict[str, set[Rpc]] = {}
    described: dict[str, set[Rpc]] = {}
    # Both: an RPC of two APIs has one target, but its routes go to either's upstream.
    for target in (*snapshot.routes.targets.values(), *snapshot.routes.routes):
        if target.api != BUILTIN:
            for upstream in _reached(config, target.upstream):
                exposed.setdefault(upstream, set()).add(Rpc(target.rpc.service, target.rpc.method))
    for api in config.apis:
        if description := snapshot.descriptions.get(api.name):
            for upstream in _reached(config, api.upstream):
                described.setdefault(upstream, set()).update(_rpcs(description.descriptor_set))
    return Exposure(exposed, described)


def _reached(config: Config, name: str) -> frozenset[str]:
    """An upstream, and those the gateway itself may send its calls to instead."""
    ways = ways_of(config, name)
    return frozenset({name}).union(*(_reached(config, other) for other in (() if ways is None else ways.upstreams)))


def _rpcs(descriptor_set: bytes) -> Iterator[Rpc]:
    """Every RPC of a descriptor set, exposed or not."""
    for file in FileDescriptorSet.FromString(descriptor_set).file:
        for service in file.service:
            name = f"{file.package}.{service.name}" if file.package else service.name
            yield from (Rpc(name, method.name) for method in service.method)
