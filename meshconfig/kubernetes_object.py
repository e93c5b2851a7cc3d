"""
A Kubernetes object of ours: its marks, its name, its document.

Owns names: what is too long is cut and given a hash of the whole, and what is made of two free parts always has one, so that neither
length nor a dash in the wrong place makes two objects one. The marks are those of `ownership`, in labels and annotations.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from edge.config.mesh_models import Mesh
from meshconfig.document import Document
from meshconfig.ownership import labels, marks
from meshconfig.plan import MeshPlan, PlannedService

Manifest = dict[str, Any]

CUSTOM_RESOURCE = 253
"""The longest name of a custom resource (RFC 1123 subdomain)."""
SERVICE = 63
"""The longest name of a Service, and of whatever becomes a DNS label."""
_DIGEST = 8


def digest(*parts: str) -> str:
    """A short stable hash of parts that is not the hash of the same text cut elsewhere."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_DIGEST]


def object_name(*parts: str, limit: int = CUSTOM_RESOURCE) -> str:
    """The parts joined by dashes; cut to `limit`, with a hash, where that is longer."""
    name = "-".join(parts)
    if len(name) <= limit:
        return name
    return f"{name[: limit - _DIGEST - 1].rstrip('-.')}-{digest(*parts)}"


def manifest(
    plan: MeshPlan,
    kind: tuple[str, str],
    namespace: str,
    name: str,
    body: Mapping[str, Any],
    annotations: Mapping[str, str] | None = None,
) -> Manifest:
    """An object, marked as ours. `kind` is the API version and the kind, `body` what stands beside metadata."""
    own = {f"edge/{key}": value for key, value in sorted(marks(plan, {"name": name, **body}).items())}
    return {
        "apiVersion": kind[0],
        "kind": kind[1],
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": labels(plan),
            "annotations": {**(annotations or {}), **own},
        },
        **body,
    }


def document(target: Mesh, file: str, body: Manifest, reason: str) -> Document:
    """A manifest as a document."""
    meta = body["metadata"]
    return Document(target, file, body["kind"], meta["name"], meta["namespace"], body, reason)


def file_of(service: PlannedService) -> str:
    """One file a service; the dot cannot be in either name."""
    return f"{service.service}.{service.namespace}.yaml"


def pods_of(service: PlannedService) -> dict[str, str]:
    """The labels of a service's pods."""
    return dict(service.selector)
