"""
What marks an object as ours, and what of it was generated from what.

Owns the mark: `managed-by` names the gateway, so that two gateways in one mesh never touch each other's objects; `spec-hash` is of the
object without its marks, so that a change by another hand shows. In Consul it stands in Meta; a source of a shared service-intentions
entry has no Meta, and carries it in its Description; an exported service in a key of its entry's Meta; a Kubernetes object in labels.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from meshconfig.plan import MeshPlan

MANAGED_BY, SPEC_HASH = "managed-by", "spec-hash"
_MADE_FROM = ("source", "config-hash", "command")
MARKS = frozenset({MANAGED_BY, SPEC_HASH, *_MADE_FROM})
_HASH_LENGTH = 16
_DESCRIPTION = re.compile(r"managed-by=(\S+) spec-hash=([0-9a-f]+)")
_MAX_META_VALUE = 512
_BY, _GATEWAY, _EDGE = "app.kubernetes.io/managed-by", "edge/gateway", "edge"


def owner_of(plan: MeshPlan) -> str:
    """The mark's value: `edge:` and the gateway's service."""
    return f"{_EDGE}:{plan.gateway.caller.service}"


def spec_hash(body: object) -> str:
    """Of a body without marks."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_HASH_LENGTH]


def marks(plan: MeshPlan, body: Mapping[str, Any]) -> dict[str, str]:
    """The Meta of one of our entries."""
    made_from = zip(_MADE_FROM, (plan.source, plan.config_hash, plan.command), strict=True)
    return {
        MANAGED_BY: owner_of(plan),
        SPEC_HASH: spec_hash(body),
        **{key: value[:_MAX_META_VALUE] for key, value in made_from},
    }


def labels(plan: MeshPlan) -> dict[str, str]:
    """Those of one of our Kubernetes objects, by which they are found."""
    return {_BY: _EDGE, _GATEWAY: plan.gateway.caller.service}


def label_selector(plan: MeshPlan) -> str:
    """The same, as a cluster is asked for them."""
    return ",".join(f"{key}={value}" for key, value in labels(plan).items())


def owner_of_labels(given: Mapping[str, str]) -> str:
    """Who made a Kubernetes object; empty when its labels do not say."""
    return f"{_EDGE}:{given[_GATEWAY]}" if given.get(_BY) == _EDGE and _GATEWAY in given else ""


def description(owner: str, source: Mapping[str, Any]) -> str:
    """The Description of one of our sources."""
    return f"managed-by={owner} spec-hash={spec_hash(dict(source))}"


def owner_in(entry: Mapping[str, Any]) -> str:
    """Who made an entry, by its Meta; empty when it does not say."""
    return str((entry.get("Meta") or {}).get(MANAGED_BY, ""))


def owner_of_source(source: Mapping[str, Any]) -> str:
    """Who made a source of an intention; empty when it does not say."""
    match = _DESCRIPTION.match(str(source.get("Description") or ""))
    return match[1] if match else ""


def export_mark(owner: str) -> str:
    """The prefix of the Meta keys that say which exported services are ours."""
    return f"{owner}/exports/"
