"""What tests about Consul share: an agent's place, a client, requests by a client that is not edge's, tokens, waiting."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent import futures
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Protocol

import aiohttp
import grpc
from grpc_health.v1 import health, health_pb2_grpc
from multidict import CIMultiDictProxy

from edge.config.secret import Secret
from edge.consul.client import AgentPlace, Consistency, ConsulClient, Scope
from edge.consul.query import Manners
from edge.consul.token import TokenSource
from edge.consul.transport import Place

HASTY = Manners(block_s=5.0, backoff_initial_s=0.02, backoff_max_s=0.2, per_s=100.0, burst=100)
"""As in production, only faster."""


class Peer(Protocol):
    """A Consul to test against."""

    @property
    def name(self) -> str:
        """Which it is."""

    @property
    def url(self) -> str:
        """Of its HTTP API."""

    @property
    def headers(self) -> dict[str, str]:
        """That may do everything."""

    @property
    def management(self) -> str:
        """The token that may."""


def agent_at(
    url: str, token: str = "", *, consistency: Consistency = "default", scope: Scope | None = None
) -> AgentPlace:
    """The place of an agent for a client."""
    source = TokenSource(Secret(token) if token else None)
    return AgentPlace(Place(url), source, scope or Scope(), consistency)


@asynccontextmanager
async def client_of(peer: Peer, token: str | None = None) -> AsyncIterator[ConsulClient]:
    """A client with the management token, or another."""
    async with ConsulClient(agent_at(peer.url, peer.management if token is None else token)) as client:
        yield client


async def asked(
    peer: Peer, method: str, path: str, body: object = None, *, token: str | None = None
) -> tuple[int, Any, CIMultiDictProxy[str]]:
    """A request by an HTTP client of its own, not edge's: status, body (JSON where it is), headers."""
    headers = peer.headers if token is None else {"X-Consul-Token": token} if token else {}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"{peer.url}{path}", json=body, headers=headers) as got,
    ):
        told = await (got.json() if "json" in got.headers.get("Content-Type", "") else got.text())
        return got.status, told, got.headers


async def token_with(peer: Peer, rules: dict[str, Any]) -> tuple[str, str]:
    """A token with these rules: its secret and its accessor."""
    name = f"p-{uuid.uuid4().hex}"
    status, _, _ = await asked(peer, "PUT", "/v1/acl/policy", {"Name": name, "Rules": json.dumps(rules)})
    assert status == 200
    status, token, _ = await asked(peer, "PUT", "/v1/acl/token", {"Policies": [{"Name": name}]})
    assert status == 200
    return token["SecretID"], token["AccessorID"]


async def revoke(peer: Peer, accessor: str) -> None:
    """Delete a token."""
    status, _, _ = await asked(peer, "DELETE", f"/v1/acl/token/{accessor}")
    assert status == 200


@contextmanager
def healthy_service() -> Iterator[int]:
    """A grpcio service with the health protocol, in threads of its own; its port."""
    server = grpc.server(futures.ThreadPoolExecutor(2))
    health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(0).wait()


async def until(true: Callable[[], object], what: str, within_s: float = 20.0) -> None:
    """Wait until something is so; the time is only a bound for when it never is."""
    for _ in range(int(within_s / 0.02)):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"not within {within_s} s: {what}")
