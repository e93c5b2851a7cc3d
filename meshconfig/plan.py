"""
The plan: who may call which RPC of which service, and what each mesh must know of both. Immutable, sorted, independent of any mesh.

Owns default deny: what is not in `MeshPlan.allowed` is not allowed, and no renderer is given anything else to allow from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from edge.config.mesh_models import (
    ConsulMesh,
    Failover,
    GatewayApiMesh,
    JwtRequirement,
    LocalRateLimit,
    Mesh,
    Probes,
    Retries,
    Split,
    Workload,
)


@dataclass(frozen=True, slots=True, order=True)
class Caller:
    """A workload's identities: a ServiceAccount in Linkerd and Istio, a service name in Consul."""

    service: str
    namespace: str
    service_account: str


@dataclass(frozen=True, slots=True, order=True)
class Rpc:
    """`service` is the full name of a gRPC service, `method` its method."""

    service: str
    method: str

    @property
    def path(self) -> str:
        """`/package.Service/Method`: what proxies match."""
        return f"/{self.service}/{self.method}"

    def __str__(self) -> str:
        return f"{self.service}/{self.method}"


HEALTH_CHECK = Rpc("grpc.health.v1.Health", "Check")
"""What kubelet probes call, without an identity."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """`caller` may call exactly these RPCs of the service named `callee`; sorted, never empty."""

    caller: Caller
    callee: str
    rpcs: tuple[Rpc, ...]


@dataclass(frozen=True, slots=True)
class PlannedService:
    """
    A service the gateway calls. `key` is the upstream's name in the configuration, `service` its name in Kubernetes.

    `selector` are sorted pairs. `timeout_s` is None where the mesh is to set none. `split` and `failover` are here only where the
    mesh does them: what is said `by: edge` never reaches a renderer. `consul_service` is empty where it is `service`.
    """

    key: str
    service: str
    namespace: str
    service_account: str
    selector: tuple[tuple[str, str], ...]
    port: int
    protocol: str
    probes: Probes
    rate_limit: LocalRateLimit | None = None
    timeout_s: float | None = None
    retries: Retries | None = None
    split: Split | None = None
    failover: Failover | None = None
    jwt: JwtRequirement | None = None
    export_to: tuple[str, ...] = ()
    consul_service: str = ""

    @property
    def consul_name(self) -> str:
        """Its name in Consul."""
        return self.consul_service or self.service

    @property
    def by_rpc(self) -> bool:
        """Whether a proxy can tell its RPCs apart; otherwise a caller that may call one may call all."""
        return self.protocol != "tcp"


@dataclass(frozen=True, slots=True)
class GatewayIdentity:
    """The gateway: the caller it is, and what only it needs. `ports` are those it listens on, ascending."""

    caller: Caller
    trust_domain: str
    linkerd_namespace: str
    selector: tuple[tuple[str, str], ...]
    ports: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MeshPlan:
    """
    Everything that is to be written. `source` and `config_hash` say what it was made from, `command` how.

    `services` are sorted by key, `allowed` by callee, then caller.
    """

    source: str
    config_hash: str
    command: str
    targets: tuple[Mesh, ...]
    gateway: GatewayIdentity
    services: tuple[PlannedService, ...]
    allowed: tuple[Allowance, ...]
    default_allow: bool = False
    consul: ConsulMesh = field(default_factory=ConsulMesh)
    gateway_api: GatewayApiMesh = field(default_factory=GatewayApiMesh)
    workload: Workload = field(default_factory=Workload)

    def callers_of(self, key: str) -> Iterator[Allowance]:
        """Who may call a service, sorted."""
        return (allowance for allowance in self.allowed if allowance.callee == key)
