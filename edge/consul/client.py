"""
The Consul agent's HTTP API: py-consul with what it lacks, in this one module.

Owns how a request is made: token, namespace, partition, datacenter and consistency on each; what py-consul drops (response headers,
paths it has no method for) is read here. Every method of py-consul works on it too (`client.kv`, `client.connect.intentions`), with the
same token, bounds and errors in reach. Nothing blocks the event loop. Source: https://developer.hashicorp.com/consul/api-docs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

import consul.base
import orjson

from edge.consul.answer import Answer, ConsulError, Kind, read_answer
from edge.consul.token import TokenSource
from edge.consul.transport import Params, Place, Transport
from edge.core.consul_refusal import denial, shortened

Consistency = Literal["default", "stale", "consistent"]


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a request looks; empty is the agent's own."""

    datacenter: str = ""
    namespace: str = ""
    partition: str = ""
    peer: str = ""

    def params(self) -> list[tuple[str, str]]:
        """As query parameters."""
        given = (("dc", self.datacenter), ("ns", self.namespace), ("partition", self.partition), ("peer", self.peer))
        return [(name, value) for name, value in given if value]


@dataclass(frozen=True, slots=True)
class AgentPlace:
    """The agent and how it is asked."""

    place: Place = field(default_factory=lambda: Place("http://127.0.0.1:8500"))
    token: TokenSource = field(default_factory=TokenSource)
    scope: Scope = field(default_factory=Scope)
    consistency: Consistency = "default"


class ConsulClient(consul.base.Consul):  # type: ignore[misc]  # py-consul has no type information
    """A client of one agent. Made inside a running loop; close it, or use it in `async with`."""

    def __init__(self, agent: AgentPlace | None = None) -> None:
        self._agent = agent or AgentPlace()
        super().__init__(consistency=self._agent.consistency, dc=self._agent.scope.datacenter or None)

    def http_connect(self, *_: object) -> Transport:
        """The transport of this client; py-consul's arguments are not used, the place says all."""
        return Transport(self._agent.place)

    def prepare_headers(self, token: str | None = None) -> dict[str, str]:
        """
        The token's header, for every request anew.

        The base class would take CONSUL_HTTP_TOKEN over what it is given; what our configuration says is to count.
        """
        current = token or self._agent.token.current()
        return {"X-Consul-Token": current} if current else {}

    @property
    def address(self) -> str:
        """Where the agent is, for messages."""
        return str(self._agent.place)

    async def close(self) -> None:
        """End every connection."""
        await self.http.close()

    async def read(
        self,
        path: str,
        params: Params = None,
        *,
        needs: str,
        scope: Scope | None = None,
        timeout_s: float | None = None,
        consistent: bool = True,
    ) -> Answer:
        """
        A GET of JSON with its headers.

        `needs` is the permission it takes, for the error when it is denied; `scope` overrides the client's where it says
        something. `consistent=False` leaves out the consistency mode, for endpoints of the agent itself. Raises ConsulError.
        """
        query = [*(params or ()), *self._scoped(scope)]
        if consistent and self.consistency != "default":
            query.append((self.consistency, ""))
        return await self._call("GET", path, query, needs=needs, timeout_s=timeout_s)

    async def write(
        self,
        method: Literal["PUT", "POST", "DELETE"],
        path: str,
        body: object = None,
        params: Params = None,
        *,
        needs: str,
        scope: Scope | None = None,
    ) -> Answer:
        """A request that changes something; `body` is sent as JSON. Raises ConsulError."""
        data = "" if body is None else json.dumps(body)
        return await self._call(method, path, [*(params or ()), *self._scoped(scope)], needs=needs, data=data)

    def _scoped(self, scope: Scope | None) -> Sequence[tuple[str, str]]:
        given = dict(self._agent.scope.params()) | dict(scope.params() if scope else ())
        if scope is not None and scope.peer:
            given.pop("dc", None)  # Consul takes the one or the other
        return list(given.items())

    async def _call(
        self, method: str, path: str, params: Params, *, needs: str, data: str = "", timeout_s: float | None = None
    ) -> Answer:
        headers = self.prepare_headers()
        request = {"params": params, "headers": headers, "connections_timeout": timeout_s}
        call = getattr(self.http, method.lower())
        response = await (
            call(_whole, path, **request) if method == "GET" else call(_whole, path, data=data, **request)
        )
        authenticated = bool(headers)
        _check(response.code, response.body, path, needs=needs, authenticated=authenticated)
        body = _json(response.body, response.headers, path)
        return read_answer(body, response.headers, authenticated=authenticated)


def _whole(response: consul.base.Response) -> consul.base.Response:
    """py-consul's callback that leaves the answer as it is."""
    return response


def segment(name: str) -> str:
    """A name as part of a path; the transport quotes what is left. Raises ValueError for one that could lead elsewhere."""
    if not name or quote(name, safe="") != quote(name) or name in {".", ".."}:
        raise ValueError(f"{name!r} cannot be part of a path")
    return name


def _json(body: str, headers: Mapping[str, str], path: str) -> Any:  # noqa: ANN401  # JSON of any shape
    if not body or "json" not in headers.get("Content-Type", ""):
        return None  # writes answer with nothing
    try:
        return orjson.loads(body)  # some milliseconds for ten thousand instances: json takes five times as long
    except ValueError:
        raise ConsulError(Kind.UNREADABLE, f"the answer to {path} is no JSON") from None


def _check(status: int, body: str, path: str, *, needs: str, authenticated: bool) -> None:
    if status < 300:
        return
    text = shortened(body) or f"status {status}"
    if status == 403 or (status == 500 and "ACL not found" in body):  # a server's refusal reaches us as 500 over RPC
        raise ConsulError(Kind.DENIED, denial(body, needed=needs, authenticated=authenticated))
    if status == 404:
        raise ConsulError(Kind.NOT_FOUND, f"{path}: {text}")
    if status < 400:
        raise ConsulError(Kind.REFUSED, f"{path} is redirected elsewhere; give the agent's own address")
    raise ConsulError(Kind.REFUSED if status < 500 else Kind.FAILED, f"{path}: {text}")
