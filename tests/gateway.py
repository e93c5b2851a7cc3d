"""
A whole gateway for integration tests: the real `Gateway` on free loopback ports, in the test's own loop.

    async with running_bookstore(tmp_path, upstream_port) as gateway:
        async with httpx.AsyncClient(base_url=gateway.url) as client: ...
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from edge.app.gateway import Gateway
from edge.config.load import load_config
from edge.demo.messages import FILES, find_root
from edge.runtime.sockets import Bind, bind_all


@dataclass(frozen=True)
class RunningGateway:
    """Where it answers, and where its access log is."""

    port: int
    admin_port: int
    access_log: Path
    gateway: Gateway

    @property
    def url(self) -> str:
        """Of the first listener."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def admin_url(self) -> str:
        """Of the admin listener."""
        return f"http://127.0.0.1:{self.admin_port}"

    async def logged(self, words: str = "") -> dict[str, Any]:
        """
        The one line of the access log with these words, once it is whole.

        Lines are written in batches, some time after their calls.
        """
        for _ in range(1500):
            text = self.access_log.read_text() if self.access_log.exists() else ""
            whole = text[: text.rfind("\n") + 1].splitlines()
            if found := [line for line in whole if words in line]:
                (line,) = found
                return dict(json.loads(line))
            await asyncio.sleep(0.02)
        raise AssertionError(f"the access log has no line with {words!r}: {text}")

    def client(self) -> httpx.AsyncClient:
        """A client that adds nothing of its own but what HTTP needs."""
        return httpx.AsyncClient(
            base_url=self.url, headers={"accept-encoding": "identity"}, trust_env=False, timeout=30
        )


def bookstore_config(
    folder: Path, upstream_port: int, *, api: dict[str, Any] | None = None, **top: Any
) -> dict[str, Any]:
    """The bookstore as a configuration; `api` and `top` override."""
    return {
        "listeners": [{"bind": "127.0.0.1:0"}],
        "admin": {"bind": "127.0.0.1:0"},
        "access_log": {"path": str(folder / "access.log")},
        "drain_timeout": "2s",
        "apis": [
            {
                "name": "bookstore",
                "protos": {"roots": [str(find_root())], "files": list(FILES)},
                "upstream": "bookstore",
                **(api or {}),
            }
        ],
        "upstreams": {"bookstore": {"endpoints": [f"127.0.0.1:{upstream_port}"]}},
        **top,
    }


def _port(sock: socket.socket) -> int:
    port: int = sock.getsockname()[1]
    return port


@asynccontextmanager
async def running(folder: Path, config: dict[str, Any]) -> AsyncIterator[RunningGateway]:
    """Serve a configuration; its listeners' ports are chosen by the system."""
    path = folder / "edge.yaml"
    path.write_text(json.dumps(config))
    listeners = bind_all([Bind("127.0.0.1", 0) for _ in config["listeners"]])
    (admin,) = bind_all([Bind("127.0.0.1", 0)])
    port, admin_port = _port(listeners[0]), _port(admin)
    gateway = Gateway(lambda: load_config(path, {}))
    try:
        await gateway.start(listeners, admin)
        yield RunningGateway(port, admin_port, folder / "access.log", gateway)
    finally:
        await gateway.drain(2.0)


@asynccontextmanager
async def running_bookstore(folder: Path, upstream_port: int, **choices: Any) -> AsyncIterator[RunningGateway]:
    """`bookstore_config`, served."""
    async with running(folder, bookstore_config(folder, upstream_port, **choices)) as gateway:
        yield gateway
