"""
A real process to supervise: the smallest gateway, over HTTP/1.1 by hand. Run it with a JSON object of settings as its argument.

`/pid` answers with the worker's process id, `/slow` after some seconds, `/count` with how often it was
reloaded, `/directory` with where the workers' metrics are, `/aside` with how many objects the collector does not see.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from edge.core.fair_share import AWAY
from edge.core.problem import Problem, ProblemsError
from edge.runtime.inheritance import claim
from edge.runtime.shared_counts import SharedCounts
from edge.runtime.sockets import Bind, bind_all
from edge.runtime.supervisor import Supervisor
from edge.runtime.worker import serve, serve_inherited
from edge.telemetry.log import configure

SLOW_S = 3.0
DRAIN_S = 30.0
BEGUN = b"HTTP/1.1 102 Processing\r\n\r\n"
"""What a call that takes its time says first, so that a test need not guess when it has begun."""
ROUTES = 10_000
"""What a reload makes, as the collector counts."""


class TinyGateway:
    def __init__(self, fail: str) -> None:
        self._fail = fail
        self._servers: list[asyncio.Server] = []
        self._calls: set[asyncio.Task[None]] = set()
        self._reloads = 0
        self._routes: list[list[int]] = []

    async def start(self, listeners: Sequence[socket.socket], admin: socket.socket | None) -> None:
        if self._fail == "config":
            raise ProblemsError([Problem("edge.yaml:3", "apis[0].upstream", 'no upstream "x"', "name one")])
        if self._fail == "crash":
            os._exit(9)
        if self._fail == "hang":
            await asyncio.sleep(60)
        for sock in listeners:
            self._servers.append(await asyncio.start_server(self._serve, sock=sock))

    async def drain(self, timeout_s: float) -> None:
        for server in self._servers:
            server.close()
        if self._calls:
            await asyncio.wait(self._calls, timeout=timeout_s)

    async def reload(self) -> None:
        self._reloads += 1
        if self._reloads == 2:
            raise ProblemsError([Problem("", "", "worse")])
        self._routes = [[n] for n in range(ROUTES)]

    def reopen_logs(self) -> None:
        self._reloads += 100

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        target = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
        if target in (b"/slow", b"/stuck"):
            writer.write(BEGUN)
        if target == b"/slow":
            await asyncio.sleep(SLOW_S)
        if target == b"/stuck":
            await asyncio.sleep(60)
        answers = {
            b"/aside": str(gc.get_freeze_count()),
            b"/count": str(self._reloads),
            b"/directory": os.environ.get("PROMETHEUS_MULTIPROC_DIR", ""),
        }
        body = answers.get(target, str(os.getpid())).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()


class Witness:
    """A presence that writes down when it was told what, and whether workers still answered then."""

    def __init__(self, path: Path, port: int) -> None:
        self._path = path
        self._port = port

    def arrive(self) -> None:
        """As in Presence."""
        self._note("arrive")

    def leave(self) -> None:
        """As in Presence."""
        self._note("leave")

    def _note(self, word: str) -> None:
        with socket.create_connection(("127.0.0.1", self._port), timeout=30) as asking:
            asking.sendall(b"GET / HTTP/1.1\r\n\r\n")
            status = asking.recv(12).decode()
        with self._path.open("a") as notes:
            notes.write(f"{word} {status}\n")


def main() -> int:
    configure(level="CRITICAL")
    settings = json.loads(sys.argv[1])
    fail = settings.get("fail", "")
    inheritance = claim()
    if inheritance is not None:
        # A dead worker's gauges are gone before its successor starts, or this raises.
        Path(inheritance.metrics_directory or "", f"gauge_livesum_{inheritance.slot}.db").touch(exist_ok=False)
        # And it holds no connections any more, as far as the others can see.
        held = SharedCounts(inheritance.connections).numbers
        assert held[inheritance.slot] == AWAY
        held[inheritance.slot] = 7
        if "slot_fails" in settings and inheritance.slot == settings["slot_fails"]:
            fail = "config"
        return serve_inherited(lambda: TinyGateway(fail), inheritance, drain_timeout_s=DRAIN_S)
    listeners = bind_all([Bind("127.0.0.1", 0)])
    sys.stdout.write(f"{listeners[0].getsockname()[1]}\n")
    sys.stdout.flush()
    if settings["workers"] == 1:
        return serve(lambda: TinyGateway(fail), listeners, None, drain_timeout_s=DRAIN_S)
    command = [sys.executable, "-m", "tests.unit.runtime.tiny_app", sys.argv[1]]
    presence = Witness(Path(settings["presence"]), listeners[0].getsockname()[1]) if "presence" in settings else None
    return Supervisor(command, settings["workers"], listeners, None, drain_timeout_s=DRAIN_S, presence=presence).run()


if __name__ == "__main__":
    sys.exit(main())
