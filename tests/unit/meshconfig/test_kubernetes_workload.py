"""The gateway's own workload."""

from __future__ import annotations

from typing import Any

import pytest

from edge.config.mesh_models import Mesh
from meshconfig.kubernetes_workload import homes, workload
from meshconfig.plan import MeshPlan
from tests.unit.meshconfig.plans import plan_of

TEXT = "targets: [%s]\nworkload: {replicas: 12}\nservices:\n  shop: {namespace: shop, selector: {app: shop}, port: 50051}\n"


def _plan(targets: str = "kubernetes") -> MeshPlan:
    return plan_of(TEXT % targets, {"shop": ("p.S/A",)})


def _made(mesh: Mesh) -> dict[str, dict[str, Any]]:
    return {document.kind: dict(document.body) for document in workload(_plan(), mesh)}


@pytest.mark.parametrize(
    ("mesh", "label", "annotation"),
    [
        ("linkerd", None, ("linkerd.io/inject", "enabled")),
        ("istio", ("sidecar.istio.io/inject", "true"), ("traffic.sidecar.istio.io/excludeInboundPorts", "8080")),
        ("consul", None, ("consul.hashicorp.com/connect-inject", "true")),
    ],
)
def test_pods_ask_for_their_mesh(mesh: Mesh, label: tuple[str, str] | None, annotation: tuple[str, str]) -> None:
    """On the pods, not the namespace, and with a token, by which the sidecar says who it is."""
    pods = _made(mesh)["Deployment"]["spec"]["template"]
    assert annotation in pods["metadata"]["annotations"].items()
    assert label is None or label in pods["metadata"]["labels"].items()
    assert pods["spec"]["automountServiceAccountToken"] is True


def test_without_a_mesh_nothing_is_injected_and_no_token_mounted() -> None:
    pods = _made("kubernetes")["Deployment"]["spec"]["template"]
    assert pods["metadata"]["annotations"] == {}
    assert pods["spec"]["automountServiceAccountToken"] is False


def test_everything_is_about_the_same_pods() -> None:
    made = _made("kubernetes")
    labels = {"app.kubernetes.io/name": "edge-gateway"}
    deployment = made["Deployment"]["spec"]
    assert deployment["selector"]["matchLabels"] == labels
    assert labels.items() <= deployment["template"]["metadata"]["labels"].items()
    assert made["Service"]["spec"]["selector"] == labels
    assert made["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert made["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == made["Deployment"]["metadata"]["name"]
    metric = made["HorizontalPodAutoscaler"]["spec"]["metrics"][0]["containerResource"]
    assert metric["container"] == deployment["template"]["spec"]["containers"][0]["name"]
    assert deployment["template"]["spec"]["serviceAccountName"] == made["ServiceAccount"]["metadata"]["name"]


def test_the_autoscaler_owns_the_number_of_pods() -> None:
    """A number in the Deployment would undo its work at every apply; and the most is never below the least."""
    made = _made("kubernetes")
    assert "replicas" not in made["Deployment"]["spec"]
    spec = made["HorizontalPodAutoscaler"]["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (12, 12)


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ("kubernetes", ("kubernetes",)),
        ("gateway-api", ("gateway-api",)),
        ("gateway-api, kubernetes", ("kubernetes",)),
        ("kubernetes, linkerd", ("linkerd",)),
        ("istio, linkerd, consul", ("consul", "istio", "linkerd")),
    ],
)
def test_one_folder_has_it_or_each_meshs(targets: str, expected: tuple[str, ...]) -> None:
    assert homes(_plan(targets)) == expected
