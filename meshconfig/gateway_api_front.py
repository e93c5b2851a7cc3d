"""
A Gateway of the cluster's own in front of the edge gateway: listener, route, leave to read a certificate in another namespace.

Owns that the front reaches the edge gateway and nothing behind it. One HTTPRoute carries every dialect: beside it a GRPCRoute for the same
host would have one of the two refused (Gateway API 1.2.1, GRPCRoute).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edge.config.mesh_models import GatewayApiFront
from meshconfig.kubernetes_object import Manifest, digest, manifest, object_name
from meshconfig.plan import MeshPlan
from meshconfig.route_rules import HTTP_ROUTE, catch_all

_GATEWAY = ("gateway.networking.k8s.io/v1", "Gateway")
_GRANT = ("gateway.networking.k8s.io/v1beta1", "ReferenceGrant")


def front(plan: MeshPlan) -> Iterator[tuple[Manifest, str]]:
    """The resources, none when no front is asked for."""
    given, gateway = plan.gateway_api.front, plan.gateway.caller
    if given is None:
        return
    namespace = given.namespace or gateway.namespace
    secrets = given.certificate_namespace or namespace
    if given.certificate is not None and secrets != namespace:
        grant = {
            "from": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": namespace}],
            "to": [{"group": "", "kind": "Secret", "name": given.certificate}],
        }
        name = object_name(given.name, given.certificate, digest(namespace, given.name, given.certificate))
        yield manifest(plan, _GRANT, secrets, name, {"spec": grant}), "the Gateway may read this certificate, no other"
    listeners = _listeners(plan, given, namespace, secrets)
    spec = {"gatewayClassName": given.class_name, "listeners": listeners}
    yield manifest(plan, _GATEWAY, namespace, given.name, {"spec": spec}), "in front of the edge gateway"
    parent = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": given.name, "namespace": namespace}
    backend = {"name": gateway.service, "port": given.backend_port or plan.gateway.ports[0]}
    route: dict[str, Any] = {"parentRefs": [parent], "rules": catch_all(HTTP_ROUTE, {"backendRefs": [backend]})}
    if given.hostnames:
        route["hostnames"] = sorted(given.hostnames)
    name = object_name(gateway.service, "front")
    yield manifest(plan, HTTP_ROUTE, gateway.namespace, name, {"spec": route}), "to the edge gateway, whatever the call"


def _listeners(plan: MeshPlan, given: GatewayApiFront, namespace: str, secrets: str) -> list[dict[str, Any]]:
    """One a host, or one for all; routes only from the gateway's own namespace."""
    own = plan.gateway.caller.namespace
    allowed: dict[str, Any] = {"from": "Same"}
    if own != namespace:
        allowed = {"from": "Selector", "selector": {"matchLabels": {"kubernetes.io/metadata.name": own}}}
    more: dict[str, Any] = {
        "port": given.port,
        "protocol": "HTTP",
        "allowedRoutes": {
            "namespaces": allowed,
            "kinds": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute"}],
        },
    }
    if given.certificate is not None:
        reference = {"group": "", "kind": "Secret", "name": given.certificate, "namespace": secrets}
        more |= {"protocol": "HTTPS", "tls": {"mode": "Terminate", "certificateRefs": [reference]}}
    if not given.hostnames:
        return [{"name": "edge", **more}]
    return [{"name": f"edge-{index}", "hostname": host, **more} for index, host in enumerate(sorted(given.hostnames))]
