"""
A real API server with the meshes' custom resources in it: their real definitions where MESH_SCHEMAS has them, else ones that take anything.
"""

from __future__ import annotations

import json
import time
import urllib.error
from typing import Any

from meshconfig.cluster import OTHERS, POLICIES, Kind
from tests.mesh.crd import FOLDER
from tests.peers.kubernetes_api import KubernetesApi

_BUILT_IN = {"v1", "apps/v1", "policy/v1", "autoscaling/v2", "networking.k8s.io/v1"}
CUSTOM = [kind for kind in (*POLICIES, *OTHERS) if kind.version not in _BUILT_IN]
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def plural(kind: str) -> str:
    """As the meshes have it."""
    lower = kind.lower()
    if lower.endswith("y") and not lower.endswith("way"):
        return f"{lower[:-1]}ies"
    return lower if lower.endswith("s") and kind.endswith(("Defaults", "Services", "Intentions")) else f"{lower}s"


def definition(kind: Kind) -> dict[str, Any]:
    """The CustomResourceDefinition."""
    group, _, version = kind.version.partition("/")
    path = FOLDER / group / f"{kind.name}-{version}.json"
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = json.loads(path.read_text()) if path.is_file() else anything
    names = {"plural": plural(kind.name), "singular": kind.name.lower(), "kind": kind.name}
    approved = {"api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api/pull/3328"}
    served = {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names['plural']}.{group}", "annotations": approved},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [served]},
    }


def install(api: KubernetesApi, *namespaces: str) -> None:
    """Every custom resource, and these namespaces; waits until they can be used."""
    for kind in CUSTOM:
        try:
            api.ask("POST", DEFINITIONS, definition(kind))
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{kind}: {error.read().decode()}") from error
    for name in namespaces:
        api.namespace(name)
    until = time.monotonic() + 90
    for kind in CUSTOM:
        while True:
            try:
                api.ask("GET", f"/apis/{kind.version}/{plural(kind.name)}")
                break
            except urllib.error.HTTPError:
                assert time.monotonic() < until, kind
                time.sleep(0.1)
