"""
Manifests put into a Kubernetes cluster: server-side apply, by the official client (`pip install edge-gateway[kubernetes]`).

Owns that nothing is written before the cluster has taken all of it in a dry run: schema, admission, permissions and other owners' fields
are known then. A field somebody else owns is a refusal, unless it is to be taken over. Applying twice is the same as once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

MANAGER = "edge"
"""The field manager: what the cluster remembers as ours."""

Manifest = Mapping[str, Any]


class ClusterError(Exception):
    """The cluster refused, or cannot be asked; the text is for the operator."""


class Cluster(Protocol):
    """Where manifests go. Raises ClusterError."""

    def apply(self, manifest: Manifest, *, dry_run: bool, force: bool) -> None:
        """Create, or set the fields the manifest has."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One object the cluster would not take."""

    name: str
    reason: str


def apply_all(
    cluster: Cluster, manifests: Iterable[Manifest], *, force: bool, told: Callable[[str], None]
) -> tuple[Refusal, ...]:
    """
    All of them, in order; or none, and why. `told` hears of each.

    Raises ClusterError when the cluster takes in earnest what it took in the dry run no more: what was told of is in force then.
    """
    held = list(manifests)
    refused = []
    for manifest in held:
        try:
            cluster.apply(manifest, dry_run=True, force=force)
        except ClusterError as error:
            refused.append(Refusal(name_of(manifest), str(error)))
    if refused:
        return tuple(refused)
    for manifest in held:
        cluster.apply(manifest, dry_run=False, force=force)
        told(f"applied: {name_of(manifest)}")
    return ()


def name_of(manifest: Manifest) -> str:
    """`Server shop/shop-50051`."""
    metadata = manifest["metadata"]
    return f"{manifest['kind']} {'/'.join(filter(None, (metadata.get('namespace'), metadata['name'])))}"
