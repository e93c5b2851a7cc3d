"""Real supervisors with real workers, killed for real."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.unit.runtime.processes import Running, accepts, children, eventually, is_alive, running
from tests.unit.runtime.tiny_app import DRAIN_S


def test_killed_workers_are_replaced_and_the_listener_never_refuses() -> None:
    """R55, harder: all workers die at once; no connection is refused meanwhile, and a new worker serves soon."""
    began = time.monotonic()
    with running(2) as app:
        workers = _workers(app)
        start_s = time.monotonic() - began
        with _asking(app) as (asked, refused):
            for victim in workers:
                os.kill(victim, signal.SIGKILL)
            took_s = eventually(lambda: app.pid() not in workers)
            eventually(lambda: len(_workers(app)) == 2)
        assert not refused
        assert asked
        print(f"respawn {took_s:.2f} s, first start {start_s:.2f} s, {len(asked)} calls, 0 refused")
        assert took_s <= max(
            4.0, 3 * start_s
        )  # well under the backoff of a crash loop, or what this machine needs to start Python


def test_sigterm_drains_every_worker_and_exits_0() -> None:
    """The slow call is answered; afterwards no worker is left, and no metrics directory."""
    with running(2) as app:
        workers = _workers(app)
        metrics = Path(app.get("/directory"))
        assert metrics.is_dir()
        thread, answers = app.in_background("/slow")
        app.send(signal.SIGTERM)
        assert app.wait() == 0
        thread.join()
        assert len(answers) == 1
        assert not any(map(is_alive, workers))
        assert not metrics.exists()


def test_sigterm_twice_ends_all_at_once() -> None:
    with running(2) as app:
        _workers(app)
        thread, answers = app.in_background("/stuck")
        began = time.monotonic()
        app.send(signal.SIGTERM)
        eventually(lambda: not accepts(app.port))  # two signals at once would be one
        app.send(signal.SIGTERM)
        assert app.wait() == 1
        assert time.monotonic() - began < DRAIN_S / 2
        thread.join()
        assert answers == []


def test_workers_do_not_outlive_a_killed_supervisor() -> None:
    """They drain and end, and with them the last descriptor of the listening socket."""
    with running(2) as app:
        workers = _workers(app)
        app.send(signal.SIGKILL)
        eventually(lambda: not any(map(is_alive, workers)), 20)


def test_bad_configuration_is_printed_once_and_exits_2() -> None:
    """Two workers find the same problem; the operator reads it once and nothing is tried again."""
    with running(2, fail="config") as app:
        assert app.wait() == 2
        assert app.errors() == 'edge.yaml:3: apis[0].upstream: no upstream "x"\n    fix: name one\n'


def test_bad_configuration_found_by_one_worker_ends_the_others_too() -> None:
    with running(2, slot_fails=1) as app:
        assert app.wait() == 2


def test_workers_that_only_crash_are_given_up() -> None:
    """A crash loop at the first start ends, with exit code 1 and the reason."""
    with running(2, fail="crash") as app:
        assert app.wait() == 1
        assert "code 9" in app.errors()


def test_sighup_reaches_every_worker() -> None:
    with running(2) as app:
        _workers(app)
        app.send(signal.SIGHUP)
        eventually(lambda: all(app.get("/count") == "1" for _ in range(10)))


def _workers(app: Running) -> set[int]:
    """The process ids of the supervisor's children that live, once one of them answers."""
    app.pid()
    return set(filter(is_alive, children(app.process.pid)))


@contextmanager
def _asking(app: Running) -> Iterator[tuple[list[str], list[OSError]]]:
    """Calls one after the other while the block runs: the answers, and the connections refused."""
    asked: list[str] = []
    refused: list[OSError] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.wait(0.005):
            try:
                asked.append(app.get("/pid"))
            except ConnectionRefusedError as error:
                refused.append(error)
            except (OSError, AssertionError):
                pass  # the one call that the killed worker had taken

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield asked, refused
    finally:
        stop.set()
        thread.join()


def test_its_presence_is_told_around_the_serving(tmp_path: Path) -> None:
    """It arrives once all workers serve, and leaves, once, while they still do: before any of them is asked to drain."""
    notes = tmp_path / "notes"
    with running(2, presence=str(notes)) as app:
        eventually(notes.exists)
        app.send(signal.SIGTERM)
        assert app.wait() == 0
    assert notes.read_text().splitlines() == ["arrive HTTP/1.1 200", "leave HTTP/1.1 200"]
