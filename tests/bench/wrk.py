"""The load generator: wrk (Debian package wrk), pinned to a core of its own, bounded in time and connections."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.bench.scenes import Scene


@dataclass(frozen=True)
class Load:
    """What one run of wrk saw."""

    requests: int
    errors: int
    seconds: float
    p50_ms: float
    p99_ms: float


def available() -> bool:
    """Whether wrk is installed."""
    return shutil.which("wrk") is not None


TIMEOUT_S = 30
"""wrk calls what takes more than two seconds an error unless told: large bodies that wait for each other on a slow server are none."""


def run(port: int, scene: Scene, folder: Path, *, seconds: int, connections: int, core: int, tls: bool = False) -> Load:
    """Load `scene` for `seconds`; the script tells wrk the method and the body."""
    script = folder / f"{scene.name.replace(' ', '-')}.lua"
    (folder / f"{script.stem}.body").write_bytes(scene.body)
    script.write_text(
        f'wrk.method = "{scene.method}"\n'
        f'local file = io.open("{folder / (script.stem + ".body")}", "rb")\n'
        'wrk.body = file:read("*a")\n'
        + ('wrk.headers["Content-Type"] = "application/json"\n' if scene.body else "wrk.body = nil\n")
        + (f'wrk.headers["Accept-Encoding"] = "{scene.accepts}"\n' if scene.accepts else "")
    )
    url = f"{'https' if tls else 'http'}://127.0.0.1:{port}{scene.path}"
    command = [
        "taskset",
        "-c",
        str(core),
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--latency",
        "--timeout",
        f"{TIMEOUT_S}s",
        "-s",
        str(script),
        url,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 2 * TIMEOUT_S, check=True)
    return _parse(done.stdout)


def _parse(text: str) -> Load:
    total = re.search(r"(\d+) requests in ([\d.]+)(m?s|m)", text)
    assert total is not None, text
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    socket_errors = re.search(r"connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    errors = int(bad[1]) if bad else 0
    errors += sum(map(int, socket_errors.groups())) if socket_errors else 0
    seconds = float(total[2]) * {"ms": 0.001, "s": 1.0, "m": 60.0}[total[3]]
    return Load(int(total[1]), errors, seconds, _quantile(text, "50%"), _quantile(text, "99%"))


def _quantile(text: str, which: str) -> float:
    found = re.search(rf"{re.escape(which)}\s+([\d.]+)(us|ms|s)", text)
    assert found is not None, text
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]
