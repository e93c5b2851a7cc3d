"""
`edge run --workers 2` as a process tree under load: a worker killed, a drain, a bad file, and the books kept meanwhile.

Every request is counted by its client; the access log and /metrics must come to the same numbers.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.gateway import bookstore_config
from tests.resilience.edge_process import ROOT, EdgeProcess
from tests.resilience.load import Load, read_answer
from tests.upstreams.bookstore import BookstoreProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # 5 s each; three processes import the gateway
TARGET = "/v1/shelves"
LIST_SHELVES = "bookstore.v1.Bookstore.ListShelves"
FIELDS = {
    "time", "request_id", "dialect", "method", "path", "rpc", "status", "grpc_code", "request_bytes", "response_bytes",
    "duration_ms", "upstream_ms", "upstream",
}  # fmt: skip
STALL_S = 5.0
"""What is at once, on a machine with much else to do."""
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z")


async def until(condition: Any, seconds: float) -> float:
    """Wait for it; how long it took. Fails after so many seconds."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    while not condition():
        assert loop.time() - began_s < seconds, "it did not happen"
        await asyncio.sleep(0.01)
    return loop.time() - began_s


def counted(metrics: str, name: str, **labels: str) -> float:
    """The sum of a metric's samples that carry these labels."""
    total = 0.0
    for line in metrics.splitlines():
        if line.startswith(name) and all(f'{key}="{value}"' in line for key, value in labels.items()):
            total += float(line.rsplit(" ", 1)[1])
    return total


async def test_two_workers_keep_one_set_of_books(tmp_path: Path) -> None:
    """Each request is one line of JSON with every field, and /metrics, whichever worker answers, sums over both."""
    with (
        BookstoreProcess() as upstream,
        EdgeProcess(tmp_path, bookstore_config(tmp_path, upstream.port), workers=2) as edge,
    ):
        ok = await Load(edge.port, TARGET, connections=20).for_s(1.0)
        missing = await Load(edge.port, "/v1/nowhere?secret=x", connections=4).for_s(0.3)
        wrong = await Load(edge.port, "/v1/shelves/x", connections=4).for_s(0.3)
        sent = ok.sent + missing.sent + wrong.sent
        assert all(load.accounted and not load.lost for load in (ok, missing, wrong))
        assert [set(load.statuses()) for load in (ok, missing, wrong)] == [{200}, {404}, {400}]
        await until(lambda: edge.access_log.read_text().count("\n") >= sent, 20)
        pages = [await asyncio.to_thread(edge.admin, "/metrics") for _ in range(6)]
        lines = edge.lines()
        pids = edge.worker_pids()
    assert len(lines) == sent
    check_lines(lines, edge, upstream)
    assert len({line["request_id"] for line in lines}) == sent
    totals = [counted(page, "edge_requests_total", rpc=LIST_SHELVES) for page in pages]
    assert totals == [ok.sent] * 6
    print(
        f"access log: {sent} requests sent = {len(lines)} lines; /metrics over {len(pids)} workers: {totals[0]:.0f} = {ok.sent}"
    )


