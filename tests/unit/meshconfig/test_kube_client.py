"""The official client against an API server that knows one kind; skipped where the client is not installed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshconfig.cluster import ClusterError
from meshconfig.kube_client import KubernetesCluster

GROUP, VERSION = "policy.linkerd.io", "v1beta3"
RESOURCE = {
    "name": "servers",
    "singularName": "server",
    "kind": "Server",
    "namespaced": True,
    "verbs": ["get", "patch"],
}
ANSWERS: dict[str, Any] = {
    "/version": {"major": "1", "minor": "33", "gitVersion": "v1.33.0"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": []},
    "/apis": {
        "kind": "APIGroupList",
        "groups": [
            {
                "name": GROUP,
                "versions": [{"groupVersion": f"{GROUP}/{VERSION}", "version": VERSION}],
                "preferredVersion": {"groupVersion": f"{GROUP}/{VERSION}", "version": VERSION},
            }
        ],
    },
    f"/apis/{GROUP}/{VERSION}": {
        "kind": "APIResourceList",
        "groupVersion": f"{GROUP}/{VERSION}",
        "resources": [RESOURCE],
    },
}
SERVER = {
    "apiVersion": f"{GROUP}/{VERSION}",
    "kind": "Server",
    "metadata": {"name": "s", "namespace": "n"},
    "spec": {"port": 1},
}


def test_without_the_client_it_says_what_to_install() -> None:
    """Only where it is missing."""
    try:
        import kubernetes  # noqa: F401
    except ImportError:
        with pytest.raises(ClusterError, match=r"edge-gateway\[kubernetes\]"):
            KubernetesCluster()


@pytest.fixture
def patched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str, Any]]]:
    """An API server in the current context; path, content type and body of every PATCH."""
    pytest.importorskip("kubernetes")
    seen: list[tuple[str, str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200 if self.path in ANSWERS else 404, ANSWERS.get(self.path, {"message": "not found"}))

        def do_PATCH(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append((self.path, self.headers["Content-Type"], body))
            conflict = body["spec"]["port"] == 2 and "force=true" not in self.path.lower()
            self._answer(409 if conflict else 200, {"message": 'conflict with "kubectl"'} if conflict else body)

        def _answer(self, status: int, data: Any) -> None:
            text = json.dumps(data).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    clusters, users = [{"name": "c", "cluster": {"server": url}}], [{"name": "u", "user": {}}]
    path = tmp_path / "kubeconfig"
    path.write_text(
        yaml.safe_dump({"current-context": "c", "contexts": [context], "clusters": clusters, "users": users})
    )
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(path))
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_server_side_apply(patched: list[tuple[str, str, Any]]) -> None:
    """As the field manager `edge`; a dry run says so."""
    cluster = KubernetesCluster()
    cluster.apply(SERVER, dry_run=True, force=False)
    cluster.apply(SERVER, dry_run=False, force=False)
    (first, kind, body), (second, _, _) = patched
    assert first.startswith(f"/apis/{GROUP}/{VERSION}/namespaces/n/servers/s?")
    assert ("dryRun=All" in first, "dryRun" in second, "fieldManager=edge" in second) == (True, False, True)
    assert (kind, body) == ("application/apply-patch+yaml", SERVER)


def test_what_the_cluster_says_is_passed_on(patched: list[tuple[str, str, Any]]) -> None:
    """A field somebody else owns, unless it is taken; a kind that is not installed."""
    cluster = KubernetesCluster()
    foreign = {**SERVER, "spec": {"port": 2}}
    with pytest.raises(ClusterError, match='conflict with "kubectl"'):
        cluster.apply(foreign, dry_run=False, force=False)
    cluster.apply(foreign, dry_run=False, force=True)
    with pytest.raises(ClusterError, match="is that mesh installed"):
        cluster.apply({**SERVER, "kind": "Nothing"}, dry_run=False, force=False)
