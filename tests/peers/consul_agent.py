"""
A real Consul agent (`make consul`) on free loopback ports: a server alone, with Connect, with or without access rules.

It can be killed, stopped without a word, and started again on the same ports; `durable` decides whether it then remembers.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.build_consul import BINARY, VERSION
from tests.peers.ports import free_port

START_TIMEOUT_S = 60.0


def consul_binary() -> Path | None:
    """The agent that `make consul` built, or None."""
    return BINARY if BINARY.is_file() else None


@dataclass
class ConsulAgent:
    """One agent; `management` is a token that may do everything, empty without access rules."""

    folder: Path
    acl: bool = False
    durable: bool = False
    management: str = ""
    datacenter: str = "dc1"
    primary: ConsulAgent | None = None
    """Of the other datacenter, which this one joins and whose CA signs this one's; `wide` there."""
    wide: bool = False
    """Whether agents of other datacenters can join it."""
    port: int = field(default_factory=free_port)
    others: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in ("server", "serf_lan")})
    wan_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """Which Consul this is, for test reports."""
        return f"consul {VERSION}"

    @property
    def url(self) -> str:
        """Of its HTTP API."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it leads itself and takes writes."""
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self.folder / "agent.json"
        settings.write_text(json.dumps(self._settings()))
        mode = ["-server", "-bootstrap-expect=1", f"-data-dir={self.folder / 'data'}"] if self.durable else ["-dev"]
        with (self.folder / "agent.log").open("ab") as log:
            command = [str(BINARY), "agent", *mode, f"-config-file={settings}", "-log-level=info"]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "GOMAXPROCS": "2"})
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._leads():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the agent does not start: {(self.folder / 'agent.log').read_text()[-2000:]}")
            time.sleep(0.05)

    def _settings(self) -> dict[str, Any]:
        off = dict.fromkeys(("dns", "https", "grpc", "grpc_tls", "serf_wan"), -1)
        if self.wide or self.primary is not None:
            off["serf_wan"] = self.wan_port
        settings: dict[str, Any] = {
            "node_name": "node1" if self.primary is None else f"node1-{self.datacenter}",
            "datacenter": self.datacenter,
            "bind_addr": "127.0.0.1",
            "client_addr": "127.0.0.1",
            "ports": {**off, **self.others, "http": self.port},
            "connect": {"enabled": True},
            "disable_update_check": True,
            "performance": {"raft_multiplier": 1},
            "enable_script_checks": False,
            "leave_on_terminate": False,
        }
        if self.primary is not None:
            settings["primary_datacenter"] = self.primary.datacenter
            settings["retry_join_wan"] = [f"127.0.0.1:{self.primary.wan_port}"]
            settings["retry_interval_wan"] = "1s"
        if self.acl:
            self.management = self.management or str(uuid.uuid4())
            tokens = {"initial_management": self.management, "agent": self.management}
            settings["acl"] = {"enabled": True, "default_policy": "deny", "tokens": tokens, "token_ttl": "1s"}
        return settings

    def _leads(self) -> bool:
        """Whether it leads, and has its own node in the catalog: only then are services visible."""
        with suppress(OSError, ValueError):
            request = urllib.request.Request(f"{self.url}/v1/catalog/nodes", headers=self.headers)
            with urllib.request.urlopen(request, timeout=2) as response:
                return bool(json.load(response))
        return False

    @property
    def headers(self) -> dict[str, str]:
        """With the management token, where there is one."""
        return {"X-Consul-Token": self.management} if self.management else {}

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def pause(self) -> None:
        """Stop it in the middle of what it does; connections stay open and silent."""
        if self.process is not None:
            self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)


@contextmanager
def running_agent(
    folder: Path,
    *,
    acl: bool = False,
    durable: bool = False,
    datacenter: str = "dc1",
    primary: ConsulAgent | None = None,
    wide: bool = False,
) -> Iterator[ConsulAgent]:
    """An agent that has started; killed at the end."""
    agent = ConsulAgent(folder, acl=acl, durable=durable, datacenter=datacenter, primary=primary, wide=wide)
    try:
        agent.start()
        yield agent
    finally:
        agent.kill()
