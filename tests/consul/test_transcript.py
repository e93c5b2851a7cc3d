"""
Acceptance 1, as a person would do it, from an empty Consul to a denied intention; `pytest -s` prints what stands in docs/mesh.md.

Real: the agent, the bookstore, `edge services register`, `edge run`, curl, an Envoy with Consul's certificates. What Consul would push over
xDS is written by tests/consul/sidecars.py.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.consul.scenes import Peer, asked
from tests.consul.sidecars import intend, sidecar_of
from tests.gateway import bookstore_config
from tests.peers.consul_agent import running_agent
from tests.peers.envoy import ROOT, envoy_binary
from tests.peers.ports import free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.envoy,
    pytest.mark.timeout(240),
    pytest.mark.skipif(envoy_binary() is None, reason="Envoy is not installed: run make setup"),
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]

EDGE = [sys.executable, "-m", "edge"]


async def told(shown: str, *command: str) -> str:
    """Run a command; print it as a person types it, and what it said."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT
    )
    said = (await process.communicate())[0].decode()
    print(f"$ {shown}\n{said.rstrip()}")
    return said


@asynccontextmanager
async def process(*command: str) -> AsyncIterator[None]:
    """A process in the background, ended at exit."""
    running = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT
    )
    try:
        yield
    finally:
        running.terminate()
        await running.wait()


async def healthy(peer: Peer, kind: str) -> None:
    """Until Consul lists a passing bookstore."""
    while not (await asked(peer, "GET", f"/v1/health/{kind}/bookstore?passing=1"))[1]:
        await asyncio.sleep(0.1)


async def curl(port: int) -> str:
    url = f"http://127.0.0.1:{port}/v1/shelves/1"
    line = "\nHTTP %{http_code}\n"
    return await told(
        "curl -w '\\nHTTP %{http_code}\\n' http://127.0.0.1:8080/v1/shelves/1", "curl", "-s", "-w", line, url
    )


async def within(port: int, status: str, began: float) -> float:
    """Ask until the answer has this status; how long that took."""
    while status not in await curl(port):
        assert time.monotonic() - began < 10.0, "not within 10 s"
        await asyncio.sleep(0.2)
    return time.monotonic() - began


async def test_from_an_empty_consul_to_a_denied_intention(real_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """200 through the sidecar; denied: 503 within 2 s; allowed: 200."""
    port, store, sidecar, admin = free_port(), free_port(), free_port(), free_port()
    with running_agent(real_folder / "agent") as consul:
        monkeypatch.setenv("CONSUL_HTTP_ADDR", f"127.0.0.1:{consul.port}")
        given = bookstore_config(
            real_folder,
            1,
            consul={"address": consul.url, "service": "edge"},
            listeners=[{"bind": f"127.0.0.1:{port}"}],
            admin={"bind": f"127.0.0.1:{admin}"},
            upstreams={"bookstore": {"consul": {"service": "bookstore", "dial": "native"}}},
        )
        (real_folder / "edge.yaml").write_text(json.dumps(given))
        async with process(sys.executable, "-m", "edge.demo.service", "--port", str(store)):
            await told(
                "edge services register bookstore --port 50051 --connect sidecar --sidecar-port 21000 "
                "--grpc 127.0.0.1:50051/bookstore.v1.Bookstore --interval 1s",
                *(*EDGE, "services", "register", "bookstore", "--port", str(store), "--address", "127.0.0.1"),
                *("--connect", "sidecar", "--sidecar-port", str(sidecar), "--interval", "1s"),
                *("--grpc", f"127.0.0.1:{store}/bookstore.v1.Bookstore"),
            )
            await healthy(consul, "service")
            await told("edge services list bookstore", *EDGE, "services", "list", "bookstore")
            await _intend(consul, "allow")
            async with process(*EDGE, "run", "-c", str(real_folder / "edge.yaml")):
                print("$ edge run -c edge.yaml &")
                async with sidecar_of(consul, "bookstore", store, "edge", real_folder / "first", sidecar):
                    await healthy(consul, "connect")
                    await ready_at(admin)
                    assert "HTTP 200" in await curl(port)
                for action, status in (("deny", "HTTP 503"), ("allow", "HTTP 200")):
                    began = await _intend(consul, action)
                    async with sidecar_of(consul, "bookstore", store, "edge", real_folder / action, sidecar):
                        took = await within(port, status, began)
                        print(f"# {took:.1f} s after the intention")


async def _intend(consul: Peer, action: str) -> float:
    return await intended(consul, "edge", "bookstore", action)


async def intended(consul: Peer, source: str, destination: str, action: str) -> float:
    """Write an intention, printed as a person does it; when that was."""
    flag = " -deny" if action == "deny" else ""
    command = f"consul intention create -replace{flag} {source} {destination}"
    print(f"$ {command}\nCreated: {source} => {destination} ({action})")
    await intend(consul, source, destination, action)
    return time.monotonic()


async def ready_at(admin: int) -> None:
    """Until the gateway is; print that."""
    command = ["curl", "-s", f"http://127.0.0.1:{admin}/readyz"]
    while True:
        asking = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        if (await asking.communicate())[0].startswith(b'{"ready":true'):
            break
        await asyncio.sleep(0.1)
    await told("curl http://127.0.0.1:9901/readyz", *command)
