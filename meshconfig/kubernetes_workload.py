"""
The gateway's own workload in Kubernetes, injected for one mesh: ServiceAccount, Service, Deployment, PodDisruptionBudget, autoscaler.

Owns that the account is the gateway's alone, that the mesh injects these pods because they ask for it, and that what comes from outside
the mesh reaches the gateway past the sidecar: otherwise every client would have the sidecar's address. Source: mesh.md 3.3.
"""

from __future__ import annotations

from typing import Any

from edge.config.mesh_models import Mesh
from meshconfig.document import Document
from meshconfig.kubernetes_object import Manifest, document, manifest, object_name
from meshconfig.plan import MeshPlan

MESHES: tuple[Mesh, ...] = ("consul", "istio", "linkerd")
"""Those that inject a sidecar."""
_CONTAINER = "edge"
_DRAIN_S = 5
"""Between being taken out of the endpoints and SIGTERM: proxies and load balancers learn of it late."""


def homes(plan: MeshPlan) -> tuple[Mesh, ...]:
    """The targets whose folder has the workload: every mesh, each injecting its own; or one other, so that none is applied twice."""
    targets = set(plan.targets)
    if meshes := tuple(mesh for mesh in MESHES if mesh in targets):
        return meshes
    return ("kubernetes",) if "kubernetes" in targets else ("gateway-api",)


def workload(plan: MeshPlan, mesh: Mesh) -> tuple[Document, ...]:
    """The documents; Consul's stand beside its custom resources."""
    folder = "kubernetes/" if mesh == "consul" else ""
    made = (
        (_account(plan), "an account of its own: whoever shares it shares its rights"),
        (_service(plan), "where the gateway is found"),
        (_deployment(plan, mesh), _reason(plan)),
        (_budget(plan), "nodes are drained one pod at a time"),
        (_autoscaler(plan), "more pods when they are busy"),
    )
    return tuple(document(mesh, f"{folder}gateway.yaml", body, reason) for body, reason in made)


def _reason(plan: MeshPlan) -> str:
    name = _config_map(plan)
    return f"the gateway; its configuration: kubectl create configmap {name} --from-file=edge.yaml"


def _config_map(plan: MeshPlan) -> str:
    return object_name(plan.gateway.caller.service, "config")


def _manifest(plan: MeshPlan, kind: tuple[str, str], name: str, body: dict[str, Any]) -> Manifest:
    return manifest(plan, kind, plan.gateway.caller.namespace, name, body)


def _account(plan: MeshPlan) -> Manifest:
    body = {"automountServiceAccountToken": False}
    return _manifest(plan, ("v1", "ServiceAccount"), plan.gateway.caller.service_account, body)


def _service(plan: MeshPlan) -> Manifest:
    ports: list[dict[str, Any]] = [
        {"name": f"port-{port}", "port": port, "targetPort": port} for port in plan.gateway.ports
    ]
    front = plan.gateway_api.front
    for port in ports if front is not None else ():
        if port["port"] == ((front and front.backend_port) or plan.gateway.ports[0]):
            port["appProtocol"] = "kubernetes.io/h2c"  # else the Gateway speaks HTTP/1.1 to it, which carries no gRPC
    spec = {"selector": dict(plan.gateway.selector), "ports": ports}
    return _manifest(plan, ("v1", "Service"), plan.gateway.caller.service, {"spec": spec})


def _deployment(plan: MeshPlan, mesh: Mesh) -> Manifest:
    labels, annotations = _injection(plan, mesh)
    pods = {
        "metadata": {"labels": {**dict(plan.gateway.selector), **labels}, "annotations": annotations},
        "spec": _pod(plan, mesh),
    }
    spec = {  # no replicas: the autoscaler owns their number
        "selector": {"matchLabels": dict(plan.gateway.selector)},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "template": pods,
    }
    return _manifest(plan, ("apps/v1", "Deployment"), plan.gateway.caller.service, {"spec": spec})


def _injection(plan: MeshPlan, mesh: Mesh) -> tuple[dict[str, str], dict[str, str]]:
    """Labels and annotations of the pods, never of the namespace: only the gateway's are meant."""
    ports = ",".join(str(port) for port in plan.gateway.ports)
    if mesh == "linkerd":
        return {}, {"linkerd.io/inject": "enabled", "config.linkerd.io/skip-inbound-ports": ports}
    if mesh == "istio":
        annotations = {
            "traffic.sidecar.istio.io/excludeInboundPorts": ports,
            "proxy.istio.io/config": "holdApplicationUntilProxyStarts: true",
        }
        return {"sidecar.istio.io/inject": "true"}, annotations
    if mesh == "consul":
        return {}, {
            "consul.hashicorp.com/connect-inject": "true",
            "consul.hashicorp.com/connect-service": plan.gateway.caller.service,
            "consul.hashicorp.com/connect-service-port": str(plan.gateway.ports[0]),
            "consul.hashicorp.com/transparent-proxy-exclude-inbound-ports": ports,
        }
    return {}, {}


def _pod(plan: MeshPlan, mesh: Mesh) -> dict[str, Any]:
    given, gateway = plan.workload, plan.gateway
    probe = {"tcpSocket": {"port": gateway.ports[0]}, "periodSeconds": 5}  # /readyz is kept off the network
    container = {
        "name": _CONTAINER,
        "image": given.image,
        "args": ["run", "-c", "/etc/edge/edge.yaml"],
        "ports": [{"name": f"port-{port}", "containerPort": port} for port in gateway.ports],
        "readinessProbe": probe,
        "livenessProbe": {**probe, "failureThreshold": 6},
        "lifecycle": {"preStop": {"sleep": {"seconds": _DRAIN_S}}},
        "resources": {"requests": {"cpu": given.cpu, "memory": given.memory}, "limits": {"memory": given.memory}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "config", "mountPath": "/etc/edge", "readOnly": True},
            {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108  # the pod's own volume
        ],
    }
    return {
        "serviceAccountName": gateway.caller.service_account,
        # Its token is how a sidecar proves who it is; the gateway itself asks Kubernetes nothing.
        "automountServiceAccountToken": mesh in MESHES,
        "terminationGracePeriodSeconds": given.grace_s,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [
            {"name": "config", "configMap": {"name": _config_map(plan)}},
            {"name": "scratch", "emptyDir": {}},
        ],
    }


def _budget(plan: MeshPlan) -> Manifest:
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": dict(plan.gateway.selector)}}
    return _manifest(plan, ("policy/v1", "PodDisruptionBudget"), plan.gateway.caller.service, {"spec": spec})


def _autoscaler(plan: MeshPlan) -> Manifest:
    given, name = plan.workload, plan.gateway.caller.service
    busy = {"type": "Utilization", "averageUtilization": given.cpu_percent}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "minReplicas": given.replicas,
        "maxReplicas": max(given.replicas, given.max_replicas),
        # Of this container: a sidecar that asks for no CPU would leave the pod's utilization undefined.
        "metrics": [
            {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": _CONTAINER, "target": busy}}
        ],
    }
    return _manifest(plan, ("autoscaling/v2", "HorizontalPodAutoscaler"), name, {"spec": spec})
