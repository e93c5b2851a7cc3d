"""What the Kubernetes API server asks of names and labels."""

from __future__ import annotations

from typing import Any

import pytest

from edge.config.mesh_models import Mesh
from meshconfig.checks.names import clashes, refusals
from tests.unit.meshconfig.checks.bodies import document


@pytest.mark.parametrize(
    ("kind", "meta", "spec", "part"),
    [
        ("Server", {"name": "a" * 253}, {}, None),
        ("Server", {"name": "a" * 254}, {}, "must be no more than 253 characters"),
        ("Server", {"name": "A"}, {}, "a lowercase RFC 1123 subdomain"),
        ("Server", {"name": "a-"}, {}, "a lowercase RFC 1123 subdomain"),
        ("Server", {"name": "a\n"}, {}, "a lowercase RFC 1123 subdomain"),
        ("Service", {"name": "a" * 63}, {}, None),
        ("Service", {"name": "a" * 64}, {}, "must be no more than 63 characters"),
        ("Service", {"name": "9a"}, {}, "a DNS-1035 label must start with an alphabetic character"),
        ("Server", {"labels": {"k": "v" * 64}}, {}, "must be no more than 63 characters"),
        ("Server", {"labels": {"k": "-v"}}, {}, "a valid label must be"),
        ("Server", {"labels": {"a/b/c": "v"}}, {}, "name part must consist of"),
        ("Server", {}, {"podSelector": {"matchLabels": {"app": "a b"}}}, "a valid label must be"),
        ("Service", {}, {"selector": {"app": "a b"}}, "a valid label must be"),
        ("Server", {"annotations": {"k": "v" * 262144}}, {}, "metadata.annotations: Too long"),
    ],
)
def test_names(kind: str, meta: dict[str, Any], spec: dict[str, Any], part: str | None) -> None:
    found = list(refusals(document(kind, spec, **meta)))
    assert bool(found) == (part is not None)
    assert part is None or part in found[0]


@pytest.mark.parametrize(
    ("target", "namespace", "clash"), [("linkerd", "shop", True), ("linkerd", "other", False), ("istio", "shop", False)]
)
def test_two_of_one_name_would_overwrite_each_other(target: Mesh, namespace: str, clash: bool) -> None:
    """Within a target; two targets are two folders, of which one is applied."""
    one, other = document("Service", {}), document("Service", {}, target, namespace=namespace)
    assert bool(list(clashes([one, other]))) == clash
