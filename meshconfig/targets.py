"""
Which renderer makes the documents of which target.

Owns the table. A renderer is given the plan and nothing else to allow from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edge.config.mesh_models import Mesh
from meshconfig import consul, gateway_api, istio, kubernetes, linkerd
from meshconfig.document import Document, Options
from meshconfig.plan import MeshPlan

Renderer = Callable[[MeshPlan, Options], tuple[Document, ...]]

RENDERERS: Mapping[Mesh, Renderer] = {
    "consul": consul.render,
    "linkerd": linkerd.render,
    "istio": istio.render,
    "gateway-api": gateway_api.render,
    "kubernetes": kubernetes.render,
}


def documents(plan: MeshPlan, options: Options) -> tuple[Document, ...]:
    """Of every target of the plan, target by target."""
    return tuple(document for target in plan.targets for document in RENDERERS[target](plan, options))
