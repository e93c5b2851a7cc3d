"""
The gateway is called by a real Envoy as its caller's sidecar, with grpcio behind that: the way of most calls in a mesh.

Certificates and intentions are a Consul's (the double and the real agent); grpcio and Envoy are the judges of how connections end.
"""

from __future__ import annotations

import asyncio
import json
import signal
import ssl
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import httpx
import pytest

from edge.ingress.visits import Ending
from tests.consul.callers import called, calling_sidecar, context_of, define
from tests.consul.scenes import Peer, asked, until
from tests.consul.sidecars import intend
from tests.consul.test_called_from_mesh import inbound_of, serving
from tests.gateway import RunningGateway
from tests.peers.envoy import envoy_binary
from tests.peers.ports import free_port
from tests.upstreams.recorder import Recorder, Reply

Names = Callable[[str], str]

pytestmark = [
    pytest.mark.envoy,
    pytest.mark.timeout(120),
    pytest.mark.skipif(envoy_binary() is None, reason="Envoy is not installed: run make setup"),
]
AT_ONCE_S = 10.0
"""Two seconds, and what a machine with much else to do adds."""
GET, DELETE = "/bookstore.v1.Bookstore/GetShelf", "/bookstore.v1.Bookstore/DeleteShelf"


def _same(message: bytes) -> bytes:
    return message


async def code(channel: grpc.aio.Channel, method: str = GET, timeout_s: float = 10.0) -> grpc.StatusCode:
    """What a call comes to."""
    try:
        await channel.unary_unary(method, _same, _same)(b"", timeout=timeout_s)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


async def spiffe_of(peer: Peer, service: str) -> str:
    _, leaf, _ = await asked(peer, "GET", f"/v1/agent/connect/ca/leaf/{service}")
    return str(leaf["ServiceURI"])


@asynccontextmanager
async def calling(peer: Peer, web: str, us: str, port: int, folder: Path) -> AsyncIterator[grpc.aio.Channel]:
    """A channel of grpcio's in plaintext to the sidecar of `web`, which reaches only who presents our leaf."""
    async with (
        calling_sidecar(peer, web, await spiffe_of(peer, us), port, folder / "web") as ports,
        grpc.aio.insecure_channel(
            f"127.0.0.1:{ports.outbound}",
            options=[("grpc.initial_reconnect_backoff_ms", 100), ("grpc.min_reconnect_backoff_ms", 100)],
        ) as channel,
    ):
        yield channel


async def test_one_method_of_a_service(tmp_path: Path, peer: Peer, unique: Names) -> None:
    """What the permission names is answered, what is denied is PERMISSION_DENIED, on the same connection."""
    us, web = unique("edge"), unique("web")
    only = {"PathExact": GET, "Methods": ["POST"]}
    permissions = [{"Action": "allow", "HTTP": only}, {"Action": "deny", "HTTP": {"PathPrefix": "/"}}]
    await define(peer, us, [{"Name": web, "Permissions": permissions}], "grpc")
    async with (
        serving(tmp_path, peer, us) as (gateway, upstream),
        calling(peer, web, us, gateway.port, tmp_path) as channel,
    ):
        for method, expected in ((GET, "OK"), (DELETE, "PERMISSION_DENIED"), (GET, "OK")):
            assert (await code(channel, method)).name == expected
        assert [call.path for call in upstream.calls] == [GET, GET]
        assert connections(gateway) == 1
    denied = [line for line in (tmp_path / "access.log").read_text().splitlines() if "INTENTION_DENIED" in line]
    assert json.loads(denied[0])["detail"] == f"permission 2 of the intention {web} => {us} denies it"
    assert json.loads(denied[0])["caller"].endswith(f"/svc/{web}")


def connections(gateway: RunningGateway) -> int:
    listening = gateway.gateway._listening
    assert listening is not None
    (listener,) = listening.listeners
    return listener.connections


