"""
A document: one object of a mesh, before it is text. What every renderer gives and the writer, the differ and the checks take.

Owns nothing but the shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge.config.mesh_models import Mesh


@dataclass(frozen=True, slots=True)
class Options:
    """
    How to render, beside what.

    `audit` lets pass and reports what would be refused, where the mesh can; `deploy` adds the gateway's own workload.
    """

    audit: bool = False
    deploy: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """
    `body` is the whole object as it is sent: a Kubernetes manifest, or a Consul config entry (with its `Kind` and `Name`).

    `file` is where it stands below its target's folder; several documents may share one. `reason` is a comment over it: why it exists.
    """

    target: Mesh
    file: str
    kind: str
    name: str
    namespace: str
    body: Mapping[str, Any]
    reason: str = ""
