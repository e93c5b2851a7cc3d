"""
`edge run` as an operator runs it: a child process with its own loop, ports, log and access log, spoken to over sockets.

    with EdgeProcess(folder, config, workers=2) as edge:      # returns when /readyz answers
        edge.port, edge.admin_port, edge.log(), edge.lines(), edge.worker_pids(), edge.wait()
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.peers.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 90.0


class EdgeProcess:
    """A context manager. `config` is a whole configuration; its first listener's and the admin's ports are chosen here."""

    def __init__(self, folder: Path, config: dict[str, Any], *, workers: int = 1) -> None:
        self.port, self.admin_port = free_ports(2)
        self._folder = folder
        self._workers = workers
        bound = {
            "listeners": [{"bind": f"127.0.0.1:{self.port}"}],
            "admin": {"bind": f"127.0.0.1:{self.admin_port}"},
        }
        (folder / "edge.yaml").write_text(json.dumps({**config, **bound}))
        self.access_log = Path(config["access_log"]["path"])

    @property
    def pid(self) -> int:
        """Of the process that was started: the supervisor, when there are several workers."""
        return self._child.pid

    def __enter__(self) -> EdgeProcess:
        self.start()
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while not self.ready():
            assert self._child.poll() is None, self.log()
            assert time.monotonic() < deadline_s, self.log()
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(30)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        self._out.close()
        assert "Traceback" not in self.log(), self.log()

    def start(self) -> None:
        """Begin; ready or not."""
        self._out = (self._folder / "edge.log").open("wb")
        command = [sys.executable, "-m", "edge", "run", "-c", str(self._folder / "edge.yaml")]
        command += ["--workers", str(self._workers)]
        # Not under asyncio's debug mode, as the tests are: it is slower several times over.
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONASYNCIODEBUG"}
        self._child = subprocess.Popen(command, stdout=self._out, stderr=self._out, cwd=ROOT, env=environment)

    def admin(self, path: str) -> str:
        """An admin page. Raises OSError when it is not answered with 200."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}{path}", timeout=30) as answer:
            return bytes(answer.read()).decode()

    def ready(self) -> bool:
        """Every worker serves: with several, the supervisor has said so."""
        if self._workers > 1 and "all workers serve" not in self.log():
            return False
        try:
            self.admin("/readyz")
        except (OSError, urllib.error.URLError):
            return False
        return True

    def log(self) -> str:
        """All it has written so far."""
        return (self._folder / "edge.log").read_text()

    def lines(self) -> list[dict[str, Any]]:
        """The access log: every line must be JSON, the last one complete."""
        text = self.access_log.read_text()
        assert text.endswith("\n"), "the last line is cut"
        return [json.loads(line) for line in text.splitlines()]

    def worker_pids(self) -> list[int]:
        """The supervisor's children."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(child) for child in children.split()]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process that was started."""
        self._child.send_signal(number)

    def wait(self, timeout_s: float = 60.0) -> int:
        """The exit code."""
        return self._child.wait(timeout_s)
