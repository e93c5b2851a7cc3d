"""`edge run` registers the gateway itself, alone or once for all workers, keeps it up, and takes it back first when asked to stop."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.consul.scenes import Peer, asked
from tests.gateway import bookstore_config
from tests.peers.ports import free_port
from tests.upstreams.recorder import Recorder, Reply

Names = Callable[[str], str]

pytestmark = pytest.mark.timeout(120)


async def held(peer: Peer, service: str) -> list[dict[str, Any]]:
    """What Consul lists under a name, with the health of each."""
    _, found, _ = await asked(peer, "GET", f"/v1/health/service/{service}")
    return list(found)


async def eventually(true: Callable[[list[dict[str, Any]]], object], peer: Peer, service: str) -> None:
    """Until what Consul lists is so."""
    for _ in range(400):
        if true(await held(peer, service)):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(await held(peer, service))


def passing(found: list[dict[str, Any]]) -> bool:
    return len(found) == 1 and all(
        check["Status"] == "passing" for check in found[0]["Checks"] if check.get("ServiceID")
    )


def written(folder: Path, peer: Peer, us: str, upstream: Recorder, register: dict[str, Any]) -> tuple[Path, int]:
    """A configuration that registers the gateway; its port."""
    port = free_port()
    consul = {"address": peer.url, "service": us, "register": register}
    given = bookstore_config(folder, upstream.port, consul=consul, listeners=[{"bind": f"127.0.0.1:{port}"}])
    path = folder / "edge.yaml"
    path.write_text(json.dumps({**given, "drain_timeout": "5s"}))
    return path, port


@pytest.mark.parametrize("workers", [1, 2])
async def test_from_start_to_drain(tmp_path: Path, peer: Peer, unique: Names, workers: int) -> None:
    """
    Once, passing, with its port and tags; made again when somebody removed it; gone while a call that runs still finishes.
    """
    us = unique("edge")
    async with Recorder() as upstream:
        path, port = written(tmp_path, peer, us, upstream, {"tags": ["rest"], "checks": [{"ttl": "3s"}]})
        command = [sys.executable, "-m", "edge", "run", "-c", str(path), "--workers", str(workers)]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
        try:
            await eventually(passing, peer, us)
            (found,) = await held(peer, us)
            assert (found["Service"]["ID"], found["Service"]["Port"]) == (f"{us}-{port}", port)
            assert found["Service"]["Tags"] == ["rest"]
            await asked(peer, "PUT", f"/v1/agent/service/deregister/{us}-{port}")
            await eventually(passing, peer, us)
            upstream.default = Reply(delay_s=1.5)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /v1/shelves/1 HTTP/1.1\r\nhost: a\r\n\r\n")
            while not upstream.calls:
                await asyncio.sleep(0.02)
            process.send_signal(signal.SIGTERM)
            await eventually(lambda found: found == [], peer, us)
            assert process.returncode is None
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            writer.close()
            assert await process.wait() == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_silent_consul_does_not_hold_the_drain_up(tmp_path: Path, workers: int) -> None:
    """An agent nobody answers at: the gateway serves, and ends with 0 in good time."""

    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silence, "127.0.0.1", 0)

    class Silent:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async with Recorder() as upstream:
        path, port = written(tmp_path, Silent(), "edge", upstream, {})  # type: ignore[arg-type]  # only its address
        command = [sys.executable, "-m", "edge", "run", "-c", str(path), "--workers", str(workers)]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
        try:
            for _ in range(400):
                try:
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.write(b"GET /v1/shelves/1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
                    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
                    writer.close()
                    break
                except ConnectionRefusedError:
                    await asyncio.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(20):
                assert await process.wait() == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            server.close()
