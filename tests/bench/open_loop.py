"""
Load at a fixed rate over HTTP/1.1: `python -m tests.bench.open_loop PORT PATH RATE SECONDS` prints its findings as JSON.

Owns that a slow server is not spared (no coordinated omission): a request is due when the rate says so, waits if no connection is free, and
its time counts from when it was due, as wrk2 does. What is unanswered at the end counts as a request that took until then.
wrk has no rate, and h2load's `--rps` counts from when a request was sent. `select` is used for its timeout in microseconds: epoll's and
libuv's are in milliseconds, which would send in bursts.
"""

from __future__ import annotations

import gc
import json
import select
import socket
import subprocess
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass

CONNECTIONS = 64
DRAIN_S = 1.0
"""How long answers are awaited once the last request was due."""


@dataclass(frozen=True)
class Pace:
    """What a run at a fixed rate saw. `lag_ms`: how late the client itself noticed that a request was due (p99)."""

    asked_per_s: float
    answered_per_s: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    lag_ms: float
    errors: int
    unanswered: int


class _Connection:
    """One request at a time."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self._head: bytes = b""

    def fileno(self) -> int:
        return self.socket.fileno()

    def send(self, request: bytes, due: float) -> None:
        self.due = due
        self._head = b""
        self.socket.sendall(request)

    def complete(self) -> bool:
        """Read what is there; whether that ends the answer. Raises ConnectionError when the peer hung up."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection")
        self._head += data
        head, found, body = self._head.partition(b"\r\n\r\n")
        if not found:
            return False
        lower = head.lower()
        at = lower.find(b"\r\ncontent-length:")
        if at < 0:
            return body.endswith(b"0\r\n\r\n")
        return len(body) >= int(lower[at + 17 :].split(b"\r\n", 1)[0])

    @property
    def good(self) -> bool:
        """Whether the answer was a 200."""
        return self._head.startswith(b"HTTP/1.1 200")


def drive(port: int, path: str, rate: float, seconds: float) -> Pace:
    """Ask for `path` so often for so long."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    free = [_Connection(port) for _ in range(CONNECTIONS)]
    busy: list[_Connection] = []
    took: list[float] = []
    lags: list[float] = []
    waiting: deque[float] = deque()
    errors = 0
    begin = time.perf_counter()
    step, due, end = 1 / rate, begin, begin + seconds
    while True:
        now = time.perf_counter()
        if due <= now and due < end:
            lags.append(now - due)
        while due <= now and due < end:
            waiting.append(due)
            due += step
        if (now >= end and not waiting and not busy) or now >= end + DRAIN_S:
            break
        while free and waiting:
            connection = free.pop()
            connection.send(request, waiting.popleft())
            busy.append(connection)
        pause = max(0.0, (due if due < end else end + DRAIN_S) - time.perf_counter())
        ready, _, _ = select.select(busy, [], [], pause)
        for connection in ready:
            try:
                if not connection.complete():
                    continue
            except ConnectionError:
                errors += 1
                connection.socket.close()
                busy.remove(connection)
                free.append(_Connection(port))
                continue
            took.append(time.perf_counter() - connection.due)
            errors += not connection.good
            busy.remove(connection)
            free.append(connection)
    stopped = time.perf_counter()
    left = [*waiting, *(connection.due for connection in busy)]
    for connection in (*free, *busy):
        connection.socket.close()
    times = sorted([*took, *(stopped - each for each in left)])
    return Pace(
        asked_per_s=rate,
        answered_per_s=len(took) / (stopped - begin if left else seconds),
        p50_ms=_quantile(times, 0.5),
        p99_ms=_quantile(times, 0.99),
        p999_ms=_quantile(times, 0.999),
        lag_ms=_quantile(sorted(lags), 0.99),
        errors=errors,
        unanswered=len(left),
    )


def _quantile(ordered: list[float], share: float) -> float:
    """In milliseconds."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 if ordered else float("nan")


def run(port: int, path: str, rate: float, seconds: float, *, core: int) -> Pace:
    """The same in a process of its own, pinned."""
    command = ["taskset", "-c", str(core), sys.executable, "-m", "tests.bench.open_loop"]
    command += [str(port), path, f"{rate:.3f}", f"{seconds:g}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=True)
    return Pace(**json.loads(done.stdout))


if __name__ == "__main__":
    gc.disable()  # no pauses of our own
    print(json.dumps(asdict(drive(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), float(sys.argv[4])))))
