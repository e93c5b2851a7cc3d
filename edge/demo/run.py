"""
The command `edge demo`: a bookstore and the gateway before it, each a process of its own, until Ctrl-C or SIGTERM.

Owns their lives: both answer before the curl lines are printed, both end with the demo, and when one ends early the
demo says so. The gateway is started as any user would: `edge run -c` on a file.
"""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import IO

from edge.demo import mesh, ports, tour
from edge.demo.messages import FILES, find_root
from edge.demo.ports import HOST, Ports, PortTakenError

START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 10.0
POLL_S = 0.05
OK, FAILED, BAD_INPUT = 0, 1, 2


class Ended:
    """Set once the demo is told to end. Not a threading.Event: setting one from a signal handler can deadlock its waiter."""

    told = False

    def wait(self, seconds: float) -> bool:
        """Sleep; whether the end has come."""
        if not self.told:
            time.sleep(seconds)
        return self.told


class DemoError(Exception):
    """The demo cannot go on; the text is for the user."""


def run(
    port: int | None = None, admin_port: int | None = None, upstream_port: int | None = None, *, check: bool = False
) -> int:
    """
    Run the demo and return the exit code.

    A port of None is the usual one or, when that is taken, another; an explicit one that is taken gives 2. With `check` the
    curl lines' requests are made, one line of result each, and the demo ends: 0 when all answered as promised, else 1.
    """
    try:
        chosen = ports.choose(port, admin_port, upstream_port)
    except PortTakenError as error:
        sys.stderr.write(f"edge demo: {error}\n")
        return BAD_INPUT
    ended = Ended()
    with _signals(ended), tempfile.TemporaryDirectory(prefix="edge-demo-") as folder:
        try:
            return _run(chosen, Path(folder), ended, check)
        except DemoError as error:
            sys.stderr.write(f"edge demo: {error}\n")
            return FAILED


def config(chosen: Ports, root: Path) -> str:
    """The gateway's configuration file. JSON is YAML: paths need no thought about quoting."""
    return json.dumps(
        {
            "listeners": [{"bind": f"{HOST}:{chosen.gateway}"}],
            "admin": {"bind": f"{HOST}:{chosen.admin}"},
            "apis": [
                {
                    "name": "bookstore",
                    "protos": {"roots": [str(root)], "files": list(FILES)},
                    "upstream": "bookstore",
                }
            ],
            "upstreams": {"bookstore": {"endpoints": [f"{HOST}:{chosen.upstream}"]}},
            "mesh": mesh.SECTION,
        },
        indent=2,
    )


def _run(chosen: Ports, folder: Path, ended: Ended, check: bool) -> int:
    file = folder / "edge.yaml"
    file.write_text(config(chosen, find_root()), encoding="utf-8")
    with (
        (folder / "log").open("a+b") as log,
        _child(["edge.demo.service", "--port", str(chosen.upstream)], log, log) as bookstore,
        _child(["edge", "run", "-c", str(file)], log if check else None, log) as gateway,
    ):
        children = {"bookstore": bookstore, "gateway": gateway}
        if not _wait_ready(chosen.admin, children, log, ended):
            return OK
        base, admin_base = f"http://{HOST}:{chosen.gateway}", f"http://{HOST}:{chosen.admin}"
        if check:
            return _check(base, admin_base)
        _show(chosen, file, base, admin_base)
        while not ended.wait(POLL_S * 4):
            _require_alive(children, log)
        _say("\nending")
    return OK


def _show(chosen: Ports, file: Path, base: str, admin_base: str) -> None:
    for note in chosen.notes:
        _say(note)
    _say(
        f"\nThe bookstore speaks gRPC on {HOST}:{chosen.upstream}, the gateway REST on {base}"
        f" (admin: {admin_base}).\nConfiguration: {file}. Ctrl-C ends both. Paste into another terminal:\n"
    )
    _say(tour.text(base, admin_base))
    _say(mesh.text(file))


def _check(base: str, admin_base: str) -> int:
    failed = 0
    for step in tour.STEPS:
        wrong = _ask(step, admin_base if step.admin else base)
        failed += bool(wrong)
        _say(f"FAILED {step.title}: {wrong}" if wrong else f"OK {step.title}")
    return FAILED if failed else OK


def _ask(step: tour.Step, base: str) -> str:
    """Make a step's request; how the answer breaks its promise, or empty."""
    try:
        status, body = _request(tour.target(base), step.method, step.path, step.body.encode() or None, step.headers)
    except (OSError, http.client.HTTPException) as error:
        return f"no answer: {error!r}"
    return step.differs(status, body)


def _request(
    target: tuple[str, int], method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(*target, timeout=10)
    try:
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _wait_ready(admin_port: int, children: dict[str, subprocess.Popen[bytes]], log: IO[bytes], ended: Ended) -> bool:
    """Wait until the gateway says that it is ready; False when the demo was told to end before."""
    limit = time.monotonic() + START_TIMEOUT_S
    while not ended.wait(POLL_S):
        _require_alive(children, log)
        try:
            status, body = _request((HOST, admin_port), "GET", "/readyz")
        except (OSError, http.client.HTTPException) as error:
            status, body = 0, repr(error).encode()
        if status == HTTPStatus.OK:
            return True
        if time.monotonic() > limit:
            raise DemoError(f"not ready after {START_TIMEOUT_S:g} s: {body.decode(errors='replace')}{_tail(log)}")
    return False


def _require_alive(children: dict[str, subprocess.Popen[bytes]], log: IO[bytes]) -> None:
    for name, child in children.items():
        if child.poll() is not None:
            raise DemoError(f"the {name} ended with exit code {child.returncode}{_tail(log)}")


def _tail(log: IO[bytes]) -> str:
    log.seek(0)
    text = log.read().decode(errors="replace").strip()
    return f"; it said:\n{text[-4000:]}" if text else ""


@contextmanager
def _child(module: Sequence[str], out: IO[bytes] | None, error: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """
    Run one of our modules for as long as the block lasts.

    In a session of its own, so that Ctrl-C reaches the demo alone and the children end in order, gateway first.
    """
    command = [sys.executable, "-m", *module]
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=error, start_new_session=True)  # noqa: S603  # our own modules, no shell
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextmanager
def _signals(ended: Ended) -> Iterator[None]:
    """SIGTERM and Ctrl-C set `ended` for as long as the block lasts."""

    def tell(*_: object) -> None:
        ended.told = True

    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, tell) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
