"""Documents to be judged, made as short as a rule needs them."""

from __future__ import annotations

from typing import Any

from edge.config.mesh_models import Mesh
from meshconfig.document import Document

_VERSIONS = {
    "Server": "policy.linkerd.io/v1beta3",
    "AuthorizationPolicy": "policy.linkerd.io/v1alpha1",
    "MeshTLSAuthentication": "policy.linkerd.io/v1alpha1",
    "NetworkAuthentication": "policy.linkerd.io/v1alpha1",
    "HTTPLocalRateLimitPolicy": "policy.linkerd.io/v1alpha1",
    "GRPCRoute": "gateway.networking.k8s.io/v1",
    "HTTPRoute": "gateway.networking.k8s.io/v1",
    "Gateway": "gateway.networking.k8s.io/v1",
    "PeerAuthentication": "security.istio.io/v1",
    "RequestAuthentication": "security.istio.io/v1",
    "VirtualService": "networking.istio.io/v1",
    "DestinationRule": "networking.istio.io/v1",
    "Service": "v1",
}


def document(kind: str, spec: dict[str, Any], target: Mesh = "linkerd", **meta: Any) -> Document:
    """A manifest of this kind; Istio's AuthorizationPolicy has the name of Linkerd's."""
    version = "security.istio.io/v1" if (kind, target) == ("AuthorizationPolicy", "istio") else _VERSIONS[kind]
    metadata = {"name": "x", "namespace": "shop", **meta}
    body = {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}
    return Document(target, "x.yaml", kind, metadata["name"], metadata["namespace"], body)
