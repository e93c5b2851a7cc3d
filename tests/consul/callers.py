"""
Callers of the gateway over the mesh: Python's own TLS with a leaf and the roots from Consul, and a real Envoy as a caller's sidecar.

What Consul would push to that Envoy over xDS is written here from the same answers (tests/consul/sidecars.py does it for the other side).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from certs.secret_file import load_pair
from tests.certs.envoy_sidecar import Ports, Sidecar, running
from tests.consul.scenes import Peer, asked
from tests.consul.sidecars import NOBODY, files_of
from tests.gateway import RunningGateway, bookstore_config
from tests.unit.certs.mint import Minted

H1, H2 = ("http/1.1",), ("h2",)


def called(folder: Path, peer: Peer, us: str, upstream_port: int, **more: Any) -> dict[str, Any]:
    """The bookstore behind a listener of the mesh; we are `us`. `mesh` and `consul` override."""
    listeners = [{"bind": "127.0.0.1:0", "mesh": more.pop("mesh", True)}]
    consul = {"address": peer.url, "wait": "5s", "service": us, **more.pop("consul", {})}
    return bookstore_config(folder, upstream_port, consul=consul, listeners=listeners, **more)


async def trust_of(peer: Peer) -> str:
    """The mesh's roots, as PEM."""
    _, roots, _ = await asked(peer, "GET", "/v1/agent/connect/ca/roots")
    return "".join(root["RootCert"] for root in roots["Roots"])


async def context_of(peer: Peer, service: str, alpn: Sequence[str] = H1) -> ssl.SSLContext:
    """A caller's side: the service's leaf to present, the mesh's roots to trust."""
    _, leaf, _ = await asked(peer, "GET", f"/v1/agent/connect/ca/leaf/{service}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(cadata=await trust_of(peer))
    load_pair(context, leaf["CertPEM"].encode(), leaf["PrivateKeyPEM"].encode())
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def presenting(leaf: Minted | None) -> ssl.SSLContext:
    """A stranger that presents what it likes, and asks nothing of us."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if leaf is not None:
        load_pair(context, leaf.chain_pem, leaf.key_pem)
    return context


def client(gateway: RunningGateway, context: ssl.SSLContext, *, http2: bool = False) -> httpx.AsyncClient:
    """An HTTP client of that caller. httpx sets ALPN itself."""
    return httpx.AsyncClient(
        base_url=f"https://127.0.0.1:{gateway.port}", verify=context, trust_env=False, http1=not http2, http2=http2, timeout=30
    )  # fmt: skip


async def define(peer: Peer, service: str, sources: Sequence[dict[str, Any]], protocol: str = "http") -> None:
    """All intentions of a destination, and its protocol (permissions need one of HTTP)."""
    for entry in (
        {"Kind": "service-defaults", "Name": service, "Protocol": protocol},
        {"Kind": "service-intentions", "Name": service, "Sources": list(sources)},
    ):
        if entry["Kind"] == "service-defaults" and service == "*":
            continue
        status, told, _ = await asked(peer, "PUT", "/v1/config", entry)
        assert status == 200, told


@asynccontextmanager
async def calling_sidecar(
    peer: Peer, caller: str, reaches: str, gateway_port: int, folder: Path
) -> AsyncIterator[Ports]:
    """The caller's Envoy: what it sends to `outbound` in plaintext reaches the gateway over mTLS, if that is `reaches`."""
    certificate, key, roots = await files_of(peer, caller, folder)
    what = Sidecar(certificate, key, roots, NOBODY, 9, reaches, gateway_port)
    made = running(folder, what)
    ports = await asyncio.to_thread(made.__enter__)
    try:
        yield ports
    finally:
        await asyncio.to_thread(made.__exit__, None, None, None)
