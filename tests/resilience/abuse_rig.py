"""
The gateway and a real Envoy side by side: TLS, one thread each on core 0, the same nginx behind both, attackers and bystander on core 1.

    with rig(folder) as (ours, theirs, service):
        felt = endure(ours, service, [("rapid reset", "127.0.0.2")], Phases())

What an honest client feels is told for three phases, since some servers show the damage only when the attack is over.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme

from tests.bench.backend import running_backend
from tests.bench.process_cpu import cpu_s, rss_bytes
from tests.bench.scenes import SERVICES, Scene, descriptor_set, scenes, write_answers
from tests.peers.envoy import AtTheEdge, Transcoding, running_envoy, without_response_body
from tests.peers.ports import free_port
from tests.resilience.assailant import Toll
from tests.resilience.edge_process import ROOT

_CORES = sorted(os.sched_getaffinity(0))  # a container may have been given others than the first two
SERVER_CORE, OTHERS_CORE = _CORES[0], _CORES[-1]
VICTIM_PATH = "/v1/shelves/1/books/2"
ATTACKED = "/bookstore.v1.Laboratory/EchoSpecimen"
_START_S = 0.3
"""Of a Python process."""

LARGE_PATH, LARGE_BYTES = "/v1/lab/payload", 64 * 1024


@dataclass(frozen=True)
class Phases:
    """Seconds before, under and after the attack."""

    base_s: float = 2.0
    attack_s: float = 6.0
    recovery_s: float = 2.0


@dataclass(frozen=True)
class Server:
    """Who is attacked."""

    name: str
    port: int
    pid: int

    @property
    def memory_mib(self) -> float:
        """Resident."""
        return rss_bytes(self.pid) / 2**20


@dataclass(frozen=True)
class Service:
    """Who is behind it, and keeps a log of the attackers' calls."""

    log: Path

    @property
    def attacks(self) -> int:
        """Calls of attackers until now."""
        return self.log.read_bytes().count(b"\n")


@dataclass
class Felt:
    """One phase of the honest client."""

    took_ms: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    """By status; 0 is no answer."""

    @property
    def failed(self) -> int:
        """Of its requests."""
        return self.failures.total()

    def quantile(self, share: float) -> float:
        """Of the times its requests took; a failed one took longest of all."""
        times = sorted(self.took_ms) + [float("inf")] * self.failed
        return times[min(len(times) - 1, int(len(times) * share))] if times else float("nan")

    @property
    def asked(self) -> int:
        """Its requests."""
        return len(self.took_ms) + self.failed


@dataclass(frozen=True)
class Outcome:
    """What an attack did to a server."""

    toll: Toll
    base: Felt
    under: Felt
    after: Felt
    calls: int
    grown_mib: float
    cpu_s: float

    @property
    def calls_per_connection(self) -> float:
        """Attackers' calls that reached the service."""
        return self.calls / max(1, self.toll.connections)


@contextmanager
def bystander(server: Server) -> Iterator[list[str]]:
    """The honest client beside whatever the block does; its lines, once the block is over."""
    process = _spawn("bystander", [str(server.port), VICTIM_PATH], core=OTHERS_CORE)
    lines: list[str] = []
    try:
        yield lines
    finally:
        process.terminate()
        lines += process.communicate()[0].splitlines()


def endure(server: Server, service: Service, tasks: Sequence[tuple[str, str]], phases: Phases) -> Outcome:
    """Attack `server` with these attacks from these addresses, a connection each."""
    calls, before_mib, spent_s = service.attacks, server.memory_mib, cpu_s(server.pid)
    arguments = [str(server.port), str(phases.attack_s), json.dumps(list(tasks))]
    with bystander(server) as lines:
        time.sleep(_START_S + phases.base_s)
        spawned_s = time.monotonic()  # making its bytes is no attack: what is felt until it begins does not count
        assailant = _spawn("assailant", arguments, core=OTHERS_CORE, nice=10)
        peak_mib = before_mib
        while assailant.poll() is None:
            peak_mib = max(peak_mib, server.memory_mib)
            time.sleep(0.05)
        time.sleep(phases.recovery_s)
    attack = json.loads(assailant.communicate()[0])
    base, under, after = felt(lines, spawned_s, attack["began_s"], attack["ended_s"])
    toll = Toll(**attack["toll"])
    grown_mib, cpu = peak_mib - before_mib, cpu_s(server.pid) - spent_s
    return Outcome(toll, base, under, after, service.attacks - calls, grown_mib, cpu)


