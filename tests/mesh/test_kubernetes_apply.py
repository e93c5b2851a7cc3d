"""
`edge mesh` against a real API server: planned, applied by server-side apply, undone, pruned, as an operator types it.

Skipped where no API server is built (`make kubernetes`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from meshconfig.cluster import ClusterError, Manifest
from meshconfig.kube_client import KubernetesCluster
from tests.mesh.kubernetes_cluster import install
from tests.peers.kubernetes_api import WEAK, KubernetesApi, built, running_api
from tests.unit.cli.conftest import Edge

SERVER = "/apis/policy.linkerd.io/v1beta3/namespaces/shop/servers"
ISTIO = "/apis/security.istio.io/v1/namespaces/shop/authorizationpolicies"
KUBECTL = "application/apply-patch+yaml"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubernetesApi]:
    """One for all tests here."""
    if not built():
        pytest.skip("no Kubernetes API server: make kubernetes")
    pytest.importorskip("kubernetes")
    with running_api(tmp_path_factory.mktemp("kubernetes")) as running:
        install(running, "shop", "edge", "billing")
        yield running


@pytest.fixture(autouse=True)
def _context(api: KubernetesApi, mesh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The current kubectl context, and nothing left of another test."""
    config = str(api.kubeconfig(tmp_path))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", config)
    mesh.write_text(mesh.read_text().replace("[consul, linkerd, istio]", "[consul, linkerd, istio, kubernetes]"))
    yield
    for path in ("/apis/policy.linkerd.io/v1beta3/namespaces/shop/servers", *POLICIES):
        api.ask("DELETE", path)


POLICIES = (
    "/apis/gateway.networking.k8s.io/v1/namespaces/shop/grpcroutes",
    "/apis/policy.linkerd.io/v1alpha1/namespaces/shop/authorizationpolicies",
    "/apis/policy.linkerd.io/v1alpha1/namespaces/shop/meshtlsauthentications",
    "/apis/policy.linkerd.io/v1alpha1/namespaces/shop/networkauthentications",
    "/apis/security.istio.io/v1/namespaces/shop/authorizationpolicies",
    "/apis/security.istio.io/v1/namespaces/shop/peerauthentications",
    "/apis/networking.istio.io/v1/namespaces/shop/destinationrules",
    "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies",
    *(
        f"/apis/consul.hashicorp.com/v1alpha1/namespaces/{namespace}/{kind}"
        for namespace in ("shop", "edge")
        for kind in ("servicedefaults", "serviceintentions")
    ),
)


def names(api: KubernetesApi, path: str) -> list[str]:
    return sorted(each["metadata"]["name"] for each in api.ask("GET", path)["items"])


def everything(api: KubernetesApi) -> dict[str, Any]:
    """What is there, as far as people say it."""
    return {
        f"{path}/{each['metadata']['name']}": (each.get("spec"), each["metadata"].get("labels"))
        for path in (SERVER, *POLICIES)
        for each in api.ask("GET", path)["items"]
    }


def test_plan_apply_verify_change_prune(api: KubernetesApi, edge: Edge, mesh: Path) -> None:
    """From nothing to in force, twice the same, and back by ownership; the cluster knows us as a field manager."""
    first = edge("mesh", "plan", "--against", "kubernetes")
    assert first.code == 1, first.err
    assert "reachability:" in first.out
    dry = edge("mesh", "apply", "--to", "kubernetes", "--dry-run")
    assert (dry.code, "the cluster would take all of it" in dry.out, everything(api)) == (0, True, {}), dry.err
    applied = edge("mesh", "apply", "--to", "kubernetes")
    assert (applied.code, applied.err) == (0, "")
    (server,) = api.ask("GET", SERVER)["items"]
    managers = {(each["manager"], each["operation"]) for each in server["metadata"]["managedFields"]}
    assert managers == {("edge", "Apply")}
    assert edge("mesh", "plan", "--against", "kubernetes").code == 0
    assert edge("mesh", "verify", "--against", "kubernetes").code == 0
    again = edge("mesh", "apply", "--to", "kubernetes")
    assert (again.code, "no change" in again.out) == (0, True)
    text = mesh.read_text()
    mesh.write_text(text[: text.index(",\n           other_callers")] + "}\n")
    assert edge("mesh", "verify", "--against", "kubernetes").code == 1
    assert "billing" in json.dumps([each["spec"] for each in api.ask("GET", ISTIO)["items"]])
    assert edge("mesh", "apply", "--to", "kubernetes").code == 0
    assert "billing" not in json.dumps([each["spec"] for each in api.ask("GET", ISTIO)["items"]])
    mesh.write_text(text.replace("targets: [consul, linkerd, istio", "targets: [consul, istio"))
    dry = edge("mesh", "prune", "--to", "kubernetes", "--dry-run")
    assert ("- delete Server.policy.linkerd.io" in dry.out, len(names(api, SERVER))) == (True, 1)
    assert edge("mesh", "prune", "--to", "kubernetes").code == 0
    assert names(api, SERVER) == []


