"""
A Kubernetes cluster, as far as policies need it: read, list, server-side apply, delete.

Owns the interface, which kinds are looked at, and what of the cluster a comparison is made with. `kube_client` is the cluster itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from meshconfig.ownership import label_selector
from meshconfig.plan import MeshPlan

MANAGER = "edge"
"""The field manager: what the cluster remembers as ours."""

Manifest = Mapping[str, Any]


class Kind(NamedTuple):
    """A kind of object; `version` is group and version."""

    version: str
    name: str


POLICIES = (
    Kind("policy.linkerd.io/v1beta3", "Server"),
    Kind("gateway.networking.k8s.io/v1", "GRPCRoute"),
    Kind("gateway.networking.k8s.io/v1", "HTTPRoute"),
    Kind("policy.linkerd.io/v1alpha1", "AuthorizationPolicy"),
    Kind("policy.linkerd.io/v1alpha1", "MeshTLSAuthentication"),
    Kind("policy.linkerd.io/v1alpha1", "NetworkAuthentication"),
    Kind("security.istio.io/v1", "AuthorizationPolicy"),
    Kind("security.istio.io/v1", "PeerAuthentication"),
    Kind("security.istio.io/v1", "RequestAuthentication"),
)
"""Who may call what: everybody's are looked at, since anybody's may let somebody in."""

OTHERS = (
    Kind("policy.linkerd.io/v1alpha1", "HTTPLocalRateLimitPolicy"),
    Kind("networking.istio.io/v1", "DestinationRule"),
    Kind("networking.istio.io/v1", "VirtualService"),
    Kind("gateway.networking.k8s.io/v1", "Gateway"),
    Kind("gateway.networking.k8s.io/v1beta1", "ReferenceGrant"),
    Kind("networking.k8s.io/v1", "NetworkPolicy"),
    Kind("v1", "ServiceAccount"),
    Kind("v1", "Service"),
    Kind("apps/v1", "Deployment"),
    Kind("policy/v1", "PodDisruptionBudget"),
    Kind("autoscaling/v2", "HorizontalPodAutoscaler"),
    *(
        Kind("consul.hashicorp.com/v1alpha1", name)
        for name in ("ExportedServices", "JWTProvider", "ProxyDefaults", "ServiceDefaults", "ServiceIntentions",
                     "ServiceResolver", "ServiceRouter", "ServiceSplitter")
    ),
)  # fmt: skip
"""What else is generated: only ours, and what bears a name of ours, is looked at."""


class ClusterError(Exception):
    """The cluster refused, or cannot be asked; the text is for the operator."""


class Cluster(Protocol):
    """Where manifests go. Every method raises ClusterError."""

    def read(self, manifest: Manifest) -> Manifest | None:
        """The object of this name, None when there is none or the cluster has no such kind."""

    def listed(self, kind: Kind, selector: str) -> list[Manifest]:
        """All of a kind in every namespace, with labels as `selector` says; none of a kind the cluster does not have."""

    def apply(self, manifest: Manifest, *, dry_run: bool, force: bool) -> Manifest:
        """Create, or set the fields the manifest has; the object then. `force` takes fields that others own."""

    def delete(self, live: Manifest, *, dry_run: bool) -> None:
        """Remove this very object, unless it has changed since it was read."""


def state(cluster: Cluster, plan: MeshPlan, asked: Iterable[Manifest]) -> list[dict[str, Any]]:
    """What the cluster has of everything that matters to the plan and to what is `asked`. Raises ClusterError."""
    found: dict[str, Manifest] = {}
    for kind in (*POLICIES, *OTHERS):
        for live in cluster.listed(kind, "" if kind in POLICIES else label_selector(plan)):
            found[_identity(live)] = live
    for manifest in asked:
        if _identity(manifest) not in found and (there := cluster.read(manifest)) is not None:
            found[_identity(there)] = there
    return [dict(each) for each in found.values()]


def _identity(manifest: Manifest) -> str:
    group = str(manifest["apiVersion"]).rpartition("/")[0]
    return f"{group} {name_of(manifest)}"


def name_of(manifest: Manifest) -> str:
    """`Server shop/shop-50051`."""
    metadata = manifest["metadata"]
    return f"{manifest['kind']} {'/'.join(filter(None, (metadata.get('namespace'), metadata['name'])))}"