def _spawn(module: str, arguments: Sequence[str], *, core: int, nice: int = 0) -> subprocess.Popen[str]:
    command = ["nice", "-n", str(nice), "taskset", "-c", str(core), sys.executable, "-m", f"tests.resilience.{module}"]
    return subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=_environment())


def _environment() -> dict[str, str]:
    """Not under asyncio's debug mode, as the tests are: it is slower several times over."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONASYNCIODEBUG"}


def felt(lines: Sequence[str], base_until_s: float, began_s: float, ended_s: float) -> tuple[Felt, Felt, Felt]:
    """The honest client's lines, by phase; none between `base_until_s` and `began_s`."""
    phases = Felt(), Felt(), Felt()
    for line in lines:
        time_s, status, took_ms = line.split()
        at_s = float(time_s)
        if base_until_s <= at_s < began_s:
            continue
        phase = phases[(at_s >= began_s) + (at_s >= ended_s)]
        if status == "200":
            phase.took_ms.append(float(took_ms))
        else:
            phase.failures[status] += 1
    return phases


@contextmanager
def rig(folder: Path, *, envoy: bool = True, write_timeout_s: float = 30.0) -> Iterator[tuple[list[Server], Service]]:
    """Start everything; the servers are the gateway and, with `envoy`, Envoy."""
    compiled = descriptor_set()
    (folder / "edge.binpb").write_bytes(compiled)
    (folder / "envoy.binpb").write_bytes(without_response_body(compiled))
    _write_answers(folder, compiled)
    tls = certificate(folder)
    (folder / "counted.log").touch()
    with ExitStack() as stack:
        behind = stack.enter_context(running_backend(folder, core=OTHERS_CORE, counted=ATTACKED))
        servers = [stack.enter_context(_edge(folder, behind, tls, write_timeout_s))]
        if envoy:
            what = Transcoding(folder / "envoy.binpb", SERVICES, behind)
            front = AtTheEdge(tls["cert"], tls["key"], stream_idle_timeout_s=write_timeout_s)
            peer = running_envoy(folder, what, prefix=("taskset", "-c", str(SERVER_CORE)), edge=front)
            running = stack.enter_context(peer)
            servers.append(Server("Envoy", running.port, running.pid))
        yield servers, Service(folder / "counted.log")


def certificate(folder: Path) -> dict[str, str]:
    """The same certificate for both (P-256)."""
    leaf = trustme.CA().issue_cert("localhost", "127.0.0.1")
    cert, key = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    key.write_bytes(leaf.private_key_pem.bytes())
    return {"cert": str(cert), "key": str(key)}


def _write_answers(folder: Path, compiled: bytes) -> None:
    of = [scene for scene in scenes(compiled) if scene.rpc_path.endswith("/GetBook") and not scene.grpc]
    text = b"x" * LARGE_BYTES
    large = b"\x12" + _varint(len(text)) + text  # Payload.text
    for rpc, answer in ((ATTACKED, b""), ("/bookstore.v1.Laboratory/EchoPayload", large)):
        of.append(Scene("", "", "", b"", rpc, answer))
    write_answers(folder / "answers", of)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes((*out, value))


@contextmanager
def _edge(folder: Path, behind: int, tls: dict[str, str], write_timeout_s: float) -> Iterator[Server]:
    port, admin_port = free_port(), free_port()
    config: dict[str, Any] = {
        "listeners": [{"bind": f"127.0.0.1:{port}", "tls": tls}],
        "admin": {"bind": f"127.0.0.1:{admin_port}"},
        "access_log": {"path": str(folder / "access.log")},
        "drain_timeout": "2s",
        "limits": {"write_timeout": f"{write_timeout_s:g}s"},
        "apis": [
            {"name": "abuse", "descriptors": str(folder / "edge.binpb"), "services": list(SERVICES), "upstream": "b"}
        ],
        "upstreams": {"b": {"endpoints": [f"127.0.0.1:{behind}"]}},
    }
    (folder / "edge.yaml").write_text(json.dumps(config))
    command = ["taskset", "-c", str(SERVER_CORE), sys.executable, "-m", "edge", "run", "-c", str(folder / "edge.yaml")]
    log = folder / "edge.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink, cwd=ROOT, env=_environment())
    try:
        _wait_ready(admin_port, log)
        yield Server("edge", port, process.pid)
    finally:
        process.terminate()
        process.wait(20)
    assert "Traceback" not in log.read_text(), log.read_text()


def _wait_ready(admin_port: int, log: Path) -> None:
    end_s = time.monotonic() + 90
    while time.monotonic() < end_s:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{admin_port}/readyz", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the gateway was not ready in 30 s:\n{log.read_text()}")