def test_somebody_elses_object_is_left_until_it_is_taken_over(
    api: KubernetesApi,
    edge: Edge,
    mesh: Path,
) -> None:
    """First the object, then its fields: two questions, two flags, told in words."""
    edge("mesh", "apply", "--to", "kubernetes")
    (server,) = api.ask("GET", SERVER)["items"]
    name = server["metadata"]["name"]
    api.ask("DELETE", f"{SERVER}/{name}")
    spec = {**server["spec"], "accessPolicy": "all-unauthenticated"}
    foreign = {"apiVersion": server["apiVersion"], "kind": "Server", "metadata": {"name": name}, "spec": spec}
    _apply_as(api, f"{SERVER}/{name}", foreign, "kubectl")
    result = edge("mesh", "apply", "--to", "kubernetes")
    assert (result.code, result.err) == (1, "error: nothing done: 1 object of somebody else in the way\n")
    assert f"! conflict Server.policy.linkerd.io/shop/{name}" in result.out
    result = edge("mesh", "apply", "--to", "kubernetes", "--take-over")
    assert result.code == 1
    assert (
        'fields that others have set: .spec.accessPolicy ("kubectl"); --force-conflicts takes them over' in result.err
    )
    assert "nothing done" in result.err
    assert edge("mesh", "apply", "--to", "kubernetes", "--take-over", "--force-conflicts").code == 0
    assert api.ask("GET", f"{SERVER}/{name}")["spec"]["accessPolicy"] == "deny"


def _apply_as(api: KubernetesApi, path: str, body: Any, manager: str) -> None:
    """Server-side apply by another hand than the client under test."""
    import ssl
    import urllib.request

    request = urllib.request.Request(
        f"{api.url}{path}?fieldManager={manager}&force=true",
        json.dumps(body).encode(),
        {"Authorization": "Bearer admin-token", "Content-Type": KUBECTL},
        method="PATCH",
    )
    context = ssl.create_default_context(cafile=str(api.ca))
    urllib.request.urlopen(request, timeout=30, context=context).close()


class Failing(KubernetesCluster):
    """The real one; the so-manieth write in earnest fails."""

    fails_at = 0

    def apply(self, manifest: Manifest, *, dry_run: bool, force: bool) -> Manifest:
        self._count(dry_run=dry_run)
        return super().apply(manifest, dry_run=dry_run, force=force)

    def delete(self, live: Manifest, *, dry_run: bool) -> None:
        self._count(dry_run=dry_run)
        super().delete(live, dry_run=dry_run)

    def _count(self, *, dry_run: bool) -> None:
        if not dry_run:
            Failing.fails_at -= 1
            if Failing.fails_at == 0:
                raise ClusterError("the API server is gone")


@pytest.mark.parametrize("at", [1, 3, 5])
def test_a_write_that_fails_undoes_the_ones_before(
    api: KubernetesApi,
    edge: Edge,
    mesh: Path,
    monkeypatch: pytest.MonkeyPatch,
    at: int,
) -> None:
    """What was created is gone, what was changed and deleted is as it was: on an empty cluster, and over an earlier apply."""
    monkeypatch.setattr("edge.cli.mesh_apply_cluster.KubernetesCluster", Failing)
    Failing.fails_at = at
    failed = edge("mesh", "apply", "--to", "kubernetes")
    assert (failed.code, "everything before it is undone" in failed.err) == (1, True), failed.err
    assert (everything(api), os.path.exists(".edge-mesh-journal-kubernetes")) == ({}, False)
    Failing.fails_at = 0
    assert edge("mesh", "apply", "--to", "kubernetes").code == 0
    before = everything(api)
    text = mesh.read_text()
    changed = text[: text.index(",\n           other_callers")] + ", timeout: 3s}\n"
    mesh.write_text(changed.replace("consul, linkerd", "linkerd").replace("port: 50051", "port: 50052"))
    Failing.fails_at = at
    failed = edge("mesh", "apply", "--to", "kubernetes")
    assert (failed.code, "everything before it is undone" in failed.err) == (1, True), failed.err
    assert everything(api) == before
    Failing.fails_at = 0
    assert edge("mesh", "apply", "--to", "kubernetes").code == 0
    assert edge("mesh", "verify", "--against", "kubernetes").code == 0
    assert everything(api) != before


def test_a_token_that_may_not(api: KubernetesApi, edge: Edge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is done, and the API server's own words say what is missing."""
    weak = str(api.kubeconfig(tmp_path, WEAK))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", weak)
    result = edge("mesh", "apply", "--to", "kubernetes")
    assert result.code == 1
    assert 'User "weak" cannot list resource' in result.err