async def test_a_withdrawn_intention_bites_on_a_live_connection(tmp_path: Path, peer: Peer, unique: Names) -> None:
    """Soon no further call passes; a call that runs finishes within the grace, and is cut off after it."""
    us, web = unique("edge"), unique("web")
    await intend(peer, web, us, "allow")
    async with serving(tmp_path, peer, us, mesh={"max_connection_age_grace": "6s"}) as (gateway, upstream):
        async with calling(peer, web, us, gateway.port, tmp_path) as channel:
            assert await code(channel) is grpc.StatusCode.OK
            upstream.replies[DELETE] = Reply(delay_s=1.0)
            upstream.default = Reply(delay_s=30.0)
            finishes, hangs = (asyncio.ensure_future(code(channel, method, 20)) for method in (DELETE, GET))
            await until(lambda: len(upstream.calls) == 3, "the slow calls' begin")
            upstream.default = Reply()
            withdrawn = time.monotonic()
            await intend(peer, web, us, "deny")
            while await code(channel) is grpc.StatusCode.OK:
                assert time.monotonic() - withdrawn < AT_ONCE_S
                await asyncio.sleep(0.02)
            took, passed = time.monotonic() - withdrawn, len(upstream.calls)
            assert not hangs.done()
            assert await finishes is grpc.StatusCode.OK
            assert await hangs is not grpc.StatusCode.OK
            cut = time.monotonic() - withdrawn
            assert 5.0 < cut < 18.0  # its own deadline is later
            assert await code(channel) is grpc.StatusCode.PERMISSION_DENIED
            assert len(upstream.calls) == passed
        assert inbound_of(gateway).endings[Ending.INTENTIONS] == 1
        print(f"refused {took:.2f} s after the intention, a call that ran cut off after {cut:.2f} s")


async def test_a_connection_has_an_age(tmp_path: Path, peer: Peer, unique: Names) -> None:
    """Past it comes GOAWAY; the calls go on over a new connection, and none fails."""
    us, web = unique("edge"), unique("web")
    await intend(peer, web, us, "allow")
    async with serving(tmp_path, peer, us, mesh={"max_connection_age": "300ms"}) as (gateway, _):
        inbound = inbound_of(gateway)
        async with calling(peer, web, us, gateway.port, tmp_path) as channel:
            codes, ended = set(), time.monotonic() + 60
            while inbound.endings[Ending.AGE] < 3:
                codes.add(await code(channel))
                assert time.monotonic() < ended
                await asyncio.sleep(0.005)
            assert codes == {grpc.StatusCode.OK}
            await until(lambda: connections(gateway) <= 1, "the old ones are closed")


@pytest.mark.parametrize("workers", [1, 2])
async def test_found_and_called_as_a_native_service(tmp_path: Path, peer: Peer, unique: Names, workers: int) -> None:
    """
    `edge run` registers its mesh listener as Connect-native, where callers look for it; each worker honours the intentions.
    """
    us, web, port, plain = unique("edge"), unique("web"), free_port(), free_port()
    await intend(peer, web, us, "allow")
    async with Recorder() as upstream:
        given = called(tmp_path, peer, us, upstream.port, consul={"register": {"checks": [{"ttl": "3s"}]}})
        given["listeners"] = [{"bind": f"127.0.0.1:{plain}"}, {"bind": f"127.0.0.1:{port}", "mesh": True}]
        (tmp_path / "edge.yaml").write_text(json.dumps(given))
        command = [sys.executable, "-m", "edge", "run", "-c", str(tmp_path / "edge.yaml"), "--workers", str(workers)]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
        try:
            (found,) = await native_instances(peer, us)
            assert (found["Service"]["Port"], found["Service"]["Connect"]) == (port, {"Native": True})
            async with calling(peer, web, us, port, tmp_path) as channel:
                ended = time.monotonic() + 60
                while await code(channel) is not grpc.StatusCode.OK:  # the certificate of each worker comes in its time
                    assert time.monotonic() < ended
                    await asyncio.sleep(0.1)
            await intend(peer, web, us, "deny")
            denied = time.monotonic()
            context, statuses = await context_of(peer, web), {200}
            while statuses != {403}:
                assert time.monotonic() < denied + AT_ONCE_S
                statuses = {await once(context, port) for _ in range(10)}  # by connections of their own: both workers
        finally:
            process.send_signal(signal.SIGTERM)
            await process.wait()


async def once(context: ssl.SSLContext, port: int) -> int:
    """The status of a call by a connection of its own."""
    async with httpx.AsyncClient(verify=context, trust_env=False) as client:
        return (await client.get(f"https://127.0.0.1:{port}/v1/shelves/1")).status_code


async def native_instances(peer: Peer, service: str) -> list[dict[str, dict[str, object]]]:
    for _ in range(400):
        _, found, _ = await asked(peer, "GET", f"/v1/health/connect/{service}?passing=1")
        if found:
            return list(found)
        await asyncio.sleep(0.05)
    raise AssertionError(f"no native instance of {service}")
