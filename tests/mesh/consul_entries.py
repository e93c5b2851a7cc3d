"""
Where tests keep Consul's entries: a double in memory, and a real agent where one was built.

The double has Consul's compare-and-set: a write that changes nothing is true whatever the index says, servers add fields, and indexes only
grow. Every test that takes `store` runs on both, so that the double is held to the real thing.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from edge.cli.mesh_consul import ConsulEntries
from edge.consul.client import AgentPlace
from edge.consul.transport import Place
from meshconfig.consul import ORDER
from meshconfig.consul_graph import refused_together
from meshconfig.consul_rules import refused
from meshconfig.consul_store import StoreError
from meshconfig.items import Entry
from tests.peers.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
_SERVERS = ("CreateIndex", "ModifyIndex")


class MemoryEntries:
    """The double. Refuses what Consul refuses, by our own rules."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._index = 10
        self._held: dict[tuple[str, str], Entry] = {}

    def read(self, kind: str, name: str) -> Entry | None:
        with self._lock:
            held = self._held.get((kind, name))
            return None if held is None else json.loads(json.dumps(held))

    def listed(self, kind: str) -> list[Entry]:
        with self._lock:
            return [json.loads(json.dumps(entry)) for key, entry in sorted(self._held.items()) if key[0] == kind]

    def write(self, entry: Entry, cas: int) -> bool:
        with self._lock:
            key = (entry["Kind"], entry["Name"])
            held = self._held.get(key)
            wanted = _completed(entry)
            if held is not None and {name: held[name] for name in held if name not in _SERVERS} == wanted:
                return True
            if cas != (held["ModifyIndex"] if held else 0):
                return False
            reasons = [*refused(entry), *refused_together([*(self._held | {key: wanted}).values()])]
            if reasons:
                raise StoreError(reasons[0])
            self._index += 1
            created = held["CreateIndex"] if held else self._index
            self._held[key] = {**wanted, "CreateIndex": created, "ModifyIndex": self._index}
            return True

    def delete(self, kind: str, name: str, cas: int) -> bool:
        with self._lock:
            held = self._held.get((kind, name))
            if held is not None and held["ModifyIndex"] != cas:
                return False
            left = {key: entry for key, entry in self._held.items() if key != (kind, name)}
            if reasons := list(refused_together(left.values())):
                raise StoreError(reasons[0])
            self._held = left
            return True


def _completed(entry: Entry) -> Entry:
    """What servers add."""
    wanted: Entry = json.loads(json.dumps({name: value for name, value in entry.items() if name not in _SERVERS}))
    if entry["Kind"] == "service-intentions":
        for source in wanted["Sources"]:
            source |= {"Precedence": 8 if source["Name"] == "*" else 9, "Type": "consul"}
        wanted["Sources"].sort(key=lambda source: -source["Precedence"])
    if entry["Kind"] == "service-defaults":
        wanted |= {"TransparentProxy": {}, "MeshGateway": {}, "Expose": {}}
    return wanted


def consul_binary() -> Path | None:
    """The agent that was built, or None."""
    found = sorted((ROOT / ".cache").glob("consul*/consul"))
    return next((path for path in found if os.access(path, os.X_OK)), None)


@contextmanager
def running_consul(folder: Path) -> Iterator[str]:
    """A real agent on free loopback ports; its URL."""
    binary, port = consul_binary(), free_port()
    assert binary is not None
    off: dict[str, int] = dict.fromkeys(("dns", "https", "grpc", "grpc_tls", "serf_wan"), -1)
    settings: dict[str, Any] = {
        "node_name": "node1",
        "datacenter": "dc1",
        "bind_addr": "127.0.0.1",
        "client_addr": "127.0.0.1",
        "ports": {**off, "http": port, "server": free_port(), "serf_lan": free_port()},
        "connect": {"enabled": True},
        "disable_update_check": True,
        "performance": {"raft_multiplier": 1},
    }
    (folder / "agent.json").write_text(json.dumps(settings))
    with (folder / "agent.log").open("wb") as log:
        command = [str(binary), "agent", "-dev", f"-config-file={folder / 'agent.json'}", "-log-level=warn"]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while not _leads(url):
            assert process.poll() is None, (folder / "agent.log").read_text()
            assert time.monotonic() < deadline, "the agent does not start"
            time.sleep(0.1)
        yield url
    finally:
        process.kill()
        process.wait()


def _leads(url: str) -> bool:
    with suppress(OSError, ValueError), urllib.request.urlopen(f"{url}/v1/catalog/nodes", timeout=2) as answer:
        return bool(json.load(answer))
    return False


def entries_at(url: str) -> ConsulEntries:
    """By the client the commands use."""
    return ConsulEntries(AgentPlace(Place(url)))


def empty(store: ConsulEntries) -> None:
    """Remove every entry."""
    for kind in ("exported-services", *reversed(ORDER)):
        for entry in store.listed(kind):
            current = entry
            while not store.delete(kind, entry["Name"], current["ModifyIndex"]):
                current = store.read(kind, entry["Name"]) or entry  # a server wrote its Status
