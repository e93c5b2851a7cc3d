"""Kubernetes' own kinds, held to the official client's models: every field is one of the API's, every value of its type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.mesh.cases import NAMES, case
from tests.mesh.crd import is_custom

models: Any = pytest.importorskip(
    "kubernetes.client", reason="the official client is not installed: pip install kubernetes"
)

_PLAIN = {"str": str, "int": int, "bool": bool, "float": (int, float), "object": object, "datetime": str}


@pytest.mark.parametrize("name", NAMES)
def test_every_field_is_one_of_the_api(name: str) -> None:
    """A misspelt field of a NetworkPolicy would be dropped, and the policy mean something else."""
    wrong = []
    for document in case(name).documents:
        if "apiVersion" in document.body and not is_custom(document.body):
            wrong += list(_wrong(_model(document.body), document.body, document.kind))
    assert wrong == []


def test_the_check_sees_a_misspelt_field_and_a_wrong_type() -> None:
    """It must be able to fail."""
    body = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "spec": {"podselector": {}, "policyTypes": "Ingress"},
    }
    assert list(_wrong(_model(body), body, "p")) == [
        "p.spec.podselector: no such field",
        "p.spec.policyTypes: not list[str]",
    ]


def _model(body: Any) -> str:
    group, _, version = str(body["apiVersion"]).rpartition("/")
    assert group in {"", "apps", "policy", "autoscaling", "networking.k8s.io"}
    return version[0].upper() + version[1:] + str(body["kind"])


def _spelt(kind: str) -> str:
    """A type as older versions of the client write it: newer ones say Dict[str, V1Pod] and List[str]."""
    for new, old in (("List[", "list["), ("Dict[str, ", "dict(str, ")):
        if kind.startswith(new):
            return old + (kind[len(new) :] if new == "List[" else kind[len(new) : -1] + ")")
    return kind


def _wrong(kind: str, value: Any, path: str) -> Iterator[str]:
    kind = _spelt(kind)
    if kind in _PLAIN:
        if not isinstance(value, _PLAIN[kind]):  # type: ignore[arg-type]  # one type or several
            yield f"{path}: not {kind}"
    elif kind.startswith("list["):
        if not isinstance(value, list):
            yield f"{path}: not {kind}"
            return
        for index, each in enumerate(value):
            yield from _wrong(kind[5:-1], each, f"{path}[{index}]")
    elif kind.startswith("dict("):
        for key, each in value.items():
            yield from _wrong(kind[len("dict(str, ") : -1], each, f"{path}.{key}")
    else:
        yield from _fields(getattr(models, kind), value, path)


def _fields(model: Any, value: Any, path: str) -> Iterator[str]:
    known = {spelt: model.openapi_types[name] for name, spelt in model.attribute_map.items()}
    for key, each in value.items():
        if key not in known:
            yield f"{path}.{key}: no such field"
        else:
            yield from _wrong(known[key], each, f"{path}.{key}")
