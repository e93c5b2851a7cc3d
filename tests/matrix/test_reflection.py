"""
List C1 of transcoding.md: an API that only its upstream describes, through that upstream's absence, arrival and change.

The upstream is a real gRPC service with server reflection, restarted on its port with another schema; a small constant load counts what
fails meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_reflection.v1alpha import reflection, reflection_pb2

from edge.descriptors.compile import compile_protos
from tests.gateway import RunningGateway, running
from tests.matrix.rest_site import shaped
from tests.peers.ports import free_port
from tests.upstreams.recorder import OPTIONS, AnyPath

HEAD = (
    'syntax = "proto3";\npackage zoo.v1;\nimport "google/api/annotations.proto";\nmessage Animal { string name = 1; }\n'
)
GET = 'rpc Get(Animal) returns (Animal) { option (google.api.http) = {get: "/zoo/{name}"}; }\n'
FEED = 'rpc Feed(Animal) returns (Animal) { option (google.api.http) = {post: "/zoo/{name}:feed" body: "*"}; }\n'
OLD = HEAD + "service Zoo { " + GET + "}\n"
NEW = HEAD.replace("string name = 1;", "string name = 1; int32 legs = 2;") + "service Zoo { " + GET + FEED + "}\n"
BROKEN = HEAD + "service Zoo { " + GET.replace("/zoo/{name}", "/zoo/{nmae}") + "}\n"


@asynccontextmanager
async def zoo(folder: Path, port: int, text: str, *, version: str = "v1", max_age_ms: int = 0) -> AsyncIterator[None]:
    """A service that echoes every RPC and describes itself by reflection; `max_age_ms` is when it sends GOAWAY on a connection."""
    (folder / "zoo.proto").write_text(text)
    pool = descriptor_pool.DescriptorPool()
    for file in FileDescriptorSet.FromString(compile_protos([folder], ["zoo.proto"])).file:
        pool.Add(file)
    age = (("grpc.max_connection_age_ms", max_age_ms),) if max_age_ms else ()
    server = grpc.aio.server(options=(*OPTIONS, *age))
    names = ["zoo.v1.Zoo", "grpc.reflection.v1alpha.ServerReflection"]
    servicer = reflection.aio.ReflectionServicer(names, pool=pool)  # type: ignore[attr-defined]  # missing in the stubs
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    service = f"grpc.reflection.{version}.ServerReflection"
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(service, {"ServerReflectionInfo": handler}), AnyPath(_echo))
    )
    assert server.add_insecure_port(f"127.0.0.1:{port}") == port
    await server.start()
    try:
        yield
    finally:
        await server.stop(1)


async def _echo(path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
    if path.startswith("/grpc.reflection."):  # a version that is not served
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "not this one")
    async for message in requests:
        yield message


@asynccontextmanager
async def gateway_for(folder: Path, port: int) -> AsyncIterator[tuple[RunningGateway, httpx.AsyncClient]]:
    """A gateway that knows its API by reflection only, asked again every 300 ms."""
    config = {
        "listeners": [{"bind": "127.0.0.1:0"}],
        "access_log": {"path": str(folder / "access.log")},
        "apis": [{"name": "zoo", "reflection": {"refresh": "300ms", "timeout": "2s"}, "upstream": "zoo"}],
        "upstreams": {"zoo": {"endpoints": [f"127.0.0.1:{port}"]}},
    }
    async with running(folder, config) as gateway, gateway.client() as client:
        yield gateway, client


async def eventually(found: Callable[[], Awaitable[bool]], within_s: float = 30.0) -> None:
    """Wait until it is so."""
    started = time.monotonic()
    while not await found():
        assert time.monotonic() - started < within_s, f"not within {within_s} s"
        await asyncio.sleep(0.02)


def answers(
    client: httpx.AsyncClient, status: int, method: str = "GET", target: str = "/zoo/lion"
) -> Callable[[], Awaitable[bool]]:
    """Whether a request gets this status now."""

    async def ask() -> bool:
        return (await client.request(method, target)).status_code == status

    return ask


async def readiness(client: httpx.AsyncClient, gateway: RunningGateway) -> tuple[int, Any]:
    answer = await client.get(f"{gateway.admin_url}/readyz")
    return answer.status_code, answer.json()


async def test_an_absent_upstream_arrives_and_is_served_without_a_restart(tmp_path: Path) -> None:
    """C1, E4: 503 with Retry-After and RetryInfo while nothing is known, readyz says why; served soon after the upstream came."""
    port = free_port()
    async with gateway_for(tmp_path, port) as (gateway, client):
        answer = await client.get("/zoo/lion")
        body = shaped(answer, 503)
        assert body["details"][0]["reason"] == "NOT_READY"
        assert int(answer.headers["retry-after"]) >= 1
        assert any(detail["@type"].endswith("RetryInfo") for detail in body["details"])
        status, told = await readiness(client, gateway)
        assert (status, told["ready"]) == (503, False)
        assert "zoo" in told["reasons"][0]
        async with zoo(tmp_path, port, OLD):
            await eventually(answers(client, 200))
            assert (await client.get("/zoo/lion")).json() == {"name": "lion"}
            assert (await readiness(client, gateway))[0] == 200
            shaped(await client.get("/nothing"), 404)
            assert "grpc.reflection" not in str(gateway.gateway._snapshot.routes.routes), (
                "reflection itself is not exposed"
            )


async def test_v1alpha_is_understood(tmp_path: Path) -> None:
    """C1: a service that serves the older version only."""
    port = free_port()
    async with zoo(tmp_path, port, OLD, version="v1alpha"), gateway_for(tmp_path, port) as (_, client):
        await eventually(answers(client, 200))


async def test_an_upstream_that_restarts_with_a_new_schema(tmp_path: Path) -> None:
    """C1: while it is down its routes stay known and answer 503; back with a new RPC and field, those are served on its own."""
    port = free_port()
    async with gateway_for(tmp_path, port) as (_, client):
        async with zoo(tmp_path, port, OLD):
            await eventually(answers(client, 200))
            shaped(await client.post("/zoo/lion:feed", json={}), 405)
        assert shaped(await client.get("/zoo/lion"), 503)["details"][0]["reason"] == "UPSTREAM_UNAVAILABLE"
        async with zoo(tmp_path, port, NEW):
            await eventually(answers(client, 200))
            await eventually(answers(client, 200, "POST", "/zoo/lion:feed"))
            assert (await client.post("/zoo/lion:feed", json={"legs": 4})).json() == {"name": "lion", "legs": 4}
            assert (await client.get("/zoo/lion?legs=3")).json() == {"name": "lion", "legs": 3}


async def test_a_rollout_under_load_fails_no_request(tmp_path: Path) -> None:
    """
    C1, C2: the new version stands beside the old one, whose connections then end as gRPC's do (GOAWAY, running calls finish).

    The new schema is swapped in soon after, and every request meanwhile is answered 200.
    """
    first, second = free_port(), free_port()
    seen: Counter[int] = Counter()
    stop = asyncio.Event()

    async def load(client: httpx.AsyncClient) -> None:
        while not stop.is_set():
            seen[(await client.get("/zoo/lion")).status_code] += 1
            await asyncio.sleep(0.002)

    async with (
        Relay(first) as relay,
        zoo(tmp_path, second, NEW),
        zoo(tmp_path, first, OLD, max_age_ms=700),
        gateway_for(tmp_path, relay.port) as (_, client),
        asyncio.TaskGroup() as tasks,
    ):
        await eventually(answers(client, 200))
        shaped(await client.post("/zoo/lion:feed", json={}), 405)
        tasks.create_task(load(client))
        await asyncio.sleep(0.1)
        relay.target = second
        await eventually(answers(client, 200, "POST", "/zoo/lion:feed"))
        asked = seen.total()
        while seen.total() < asked + 50:
            await asyncio.sleep(0.02)
        stop.set()
    assert set(seen) == {200}, seen
    assert seen[200] > 50


async def test_a_description_that_cannot_be_used_changes_nothing(tmp_path: Path) -> None:
    """C1, C5: a new schema with a broken rule is refused as a whole; the old routes go on."""
    port = free_port()
    async with gateway_for(tmp_path, port) as (gateway, client):
        async with zoo(tmp_path, port, OLD):
            await eventually(answers(client, 200))
        async with zoo(tmp_path, port, BROKEN):
            await eventually(answers(client, 200))
            for _ in range(30):
                assert (await client.get("/zoo/lion")).json() == {"name": "lion"}
                await asyncio.sleep(0.03)
            assert (await readiness(client, gateway))[0] == 200


class Relay:
    """A TCP relay whose target can be changed: what a Kubernetes service or a proxy does during a rollout."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Relay:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            back, out = await asyncio.open_connection("127.0.0.1", self.target)
            await asyncio.gather(_pump(reader, out), _pump(back, writer))
        except (ConnectionError, asyncio.CancelledError):
            pass  # either side is gone: so is the other
        finally:
            writer.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()
    sink.close()
