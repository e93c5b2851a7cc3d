"""
Envoy sidecars of a Connect service: certificate and roots from Consul, callers admitted as its intentions say.

Without xDS (`consul connect envoy` needs the gRPC port and a version of Envoy that Consul knows), so what Consul would push is made from
the same answers: leaf and roots of the agent, and the verdict of /v1/connect/intentions/check for the RBAC rule.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.certs.envoy_sidecar import Ports, Sidecar, running
from tests.consul.scenes import Peer, asked

NOBODY = "^nobody$"


async def files_of(peer: Peer, service: str, folder: Path) -> tuple[Path, Path, Path]:
    """A service's leaf, its key and the mesh's roots, as files; from the agent."""
    _, leaf, _ = await asked(peer, "GET", f"/v1/agent/connect/ca/leaf/{service}")
    _, roots, _ = await asked(peer, "GET", "/v1/agent/connect/ca/roots")
    texts = {
        "leaf.pem": leaf["CertPEM"],
        "key.pem": leaf["PrivateKeyPEM"],
        "roots.pem": "".join(root["RootCert"] for root in roots["Roots"]),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text)
    return folder / "leaf.pem", folder / "key.pem", folder / "roots.pem"


async def allowed(peer: Peer, source: str, destination: str) -> bool:
    """What Consul's intentions say."""
    _, answer, _ = await asked(peer, "GET", f"/v1/connect/intentions/check?source={source}&destination={destination}")
    return bool(answer["Allowed"])


async def intend(peer: Peer, source: str, destination: str, action: str) -> None:
    """Write one intention."""
    path = f"/v1/connect/intentions/exact?source={source}&destination={destination}"
    status, told, _ = await asked(peer, "PUT", path, {"Action": action})
    assert status == 200, told


@asynccontextmanager
async def sidecar_of(
    peer: Peer, service: str, service_port: int, caller: str, folder: Path, port: int = 0
) -> AsyncIterator[Ports]:
    """A sidecar as Consul would have it now: `caller` may call if the intentions say so."""
    certificate, key, roots = await files_of(peer, service, folder)
    may = await allowed(peer, caller, service)
    who = f"^spiffe://[^/]+/ns/[^/]+/dc/[^/]+/svc/{caller}$" if may else NOBODY
    what = Sidecar(certificate, key, roots, who, service_port, "spiffe://none/none", 9, inbound_port=port)
    made = running(folder, what)
    ports = await asyncio.to_thread(made.__enter__)
    try:
        yield ports
    finally:
        await asyncio.to_thread(made.__exit__, None, None, None)


async def register_with_sidecar(peer: Peer, service: str, port: int, sidecar_port: int) -> None:
    """The service, and the sidecar that stands for it in the mesh."""
    passing = {"Name": "told", "TTL": "10m", "Status": "passing"}  # Consul's own would be critical for up to 10 s
    sidecar = {"Port": sidecar_port, "Address": "127.0.0.1", "Checks": [passing]}
    body = {"Name": service, "Port": port, "Address": "127.0.0.1", "Connect": {"SidecarService": sidecar}}
    status, told, _ = await asked(peer, "PUT", "/v1/agent/service/register", body)
    assert status == 200, told
