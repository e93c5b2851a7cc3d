"""
The agent as `certs` asks it for our certificate and the mesh's roots: through the worker's one Consul client.

Owns the translation, nothing else: a failure of any kind is an OSError there, an answer without an index has index 0.
"""

from __future__ import annotations

from certs.consul_connect import Answer, ConsulConnectSource
from edge.consul.answer import ConsulError
from edge.consul.client import ConsulClient
from edge.core.consul_index import answer_timeout_s


class ClientAgent:
    """`certs.consul_connect.ConnectAgent`. `service` is whose certificate is asked for."""

    def __init__(self, client: ConsulClient, service: str) -> None:
        self._client = client
        self._needs = f'service:write on "{service}"'

    async def get(self, path: str, *, index: int, wait_s: float) -> Answer:
        """As in ConnectAgent."""
        params = [("index", str(index)), ("wait", f"{wait_s:g}s")] if index else None
        timeout_s = answer_timeout_s(wait_s if index else 0.0)
        try:
            answer = await self._client.read(
                path, params, needs=self._needs, timeout_s=timeout_s, consistent=False
            )  # an endpoint of the agent's own: a consistency mode means nothing to it
        except ConsulError as error:
            raise OSError(str(error)) from error
        return Answer(answer.body, answer.index or 0)


def connect_source(client: ConsulClient, service: str) -> ConsulConnectSource:
    """The certificate of a service of the mesh."""
    return ConsulConnectSource(ClientAgent(client, service), service)
