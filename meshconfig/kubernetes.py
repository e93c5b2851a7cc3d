"""
The plan as Kubernetes' own resources: who can reach a service's port at all, and with `deploy` the gateway's workload.

Owns that a NetworkPolicy only narrows: it sees pods and ports, not accounts and RPCs, so that a caller is let in by its namespace (the
gateway by its pods too), and a mesh's policies must say the rest. It is left out in audit: it cannot report, only cut off.
"""

from __future__ import annotations

from typing import Any

from edge.config.mesh_models import Mesh
from meshconfig.document import Document, Options
from meshconfig.kubernetes_object import Manifest, document, file_of, manifest, object_name, pods_of
from meshconfig.kubernetes_workload import homes, workload
from meshconfig.plan import Caller, MeshPlan, PlannedService

_NETWORK_POLICY = ("networking.k8s.io/v1", "NetworkPolicy")
_PROXY_PORTS: dict[Mesh, int] = {"consul": 20000, "linkerd": 4143, "istio": 15008}
"""Where proxies are dialled instead of the pod's port: Consul's sidecar always, Linkerd's for opaque ports, Istio's ambient (HBONE)."""
_REASON = (
    "who can reach the service's pods; a caller's account and RPCs are the mesh's to check\n"
    "every other port of these pods is closed to all but their node"
)


def render(plan: MeshPlan, options: Options = Options()) -> tuple[Document, ...]:  # noqa: B008  # frozen
    """Every resource."""
    documents = [
        document("kubernetes", file_of(service), _network_policy(plan, service), _REASON)
        for service in plan.services
        if not options.audit
    ]
    deployed = options.deploy and "kubernetes" in homes(plan)
    return (*documents, *(workload(plan, "kubernetes") if deployed else ()))


def _network_policy(plan: MeshPlan, service: PlannedService) -> Manifest:
    ports = sorted(_ports(plan, service))
    callers = sorted({allowance.caller for allowance in plan.callers_of(service.key)}, key=_place)
    peers: list[dict[str, Any]] = []
    for caller in callers:
        peer = _peer(plan, caller)
        if peer not in peers:
            peers.append(peer)
    spec: dict[str, Any] = {"podSelector": {"matchLabels": pods_of(service)}, "policyTypes": ["Ingress"]}
    if peers:  # an empty `from` would let everyone in
        spec["ingress"] = [{"from": peers, "ports": [{"protocol": "TCP", "port": port} for port in ports]}]
    name = object_name(service.service, "edge")
    return manifest(plan, _NETWORK_POLICY, service.namespace, name, {"spec": spec})


def _ports(plan: MeshPlan, service: PlannedService) -> set[int]:
    """
    Where the service is reached.

    Linkerd's and Istio's proxies are dialled at the service's own port, and take every connection to it. Consul's sidecar has a port of
    its own, and the service's may be open beside it: where Consul alone guards the service, nobody else's connection must reach that.
    """
    proxies = {port for mesh, port in _PROXY_PORTS.items() if mesh in plan.targets}
    behind_sidecar = "consul" in plan.targets and not {"linkerd", "istio"} & set(plan.targets)
    return proxies if behind_sidecar else {service.port, *proxies}


def _place(caller: Caller) -> tuple[str, str, str]:
    return caller.namespace, caller.service_account, caller.service


def _peer(plan: MeshPlan, caller: Caller) -> dict[str, Any]:
    peer: dict[str, Any] = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": caller.namespace}}}
    if caller == plan.gateway.caller:
        peer["podSelector"] = {"matchLabels": dict(plan.gateway.selector)}
    return peer
