"""
A Consul agent inside the test's own process, for machines without the real one: what edge uses of the HTTP API, and its manners.

Real: X.509 certificates, the monotonic index, blocking queries that may return without a change, health checks that are made, access
rules that hide, compare-and-set. Held to the same contract suite as the real agent (tests/consul/contract). One node, one datacenter.
"""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

from aiohttp import web

from tests.peers.consul_double_acl import AccessRules, Denied
from tests.peers.consul_double_ca import CertificateAuthority
from tests.peers.consul_double_catalog import Catalog
from tests.peers.consul_double_config import ConfigEntries
from tests.peers.consul_double_index import Index, duration_s

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ConsulDouble:
    """The double. `management` may do everything when `acl` is on."""

    name = "double"

    def __init__(self, *, acl: bool = False) -> None:
        self.acl = acl
        self.management = str(uuid.uuid4()) if acl else ""
        self.port = 0
        self._runner: web.AppRunner | None = None
        self._forget()

    def _forget(self) -> None:
        self.index = Index()
        self.access = AccessRules(self.index, self.management)
        self.catalog = Catalog(self.index)
        self.config = ConfigEntries(self.index)
        self.ca = CertificateAuthority(self.index)

    @property
    def url(self) -> str:
        """Of its HTTP API."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        """With the management token, where there is one."""
        return {"X-Consul-Token": self.management} if self.management else {}

    async def start(self) -> None:
        """Listen, on the port of last time if there was one."""
        app = web.Application(middlewares=[self._manners])
        for method, path, handler in self._routes():
            app.router.add_route(method, path, handler)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Listen no longer; what is known stays."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def close(self) -> None:
        """Stop, and stop making checks."""
        await self.stop()
        await self.catalog.close()

    async def lose_memory(self) -> None:
        """As an agent in development mode that was started again: nothing registered, the index from the beginning."""
        await self.close()
        self._forget()
        await self.start()

    @web.middleware
    async def _manners(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """What every answer has: faults as Consul words them, the headers about access rules."""
        response: web.StreamResponse
        for name in ("ns", "partition"):
            if request.query.get(name, "default") not in {"", "default"}:
                text = f'Invalid query parameter: "{name}" - Namespaces are a Consul Enterprise feature'
                return web.Response(status=400, text=text)
        try:
            response = await handler(request)
        except Denied as denied:
            response = web.Response(status=403, text=str(denied))
        except web.HTTPMethodNotAllowed:
            response = web.Response(status=405, text=f"method {request.method} not allowed")
        response.headers["X-Consul-Default-ACL-Policy"] = "deny" if self.acl else "allow"
        return response

    def _token(self, request: web.Request) -> str:
        return request.headers.get("X-Consul-Token", "") or request.query.get("token", "")

    def _may(self, request: web.Request, permission: str, name: str = "") -> bool:
        return not self.acl or self.access.allows(self._token(request), permission, name)

    def _demand(self, request: web.Request, permission: str, name: str = "") -> None:
        if self.acl:
            self.access.demand(self._token(request), permission, name)

    async def _blocking(
        self, request: web.Request, table: str, make: Callable[[], tuple[Any, bool]], *, streams: bool = False
    ) -> web.Response:
        """An answer of `make()` (the body and whether something was hidden), once the table's index is past the one given."""
        if "stale" in request.query and "consistent" in request.query:
            text = "Cannot specify ?stale with ?consistent, conflicting semantics."
            return web.Response(status=400, text=text)
        if self.acl:
            self.access.resolve(self._token(request))
        since = int(request.query.get("index", 0))
        if since:
            await self.index.past(table, since, min(duration_s(request.query.get("wait", "5m")), 600.0))
        if self.acl:
            self.access.resolve(self._token(request))  # it may have been revoked meanwhile
        body, hidden = make()
        response = web.json_response(body)
        response.headers["X-Consul-Index"] = str(max(1, self.index.of(table)))
        streamed = streams and since > 0
        response.headers["X-Consul-KnownLeader"] = "false" if streamed else "true"
        response.headers["X-Consul-Query-Backend"] = "streaming" if streamed else "blocking-query"
        response.headers["X-Consul-LastContact"] = "0"
        response.headers["X-Consul-Effective-Consistency"] = "leader"
        if hidden and self._token(request) and not streamed:  # those without a token are not told
            response.headers["X-Consul-Results-Filtered-By-ACLs"] = "true"
        return response

    def _routes(self) -> list[tuple[str, str, Handler]]:
        return [
            ("GET", "/v1/status/leader", self._leader),
            ("GET", "/v1/agent/self", self._self),
            ("GET", "/v1/catalog/nodes", self._nodes),
            ("GET", "/v1/catalog/services", self._services),
            ("GET", "/v1/catalog/service/{name}", self._catalog_service),
            ("PUT", "/v1/agent/service/register", self._register),
            ("PUT", "/v1/agent/service/deregister/{id}", self._deregister),
            ("GET", "/v1/agent/service/{id}", self._service),
            ("GET", "/v1/agent/services", self._agent_services),
            ("GET", "/v1/agent/checks", self._checks),
            ("PUT", "/v1/agent/check/update/{id}", self._update),
            ("PUT", "/v1/agent/check/pass/{id}", self._update),
            ("GET", "/v1/health/service/{name}", self._health),
            ("GET", "/v1/health/connect/{name}", self._health),
            ("POST", "/v1/query", self._define_query),
            ("GET", "/v1/query/{id}/execute", self._execute_query),
            ("GET", "/v1/discovery-chain/{name}", self._chain),
            ("PUT", "/v1/config", self._set_entry),
            ("GET", "/v1/config/{kind}", self._list_entries),
            ("GET", "/v1/config/{kind}/{name}", self._entry),
            ("DELETE", "/v1/config/{kind}/{name}", self._delete_entry),
            ("PUT", "/v1/connect/intentions/exact", self._set_intention),
            ("GET", "/v1/connect/intentions/exact", self._intention),
            ("DELETE", "/v1/connect/intentions/exact", self._delete_intention),
            ("GET", "/v1/connect/intentions/check", self._check_intention),
            ("GET", "/v1/connect/intentions/match", self._match_intentions),
            ("GET", "/v1/agent/connect/ca/roots", self._roots),
            ("GET", "/v1/connect/ca/roots", self._roots),
            ("GET", "/v1/agent/connect/ca/leaf/{name}", self._leaf),
            ("PUT", "/v1/acl/policy", self._policy),
            ("PUT", "/v1/acl/token", self._new_token),
            ("DELETE", "/v1/acl/token/{accessor}", self._delete_token),
        ]

    # The catalog.

    async def _leader(self, request: web.Request) -> web.Response:
        return web.json_response("127.0.0.1:8300")

    async def _self(self, request: web.Request) -> web.Response:
        self._demand(request, "agent:read", "node1")
        return web.json_response({"Config": {"Datacenter": "dc1", "NodeName": "node1", "Version": "1.16.2"}})

    async def _nodes(self, request: web.Request) -> web.Response:
        return await self._blocking(request, "catalog", lambda: ([self.catalog.node], False))

    async def _services(self, request: web.Request) -> web.Response:
        def make() -> tuple[Any, bool]:
            known = self.catalog.tags_by_name()
            shown = {name: tags for name, tags in known.items() if self._may(request, "service:read", name)}
            return shown, len(shown) < len(known)

        return await self._blocking(request, "catalog", make)

    async def _catalog_service(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        return await self._blocking(request, "catalog", lambda: self._shown(request, self.catalog.listed(name)))

    async def _health(self, request: web.Request) -> web.Response:
        name, connect = request.match_info["name"], "/connect/" in request.path

        def make() -> tuple[Any, bool]:
            entries = self.catalog.health(
                name, request.query.getall("tag", []), request.query.get("filter", ""), connect
            )
            if "passing" in request.query:
                entries = [each for each in entries if all(check["Status"] == "passing" for check in each["Checks"])]
            return self._shown(request, entries)

        if connect and not self._may(request, "service:read", name):
            return web.Response(status=403, text="Permission denied")
        return await self._blocking(request, "catalog", make, streams="near" not in request.query)

    def _shown(self, request: web.Request, entries: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], bool]:
        shown = []
        for each in entries:
            name = (
                each["Service"]["Service"]
                if "Service" in each and "Node" in each and isinstance(each["Service"], dict)
                else each["ServiceName"]
            )
            if self._may(request, "service:read", name) and self._may(request, "node:read", "node1"):
                shown.append(each)
        return shown, len(shown) < len(entries)

    # The agent.

    async def _register(self, request: web.Request) -> web.Response:
        body = await request.json()
        given = {key.lower().replace("_", ""): value for key, value in body.items()}
        if not given.get("name"):
            return web.Response(status=400, text="Missing service name")
        self._demand(request, "service:write", given["name"])
        if "SidecarService" in (given.get("connect") or {}):
            self._demand(request, "service:write", f"{given['name']}-sidecar-proxy")
        self.catalog.register(given, replace="replace-existing-checks" in request.query)
        return web.Response()

    async def _deregister(self, request: web.Request) -> web.Response:
        held = self.catalog.services.get(request.match_info["id"])
        if held is None:
            return web.Response(
                status=404,
                text=f'Unknown service ID "{request.match_info["id"]}". Ensure that the service ID is passed, not the service name.',
            )
        self._demand(request, "service:write", held["Service"])
        self.catalog.deregister(held["ID"])
        return web.Response()

    async def _service(self, request: web.Request) -> web.Response:
        if self.acl:
            self.access.resolve(self._token(request))
        held = self.catalog.services.get(request.match_info["id"])
        if held is None:
            return web.Response(status=404, text=f"unknown service ID: {request.match_info['id']}")
        self._demand(request, "service:read", held["Service"])
        return web.json_response({**held, "Datacenter": "dc1", "ContentHash": f"{hash(json.dumps(held)) & 0xFFFF:x}"})

    async def _agent_services(self, request: web.Request) -> web.Response:
        shown = {
            key: held
            for key, held in self.catalog.services.items()
            if self._may(request, "service:read", held["Service"])
        }
        return web.json_response(shown)

    async def _checks(self, request: web.Request) -> web.Response:
        wanted = request.query.get("filter", "")
        shown = {
            key: check.body()
            for key, check in self.catalog.checks.items()
            if (not wanted or wanted == f'ServiceID == "{check.service_id}"')
            and self._may(request, "service:read", check.service_name)
        }
        return web.json_response(shown)

    async def _update(self, request: web.Request) -> web.Response:
        check = self.catalog.checks.get(request.match_info["id"])
        if check is None:
            return web.Response(
                status=404,
                text=f'Unknown check ID "{request.match_info["id"]}". Ensure that the check ID is passed, not the check name.',
            )
        self._demand(request, "service:write", check.service_name)
        body = await request.json() if "/update/" in request.path else {"Status": "passing"}
        check.report(body["Status"], body.get("Output", ""))
        return web.Response()

    # Queries, chains, entries, intentions.

    async def _define_query(self, request: web.Request) -> web.Response:
        body = await request.json()
        self._demand(request, "query:write", body.get("Name", ""))
        return web.json_response({"ID": self.catalog.define_query(body)})

    async def _execute_query(self, request: web.Request) -> web.Response:
        found = self.catalog.execute_query(request.match_info["id"], connect="connect" in request.query)
        if found is None:
            return web.Response(status=404, text="Query not found")
        shown, hidden = self._shown(request, found["Nodes"])
        response = web.json_response({**found, "Nodes": shown})
        if hidden and self._token(request):
            response.headers["X-Consul-Results-Filtered-By-ACLs"] = "true"
        return response

    async def _chain(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._demand(request, "service:read", name)
        return await self._blocking(request, "config", lambda: (self.config.chain(name, self.ca.trust_domain), False))

    async def _set_entry(self, request: web.Request) -> web.Response:
        entry = await request.json()
        self._demand(request, "service:write", entry["Name"])
        cas = request.query.get("cas")
        return web.json_response(self.config.set(entry, None if cas is None else int(cas)))

    async def _list_entries(self, request: web.Request) -> web.Response:
        kind = request.match_info["kind"]
        return await self._blocking(request, "config", lambda: (self.config.listed(kind), False))

    async def _entry(self, request: web.Request) -> web.Response:
        kind, name = request.match_info["kind"], request.match_info["name"]
        self._demand(request, "service:read", name)
        if self.config.get(kind, name) is None and not request.query.get("index"):
            return web.Response(status=404, text=f'Config entry not found for "{kind}" / "{name}"')
        return await self._blocking(request, "config", lambda: (self.config.get(kind, name), False))

    async def _delete_entry(self, request: web.Request) -> web.Response:
        self._demand(request, "service:write", request.match_info["name"])
        cas = request.query.get("cas")
        kind, name = request.match_info["kind"], request.match_info["name"]
        done = self.config.delete(kind, name, None if cas is None else int(cas))
        return web.json_response({} if cas is None else done)

    async def _set_intention(self, request: web.Request) -> web.Response:
        destination = request.query["destination"]
        self._demand(request, "intention:write", destination)
        self.config.set_intention(request.query["source"], destination, await request.json())
        return web.json_response(True)

    async def _intention(self, request: web.Request) -> web.Response:
        found = self.config.intention(request.query["source"], request.query["destination"])
        return web.json_response(found) if found else web.Response(status=404, text="Intention not found")

    async def _delete_intention(self, request: web.Request) -> web.Response:
        self._demand(request, "intention:write", request.query["destination"])
        self.config.delete_intention(request.query["source"], request.query["destination"])
        return web.json_response(True)

    async def _check_intention(self, request: web.Request) -> web.Response:
        self._demand(request, "intention:read", request.query["destination"])
        allowed = self.config.allowed(request.query["source"], request.query["destination"], default=not self.acl)
        return web.json_response({"Allowed": allowed})

    async def _match_intentions(self, request: web.Request) -> web.Response:
        name = request.query["name"]
        self._demand(request, "intention:read", name)
        return await self._blocking(request, "config", lambda: ({name: self.config.matching(name)}, False))

    # Certificates and access rules.

    async def _roots(self, request: web.Request) -> web.Response:
        return await self._blocking(request, "roots", lambda: (self.ca.roots_body(), False))

    async def _leaf(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._demand(request, "service:write", name)
        self.ca.ensure_leaf(name)
        return await self._blocking(request, f"leaf:{name}", lambda: (self.ca.leaf_body(name), False))

    async def _policy(self, request: web.Request) -> web.Response:
        self._demand(request, "acl:write")
        return web.json_response(self.access.add_policy(await request.json()))

    async def _new_token(self, request: web.Request) -> web.Response:
        self._demand(request, "acl:write")
        return web.json_response(self.access.add_token(await request.json()))

    async def _delete_token(self, request: web.Request) -> web.Response:
        self._demand(request, "acl:write")
        self.access.delete_token(request.match_info["accessor"])
        return web.json_response(True)


@asynccontextmanager
async def running_double(*, acl: bool = False) -> AsyncIterator[ConsulDouble]:
    """A double that listens."""
    double = ConsulDouble(acl=acl)
    await double.start()
    try:
        yield double
    finally:
        await double.close()
        await asyncio.sleep(0)


class ThreadedDouble:
    """A double in a thread with a loop of its own, for tests that run commands and have no loop."""

    def __init__(self, double: ConsulDouble, loop: asyncio.AbstractEventLoop) -> None:
        self.double = double
        self._loop = loop

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something on its loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


@contextmanager
def threaded_double(*, acl: bool = False) -> Iterator[ThreadedDouble]:
    """A double that listens."""
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        threaded = ThreadedDouble(ConsulDouble(acl=acl), loop)
        try:
            threaded.do(threaded.double.start())
            yield threaded
            threaded.do(threaded.double.close())
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
