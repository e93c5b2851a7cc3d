"""
From the configuration to the plan: who may call what, and nothing more.

Owns default deny in the making: the gateway is allowed exactly the RPCs its APIs expose on each upstream, other callers exactly what the
configuration lists; an upstream nothing exposes gets no policy. An RPC that does not exist is a problem, not an allowance. Pure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

from edge.config.mesh_models import MeshGateway, MeshPolicies, MeshService, OtherCaller
from edge.config.models import Config
from edge.core.problem import Problem, ProblemsError
from meshconfig.plan import Allowance, Caller, GatewayIdentity, MeshPlan, PlannedService, Rpc

HASH_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Source:
    """Where a plan comes from: the file's name, and the command that makes files of it."""

    name: str
    command: str


@dataclass(frozen=True, slots=True)
class Exposure:
    """
    What the compiled routes and descriptions say. Both by the upstream's name.

    `exposed` are the RPCs clients of the gateway can call in any dialect; `described` all that are known, which other callers may call.
    """

    exposed: Mapping[str, Collection[Rpc]]
    described: Mapping[str, Collection[Rpc]]


def build_plan(config: Config, exposure: Exposure, source: Source) -> tuple[MeshPlan, tuple[Problem, ...]]:
    """
    The plan, and warnings about it. `source` is written into what is generated.

    Raises ProblemsError when there is no `mesh` section, or an RPC of another caller does not exist.
    """
    mesh = config.mesh
    if mesh is None:
        fix = "add mesh: {targets: [consul], services: {…}}; see docs/mesh-policies.md"
        raise ProblemsError([Problem(config.place(""), "mesh", "the file says nothing about a mesh", fix)])
    problems = _problems(config, mesh, exposure)
    if any(not problem.warning for problem in problems):
        raise ProblemsError(problems)
    gateway = _gateway(config, mesh.gateway)
    plan = MeshPlan(
        source=source.name,
        config_hash="",
        command=source.command,
        targets=tuple(sorted(mesh.targets)),
        gateway=gateway,
        services=tuple(_service(key, mesh.services[key]) for key in sorted(mesh.services) if exposure.exposed.get(key)),
        allowed=_allowed(mesh, gateway.caller, exposure),
        default_allow=mesh.default_allow,
        consul=mesh.consul,
        gateway_api=mesh.gateway_api,
        workload=mesh.workload,
    )
    return replace(plan, config_hash=_hash(plan)), tuple(problems)


def _gateway(config: Config, given: MeshGateway) -> GatewayIdentity:
    return GatewayIdentity(
        caller=Caller(given.service, given.namespace, given.service_account),
        trust_domain=given.trust_domain,
        linkerd_namespace=given.linkerd_namespace,
        selector=tuple(sorted(given.selector.items())),
        ports=tuple(sorted({listener.bind.port for listener in config.listeners})),
    )


def _service(key: str, given: MeshService) -> PlannedService:
    service = given.service or key
    return PlannedService(
        key=key,
        service=service,
        namespace=given.namespace,
        service_account=given.service_account or service,
        selector=tuple(sorted(given.selector.items())),
        port=given.port,
        protocol=given.protocol,
        probes=given.probes,
        rate_limit=given.rate_limit,
        timeout_s=None if given.timeout is None else float(given.timeout),
        retries=given.retries,
        split=given.split if given.split is not None and given.split.by == "mesh" else None,
        failover=given.failover if given.failover is not None and given.failover.by == "mesh" else None,
        jwt=given.jwt,
        export_to=tuple(sorted(given.export_to)),
        consul_service=given.consul_service or "",
    )


def _allowed(mesh: MeshPolicies, gateway: Caller, exposure: Exposure) -> tuple[Allowance, ...]:
    allowed = []
    for key, service in mesh.services.items():
        exposed = exposure.exposed.get(key)
        if not exposed:
            continue
        allowed.append(Allowance(gateway, key, tuple(sorted(set(exposed)))))
        for other in service.other_callers:
            caller = Caller(other.service, other.namespace, other.service_account)
            allowed.append(Allowance(caller, key, tuple(sorted({rpc_of(rpc) for rpc in other.rpcs}))))
    return tuple(sorted(allowed, key=lambda allowance: (allowance.callee, allowance.caller)))


def rpc_of(text: str) -> Rpc:
    """`package.Service/Method` as the configuration writes it."""
    service, _, method = text.partition("/")
    return Rpc(service, method)


def _problems(config: Config, mesh: MeshPolicies, exposure: Exposure) -> list[Problem]:
    found = []
    for key, service in mesh.services.items():
        described = sorted({str(rpc) for rpc in exposure.described.get(key, ())})
        for index, other in enumerate(service.other_callers):
            path = f"mesh.services.{key}.other_callers[{index}]"
            found += _unknown_rpcs(config, path, other, described)
    return found


def _unknown_rpcs(config: Config, path: str, other: OtherCaller, described: Sequence[str]) -> list[Problem]:
    """A misspelt RPC would lock the caller out; one of a service no description has cannot be told from that."""
    services = {rpc.partition("/")[0] for rpc in described}
    found = []
    for index, rpc in enumerate(other.rpcs):
        if rpc in described:
            continue
        here, service = f"{path}.rpcs[{index}]", rpc.partition("/")[0]
        near = get_close_matches(rpc, described, n=1, cutoff=0.75)
        if near or service in services:
            siblings = [each for each in described if each.startswith(f"{service}/")]
            fix = f'did you mean "{near[0]}"?' if near else f"known: {', '.join(siblings)}"
            found.append(Problem(config.place(here), here, f'"{rpc}" does not exist', fix))
        else:
            message = f'no API describes "{rpc}": it is allowed as it is written'
            found.append(Problem(config.place(here), here, message, "see that it is spelt right", warning=True))
    return found


def _hash(plan: MeshPlan) -> str:
    """Of everything that is generated from, so that it changes exactly when that does; no secret is in it."""
    text = json.dumps(asdict(replace(plan, source="", command="")), sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_LENGTH]


def _plain(value: object) -> Any:  # noqa: ANN401  # what JSON takes
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} is not part of a plan")
