"""Real gateway processes for tests: started, spoken to, and gone when the test is over, whatever it did."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.unit.runtime.tiny_app import BEGUN

ROOT = Path(__file__).resolve().parents[3]


class Running:
    """One `tiny_app`, and HTTP to it."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port

    def get(self, path: str, timeout_s: float = 30.0, begun: threading.Event | None = None) -> str:
        """The body; a connection that is refused or cut off is an error. `begun` is set once the call is said to run."""
        with socket.create_connection(("127.0.0.1", self.port), timeout_s) as sock:
            sock.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
            answer = b""
            while data := sock.recv(4096):
                answer += data
                if begun is not None and answer.startswith(BEGUN):
                    begun.set()
                    answer = answer.removeprefix(BEGUN)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), answer
        return body.decode()

    def pid(self) -> int:
        return int(self.get("/pid"))

    def in_background(self, path: str) -> tuple[threading.Thread, list[str]]:
        """Ask on a thread, and return when the call has begun; the list holds the answer once it came."""
        answers: list[str] = []
        begun = threading.Event()

        def ask() -> None:
            with suppress(OSError, AssertionError):
                answers.append(self.get(path, begun=begun))

        thread = threading.Thread(target=ask)
        thread.start()
        assert begun.wait(30), "the call has not begun"
        return thread, answers

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, timeout_s: float = 30.0) -> int:
        return self.process.wait(timeout_s)

    def errors(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read().decode()


@contextmanager
def running(workers: int, environment: dict[str, str] | None = None, **settings: object) -> Iterator[Running]:
    """A tiny gateway with so many workers; `settings` are its argument."""
    scratch = tempfile.TemporaryDirectory()  # for what a killed supervisor leaves behind
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.unit.runtime.tiny_app", json.dumps({"workers": workers, **settings})],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONASYNCIODEBUG": "", "TMPDIR": scratch.name, **(environment or {})},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        yield Running(process, int(process.stdout.readline()))
    finally:
        process.kill()  # workers notice and end by themselves
        process.wait()
        process.stdout.close()
        process.stderr.close()
        scratch.cleanup()


def eventually(condition: object, timeout_s: float = 30.0) -> float:
    """Wait until the callable is true; the seconds it took."""
    assert callable(condition)
    began = time.monotonic()
    while time.monotonic() - began < timeout_s:
        if condition():
            return time.monotonic() - began
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def accepts(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except OSError:
        return False
    return True


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children(pid: int) -> set[int]:
    """The child processes of a process."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found.add(int(entry.name))
    return found