def cpu_seconds(pid: int) -> float:
    """What a process has used, in user and system mode."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def importing_cpu_seconds() -> float:
    """What a fresh interpreter needs to import the gateway, just now on this machine."""
    before = os.times()
    subprocess.run([sys.executable, "-c", "import edge.cli"], cwd=ROOT, check=True)
    after = os.times()
    return (after.children_user - before.children_user) + (after.children_system - before.children_system)


def check_lines(lines: list[dict[str, Any]], edge: EdgeProcess, upstream: BookstoreProcess) -> None:
    """Every field that docs/operations.md promises on every line, with a sensible value."""
    for line in lines:
        assert line.keys() >= FIELDS, FIELDS - line.keys()
        assert TIME.fullmatch(line["time"]), line
        assert (line["dialect"], line["method"]) == ("rest", "GET")
        assert "secret" not in json.dumps(line)
        assert line["duration_ms"] >= 0
        if line["status"] == 200:
            assert (line["rpc"], line["grpc_code"], line["path"]) == (LIST_SHELVES, "OK", TARGET)
            assert line["upstream"] == upstream.address
            assert 0 <= line["upstream_ms"] <= line["duration_ms"]
            assert line["response_bytes"] > 0
        else:
            assert (line["upstream"], line["upstream_ms"]) == (None, None)
            assert line["fault"] in {"ROUTE_NOT_FOUND", "INVALID_ARGUMENT"}


async def test_a_killed_worker_takes_only_its_own_calls_along(tmp_path: Path) -> None:
    """kill -9 one of two workers under load: no connection is refused, only requests on its connections are lost, another is started."""
    with (
        BookstoreProcess() as upstream,
        EdgeProcess(tmp_path, bookstore_config(tmp_path, upstream.port), workers=2) as edge,
    ):
        load = Load(edge.port, TARGET, connections=20)
        async with load.running():
            await asyncio.sleep(1.2)  # long enough that the worker counts as healthy
            victim, survivor = before = edge.worker_pids()
            os.kill(victim, signal.SIGKILL)
            killed_s = asyncio.get_running_loop().time()
            spawned_s = await until(lambda: set(edge.worker_pids()) - set(before), 15)
            (newcomer,) = set(edge.worker_pids()) - set(before)
            respawned_s = spawned_s + await until(lambda: edge.log().count('"event":"serving"') >= 3, 15)
            cpu_s = cpu_seconds(newcomer)
            import_cpu_s = await asyncio.to_thread(importing_cpu_seconds)  # under the same load
        pids = edge.worker_pids()
    print(
        f"worker kill -9: sent {load.sent} = answered {len(load.answers)} + lost {len(load.lost)},"
        f" refused {len(load.refused)}; next worker started after {spawned_s * 1000:.0f} ms and serves after"
        f" {respawned_s * 1000:.0f} ms, {cpu_s * 1000:.0f} ms of CPU (importing alone takes {import_cpu_s * 1000:.0f})"
    )
    assert load.accounted
    assert load.statuses().keys() == {200}
    assert load.refused == []
    assert len(load.lost) <= load.connections
    assert all(abs(lost_s - killed_s) < STALL_S for lost_s in load.lost)
    assert survivor in pids
    assert victim not in pids
    assert len(pids) == 2
    assert spawned_s < STALL_S
    # A second on a machine with nothing else to do; on this one, what importing the gateway costs, twice at most.
    assert cpu_s < 2.0 * import_cpu_s


async def ask(port: int, target: str) -> tuple[int, dict[str, str], bytes]:
    """One request on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {target} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        return await read_answer(reader)
    finally:
        writer.close()


async def is_served(port: int) -> bool:
    """Whether a newcomer is."""
    try:
        await ask(port, TARGET)
    except (OSError, asyncio.IncompleteReadError):
        return False
    return True


async def test_a_drain_finishes_what_runs_and_takes_nothing_new(tmp_path: Path) -> None:
    """SIGTERM while slow calls run: they end with 200 and Connection: close, newcomers are refused, the exit code is 0."""
    config = {**bookstore_config(tmp_path, 0), "drain_timeout": "30s"}
    with BookstoreProcess() as upstream:
        config["upstreams"] = {"bookstore": {"endpoints": [upstream.address]}}
        with EdgeProcess(tmp_path, config, workers=2) as edge:
            slow = [asyncio.ensure_future(ask(edge.port, "/v1/lab/slow?delay=4s")) for _ in range(20)]
            await until(lambda: counted(edge.admin("/metrics"), "edge_requests_in_flight") == 20, 20)
            edge.signal(signal.SIGTERM)
            told_s = time.monotonic()
            while await is_served(edge.port):
                assert not any(each.done() for each in slow), "newcomers are taken until the last call is over"
            answers = await asyncio.gather(*slow)
            code = await asyncio.to_thread(edge.wait)
            took_s = time.monotonic() - told_s
            lines = edge.lines()
    assert [status for status, _, _ in answers] == [200] * 20
    assert {headers.get("connection") for _, headers, _ in answers} == {"close"}
    assert code == 0
    assert took_s < 15.0  # of the drain's thirty
    assert sum(line["path"] == "/v1/lab/slow" for line in lines) == 20
    print(f"drain: 20 of 20 running calls finished with 200, exit code {code}, {took_s:.2f} s after SIGTERM")


def test_a_bad_file_ends_it_with_2_and_every_problem_once(tmp_path: Path) -> None:
    """All problems are printed once, whatever the number of workers, and nothing was started."""
    config = bookstore_config(tmp_path, 1)
    config["apis"][0]["upstream"] = "bookstor"
    config["drain_timeout"] = "soon"
    file = tmp_path / "edge.yaml"
    file.write_text(json.dumps(config, indent=1))
    began_s = time.monotonic()
    command = [sys.executable, "-m", "edge", "run", "-c", str(file), "--workers", "2"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=110, check=False)
    printed = done.stdout + done.stderr
    assert done.returncode == 2
    for problem in ("apis[0].upstream", "drain_timeout"):
        assert printed.count(f"{problem}:") == 1, printed
    assert f"{file.name}:" in printed
    print(f"bad config: exit 2 after {time.monotonic() - began_s:.2f} s, each problem once")
