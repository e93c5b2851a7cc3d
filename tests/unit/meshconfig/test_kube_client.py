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

from meshconfig.cluster import ClusterError, Kind
from meshconfig.kube_client import KubernetesCluster

GROUP, VERSION = "policy.linkerd.io", "v1beta3"
RESOURCE = {
    "name": "servers",
    "singularName": "server",
    "kind": "Server",
    "namespaced": True,
    "verbs": ["get", "list", "patch", "delete"],
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
STATUS = {"kind": "Status", "apiVersion": "v1", "status": "Success"}
SERVERS = f"/apis/{GROUP}/{VERSION}/servers"
SERVERS_IN_N = f"/apis/{GROUP}/{VERSION}/namespaces/n/servers"
CONFLICT = {
    "message": "Apply failed with 1 conflict",
    "details": {
        "causes": [{"reason": "FieldManagerConflict", "message": 'conflict with "kubectl"', "field": ".spec.port"}]
    },
}
SERVER: dict[str, Any] = {
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
            path, _, query = self.path.partition("?")
            if path == SERVERS and "continue=more" in query:
                self._answer(
                    200,
                    {
                        "kind": "ServerList",
                        "apiVersion": f"{GROUP}/{VERSION}",
                        "items": [{"metadata": {"name": "b"}}],
                        "metadata": {},
                    },
                )
            elif path == SERVERS:
                page = {
                    "kind": "ServerList",
                    "apiVersion": f"{GROUP}/{VERSION}",
                    "items": [{"metadata": {"name": "a"}}],
                    "metadata": {"continue": "more"},
                }
                self._answer(200, page)
            elif path == f"{SERVERS_IN_N}/s":
                self._answer(200, SERVER)
            else:
                self._answer(200 if path in ANSWERS else 404, ANSWERS.get(path, {"message": "not found"}))

        def do_DELETE(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append((self.path, self.headers["Content-Type"], body))
            stale = body["preconditions"]["resourceVersion"] == "stale"
            self._answer(409 if stale else 200, {"message": "the object has been modified"} if stale else STATUS)

        def do_PATCH(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append((self.path, self.headers["Content-Type"], body))
            conflict = body["spec"]["port"] == 2 and "force=true" not in self.path.lower()
            self._answer(409 if conflict else 200, CONFLICT if conflict else body)

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
    words = r'^fields that others have set: \.spec\.port \("kubectl"\); --force-conflicts takes them over$'
    with pytest.raises(ClusterError, match=words):
        cluster.apply(foreign, dry_run=False, force=False)
    cluster.apply(foreign, dry_run=False, force=True)
    with pytest.raises(ClusterError, match="is that mesh installed"):
        cluster.apply({**SERVER, "kind": "Nothing"}, dry_run=False, force=False)


def test_what_is_there(patched: list[tuple[str, str, Any]]) -> None:
    """One object, all of a kind page by page; nothing of a kind the cluster does not have."""
    cluster = KubernetesCluster()
    assert cluster.read(SERVER) == SERVER
    assert cluster.read({**SERVER, "metadata": {"name": "other", "namespace": "n"}}) is None
    assert cluster.read({**SERVER, "kind": "Nothing"}) is None
    found = cluster.listed(Kind(f"{GROUP}/{VERSION}", "Server"), "a=b")
    assert [(each["kind"], each["metadata"]["name"]) for each in found] == [("Server", "a"), ("Server", "b")]
    assert cluster.listed(Kind(f"{GROUP}/{VERSION}", "Nothing"), "") == []
    assert patched == []


def test_only_the_object_that_was_read_is_deleted(patched: list[tuple[str, str, Any]]) -> None:
    """By its uid and version; a dry run says so."""
    cluster = KubernetesCluster()
    live = {**SERVER, "metadata": {"name": "s", "namespace": "n", "uid": "u", "resourceVersion": "7"}}
    cluster.delete(live, dry_run=True)
    cluster.delete(live, dry_run=False)
    (path, _, first), (_, _, second) = patched
    assert path == f"{SERVERS_IN_N}/s"
    assert first["preconditions"] == second["preconditions"] == {"uid": "u", "resourceVersion": "7"}
    assert (first.get("dryRun"), second.get("dryRun")) == (["All"], None)
    stale = {**live, "metadata": {**live["metadata"], "resourceVersion": "stale"}}
    with pytest.raises(ClusterError, match="has been modified"):
        cluster.delete(stale, dry_run=False)


def test_a_cluster_that_is_lost_in_the_middle(patched: list[tuple[str, str, Any]]) -> None:
    """No traceback, so that what was done can be undone."""
    cluster = KubernetesCluster()
    cluster._client.client.configuration.host = "http://127.0.0.1:1"
    with pytest.raises(ClusterError, match="refused"):
        cluster.apply(SERVER, dry_run=False, force=False)
