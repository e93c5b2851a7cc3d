"""
A real Kubernetes API server with its etcd, and no controllers: what tests write is what is there.

`make kubernetes` builds them. With it `pod_service` writes EndpointSlices as the EndpointSlice controller does; two tokens, one that may
do everything and one that may do nothing.
"""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from scripts.build_kubernetes import API_SERVER, ETCD
from tests.peers.ports import free_port

ADMIN, WEAK = "admin-token", "weak-token"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices"


def built() -> bool:
    """Whether `make kubernetes` has been run here."""
    return API_SERVER.is_file() and ETCD.is_file()


@dataclass
class KubernetesApi:
    """A running one. Requests here are made by urllib, not by the client under test."""

    folder: Path
    port: int
    etcd_port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca(self) -> Path:
        """The server's certificate signs itself."""
        return self.folder / "certs" / "apiserver.crt"

    def kubeconfig(self, folder: Path, token: str = ADMIN) -> Path:
        """A kubeconfig file for a token."""
        path = folder / f"kubeconfig-{token}.yaml"
        cluster = {"server": self.url, "certificate-authority": str(self.ca)}
        path.write_text(yaml.safe_dump({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "k", "cluster": cluster}],
            "users": [{"name": "u", "user": {"token": token}}],
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        }))  # fmt: skip
        return path

    def ask(self, method: str, path: str, body: object = None, *, token: str = ADMIN) -> Any:
        """One request; the JSON of the answer. Raises HTTPError."""
        with self.opened(path, method, body, token=token) as got:
            return json.load(got)

    def opened(self, path: str, method: str = "GET", body: object = None, *, token: str = ADMIN) -> Any:
        """One request; the answer, to be read and closed."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)
        context = ssl.create_default_context(cafile=str(self.ca))
        return urllib.request.urlopen(request, timeout=30, context=context)

    def put_slice(self, given: dict[str, Any]) -> None:
        """Create an EndpointSlice, or replace the one of that name."""
        where = SLICES.format(given["metadata"]["namespace"])
        try:
            self.ask("PUT", f"{where}/{given['metadata']['name']}", given)
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            self.ask("POST", where, given)

    def delete_slice(self, namespace: str, name: str) -> None:
        self.ask("DELETE", f"{SLICES.format(namespace)}/{name}")

    def namespace(self, name: str) -> None:
        self.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}})

    def start(self) -> None:
        """Start the API server over the etcd that runs; waits until it is ready."""
        command = [
            str(API_SERVER), "--etcd-servers", f"http://127.0.0.1:{self.etcd_port}", "--bind-address", "127.0.0.1",
            "--secure-port", str(self.port), "--cert-dir", str(self.folder / "certs"),
            "--service-account-key-file", str(self.folder / "sa.key"),
            "--service-account-signing-key-file", str(self.folder / "sa.key"),
            "--service-account-issuer", "https://kubernetes.default.svc",
            "--token-auth-file", str(self.folder / "tokens.csv"), "--authorization-mode", "RBAC",
            "--service-cluster-ip-range", "10.0.0.0/24", "--disable-admission-plugins", "ServiceAccount",
        ]  # fmt: skip
        with (self.folder / "api.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        until = time.monotonic() + 90
        while True:
            try:
                self.ask("GET", "/api/v1/namespaces/default")
                return
            except (OSError, ValueError) as error:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise AssertionError(f"no API server: {error}; see {self.folder / 'api.log'}") from error
                time.sleep(0.1)

    def stop(self) -> None:
        """Kill it, as a lost machine."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)


def slice_of(
    name: str, service: str, namespace: str, endpoints: list[dict[str, Any]], *, port: int, port_name: str = "grpc",
    family: str = "IPv4",
) -> dict[str, Any]:  # fmt: skip
    """An EndpointSlice as the controller writes it."""
    return {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": namespace, "labels": {"kubernetes.io/service-name": service}},
        "addressType": family,
        "ports": [{"name": port_name, "port": port, "protocol": "TCP"}],
        "endpoints": endpoints,
    }  # fmt: skip


def endpoint(address: str, uid: str = "", *, ready: bool = True, **more: Any) -> dict[str, Any]:
    """One entry of a slice; `more` are conditions."""
    target = {"targetRef": {"kind": "Pod", "name": f"pod-{uid}", "uid": uid}} if uid else {}
    return {"addresses": [address], "conditions": {"ready": ready, **more}, **target}


@contextmanager
def running_api(folder: Path) -> Iterator[KubernetesApi]:
    """etcd and the API server, from nothing."""
    key = rsa.generate_private_key(65537, 2048)
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "sa.key").write_bytes(key.private_bytes(*pem))
    (folder / "tokens.csv").write_text(f"{ADMIN},admin,1,system:masters\n{WEAK},weak,2\n")
    client, peer = free_port(), free_port()
    listen, between = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
    command = [
        str(ETCD), "--data-dir", str(folder / "etcd"), "--listen-client-urls", listen, "--advertise-client-urls", listen,
        "--listen-peer-urls", between, "--initial-advertise-peer-urls", between, "--initial-cluster", f"default={between}",
        "--unsafe-no-fsync",
    ]  # fmt: skip
    with (folder / "etcd.log").open("wb") as log:
        etcd = subprocess.Popen(command, stdout=log, stderr=log)
    api = KubernetesApi(folder, free_port(), client)
    try:
        api.start()
        yield api
    finally:
        for process in (api.process, etcd):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait(60)
        shutil.rmtree(folder / "etcd", ignore_errors=True)
