"""
`mesh: linkerd` and `mesh: istio`: the whole gateway through a real Envoy beside it, as Istio configures one, to two pods.

Linkerd's own proxy cannot be had here; what it wants of its application (plain HTTP/2 to the Service's name, no header of its own, one
connection it balances behind) is what is measured at Envoy too.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.consul.scenes import until
from tests.gateway import RunningGateway, bookstore_config, running
from tests.matrix.test_one_decision import FORGED
from tests.peers.envoy import envoy_binary
from tests.sidecar.proxy import NAME, Proxy, running_proxy
from tests.sidecar.resolver import Resolver
from tests.upstreams.recorder import Recorder, Reply

pytestmark = [
    pytest.mark.envoy,
    pytest.mark.skipif(envoy_binary() is None, reason="Envoy is not installed: run make setup"),
]
GET_SHELF = "/bookstore.v1.Bookstore/GetShelf"


@dataclass
class Scene:
    gateway: RunningGateway
    proxy: Proxy
    pods: list[Recorder]

    @property
    def arrived(self) -> int:
        return sum(len(pod.calls) for pod in self.pods)


@asynccontextmanager
async def scene(
    folder: Path, monkeypatch: pytest.MonkeyPatch, mesh: str | None, host: str = NAME, **upstream: Any
) -> AsyncIterator[Scene]:
    """The name leads to the proxy, as its interception does with the Service's address."""
    Resolver(monkeypatch).zone[host] = ["127.0.0.1"]
    async with AsyncExitStack() as stack:
        pods = [await stack.enter_async_context(Recorder()) for _ in range(2)]
        ports = [int(pod.address.rsplit(":", 1)[1]) for pod in pods]
        proxy = stack.enter_context(running_proxy(folder, ports))
        config = bookstore_config(folder, 0)
        section = {"endpoints": [f"{host}:{proxy.port}"], **({"mesh": mesh} if mesh else {}), **upstream}
        config["upstreams"] = {"bookstore": section}
        gateway = await stack.enter_async_context(running(folder, config))
        yield Scene(gateway, proxy, pods)


@pytest.mark.parametrize("mesh", ["linkerd", "istio"])
@pytest.mark.parametrize("host", [NAME, f"{NAME}.", "books.shop"], ids=["whole", "with its root", "short"])
async def test_the_services_name_over_one_plaintext_connection(
    mesh: str, host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many calls at once: the proxy finds the Service by name, has one HTTP/2 connection of ours, and balances over the pods."""
    async with scene(tmp_path, monkeypatch, mesh, host) as seen, seen.gateway.client() as client:
        answers = await asyncio.gather(*(client.get("/v1/shelves/1") for _ in range(40)))
        assert {answer.status_code for answer in answers} == {200}
        assert all(pod.calls for pod in seen.pods), "the proxy balances"
        await until(lambda: len(seen.proxy.requests()) == 40, "the proxy's log")
        requests = seen.proxy.requests()
        assert {request["authority"] for request in requests} == {f"{host.rstrip('.')}:{seen.proxy.port}"}
        assert {request["protocol"] for request in requests} == {"HTTP/2"}
        assert len({request["connection"] for request in requests}) == 1
        assert {request["override"] for request in requests} == {None}, (
            "that is for ingress mode, where we would pick pods"
        )


async def test_an_address_is_nobodys_to_the_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Why `mesh` demands a name: without one the proxy has no route, and says so with a bare 502."""
    async with scene(tmp_path, monkeypatch, None, "127.0.0.1") as seen, seen.gateway.client() as client:
        answer = await client.get("/v1/shelves/1")
        assert answer.status_code == 503
        assert answer.json()["code"] == 14
        assert seen.arrived == 0


@pytest.mark.parametrize("mesh", ["linkerd", "istio"])
async def test_the_deadline_goes_through_the_proxy(mesh: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As grpc-timeout, which Istio's routes take for theirs; the pod hears what is left."""
    async with scene(tmp_path, monkeypatch, mesh) as seen, seen.gateway.client() as client:
        for pod in seen.pods:
            pod.default = Reply(delay_s=8.0)
        began = time.monotonic()
        answer = await client.get("/v1/shelves/1", headers={"grpc-timeout": "2S"})
        assert answer.status_code == 504
        assert time.monotonic() - began < 7.5
        (call,) = [call for pod in seen.pods for call in pod.calls]
        assert call.time_remaining_s is not None
        assert call.time_remaining_s < 2.1


@pytest.mark.parametrize("mesh", ["linkerd", "istio"])
async def test_retries_are_the_proxys(mesh: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One pod is ill: the proxy goes to the other; we ask the proxy once a call."""
    async with scene(tmp_path, monkeypatch, mesh) as seen, seen.gateway.client() as client:
        seen.pods[0].default = Reply(code=14, text="ill")
        for _ in range(4):
            assert (await client.get("/v1/shelves/1")).status_code == 200
        seen.pods[1].default = Reply(code=14, text="ill too")
        before = seen.arrived
        answer = await client.get("/v1/shelves/1")
        assert answer.status_code == 503
        assert "ill" in answer.json()["message"]
        assert seen.arrived - before == 3, "the proxy's two retries, and none of ours on top"
        await until(lambda: len(seen.proxy.requests()) == 5, "one request a call")


@pytest.mark.parametrize("mesh", ["linkerd", "istio"])
async def test_what_steers_a_proxy_never_comes_from_outside(
    mesh: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor do its own words go out: what the proxy says beside an answer stays inside, in REST and in gRPC."""
    async with scene(tmp_path, monkeypatch, mesh) as seen, seen.gateway.client() as client:
        for pod in seen.pods:
            pod.default = Reply(
                headers=(("l5d-proxy-error", "inside"), ("x-consul-effective-consistency", "leader"), ("x-own", "1"))
            )
        answer = await client.get("/v1/shelves/1", headers=FORGED)
        assert answer.status_code == 200
        assert answer.headers["grpc-metadata-x-own"] == "1"
        assert not [name for name in answer.headers if "l5d-" in name or "x-envoy-" in name or "x-consul-" in name]
        async with grpc.aio.insecure_channel(f"127.0.0.1:{seen.gateway.port}") as channel:
            call = channel.unary_unary(GET_SHELF, bytes, bytes)(b"", metadata=tuple(FORGED.items()))
            await call
            names = [name for name, _ in await call.initial_metadata() or ()]
            assert "x-own" in names
            assert not [name for name in names if name.startswith(("l5d-", "x-envoy-", "x-consul-"))]
        calls = [call for pod in seen.pods for call in pod.calls]
        assert len(calls) == 2
        for arrived in calls:
            assert not {name for name, value in arrived.metadata if value == "forged"}


async def test_traces_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both meshes leave it to applications to carry trace headers on."""
    trace = {
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "b3": "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
        "x-b3-traceid": "4bf92f3577b34da6a3ce929d0e0e4736",
        "x-b3-spanid": "00f067aa0ba902b7",
        "x-b3-sampled": "1",
    }
    async with scene(tmp_path, monkeypatch, "istio") as seen, seen.gateway.client() as client:
        await client.get("/v1/shelves/1", headers=trace)
        (call,) = [call for pod in seen.pods for call in pod.calls]
        assert {name: call.values(name) for name in trace} == {name: [value] for name, value in trace.items()}
