"""
What Istio's ALLOW policies let whom do.

Owns that a rule's missing part means everything: no `from` is anyone, no `paths` all paths. A policy in dry-run guards nothing. DENY
policies only take away, and are left out: what is told as open may be less open. Source: mesh.md 4.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from meshconfig.consul_access import ANYTHING_ELSE
from meshconfig.grants import ANY_IDENTITY, ANYONE, Grant

Manifest = Mapping[str, Any]


def istio_workloads(manifests: Iterable[Manifest]) -> set[str]:
    """What an ALLOW policy guards, as `namespace/label=value`."""
    return {_workload(each) for each in manifests if _guards(each)}


def istio_grants(manifests: Iterable[Manifest]) -> Iterator[Grant]:
    """Every allowance of these objects."""
    for policy in manifests:
        if not _guards(policy):
            continue
        workload, metadata = _workload(policy), policy["metadata"]
        via = f"AuthorizationPolicy {metadata.get('namespace', 'default')}/{metadata['name']}"
        for number, rule in enumerate(policy["spec"].get("rules") or (), 1):
            for caller in sorted(_callers(rule)):
                yield Grant("istio", workload, caller, frozenset(_paths(rule)), f"{via} rule {number}")


def _guards(manifest: Manifest) -> bool:
    annotations = manifest["metadata"].get("annotations") or {}
    return (
        manifest["kind"] == "AuthorizationPolicy"
        and str(manifest["apiVersion"]).startswith("security.istio.io/")
        and manifest["spec"].get("action", "ALLOW") == "ALLOW"
        and annotations.get("istio.io/dry-run") != "true"
    )


def _workload(policy: Manifest) -> str:
    labels = (policy["spec"].get("selector") or {}).get("matchLabels") or {}
    chosen = ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "*"
    return f"{policy['metadata'].get('namespace', 'default')}/{chosen}"


def _callers(rule: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    origins: list[dict[str, Any]] = rule.get("from") or [{}]
    for origin in origins:
        source = origin.get("source") or {}
        principals, namespaces = source.get("principals") or (), source.get("namespaces") or ()
        found |= {_caller(principal) for principal in principals} | {f"{namespace}/*" for namespace in namespaces}
        if not principals and not namespaces:
            found.add(ANYONE)
    return found


def _caller(principal: str) -> str:
    """`cluster.local/ns/edge/sa/edge-gateway` as `edge/edge-gateway`."""
    parts = principal.split("/")
    if len(parts) == 5 and parts[1::2] == ["ns", "sa"]:
        return f"{parts[2]}/{parts[4]}"
    return ANY_IDENTITY if principal == "*" else principal


def _paths(rule: Mapping[str, Any]) -> Iterator[str]:
    targets: list[dict[str, Any]] = rule.get("to") or [{}]
    for target in targets:
        paths = (target.get("operation") or {}).get("paths")
        if not paths:
            yield ANYTHING_ELSE
        for path in paths or ():
            yield ANYTHING_ELSE if "*" in path else path
