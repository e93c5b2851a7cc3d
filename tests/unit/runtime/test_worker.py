"""One real process, without supervisor: what its signals do and how it ends."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path

import pytest

from tests.unit.runtime.processes import accepts, eventually, running
from tests.unit.runtime.tiny_app import DRAIN_S, ROUTES, SLOW_S


def test_sigterm_finishes_the_running_call_and_exits_0() -> None:
    """The call that runs is answered whole; the listener is gone at once."""
    with running(1) as app:
        app.pid()
        thread, answers = app.in_background("/slow")
        app.send(signal.SIGTERM)
        eventually(lambda: not accepts(app.port), SLOW_S * 0.9)
        thread.join()
        assert answers == [str(app.process.pid)]
        assert app.wait() == 0


def test_sigterm_twice_ends_at_once() -> None:
    """An operator who insists is obeyed, and the exit code says that calls were cut off."""
    with running(1) as app:
        app.pid()
        thread, answers = app.in_background("/stuck")
        began = time.monotonic()
        app.send(signal.SIGTERM)
        eventually(lambda: not accepts(app.port))  # two signals at once would be one
        app.send(signal.SIGTERM)
        assert app.wait() == 1
        assert time.monotonic() - began < DRAIN_S / 2
        thread.join()
        assert answers == []


def test_sigterm_during_a_start_that_hangs_ends_it() -> None:
    """A start is cancelled, not waited for."""
    with running(1, fail="hang") as app:
        time.sleep(0.5)
        app.send(signal.SIGTERM)
        assert app.wait() in {0, -signal.SIGTERM}


def test_bad_configuration_is_printed_and_exits_2() -> None:
    """The text of the problems reaches the operator, with fix."""
    with running(1, fail="config") as app:
        assert app.wait() == 2
        assert app.errors() == 'edge.yaml:3: apis[0].upstream: no upstream "x"\n    fix: name one\n'


def test_sighup_reloads_and_a_refused_reload_changes_nothing() -> None:
    """The tiny gateway refuses its second reload and goes on serving."""
    with running(1) as app:
        app.pid()
        for count in ("1", "2", "3"):
            app.send(signal.SIGHUP)
            eventually(lambda count=count: app.get("/count") == count)


def test_what_start_and_reload_made_is_out_of_the_collectors_sight() -> None:
    """No full pass walks it while calls wait."""
    with running(1) as app:
        eventually(lambda: int(app.get("/aside")) > ROUTES)  # modules and the like
        started = int(app.get("/aside"))
        app.send(signal.SIGHUP)
        eventually(lambda: int(app.get("/aside")) > started + ROUTES // 2)


def test_sigusr1_reopens_the_logs() -> None:
    with running(1) as app:
        app.pid()
        app.send(signal.SIGUSR1)
        eventually(lambda: app.get("/count") == "100")


@pytest.mark.parametrize("workers", [1, 2])
def test_the_service_manager_is_told_once_when_all_serve(tmp_path: Path, workers: int) -> None:
    """READY=1 when calls are served, STOPPING=1 when asked to stop; workers stay silent."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        with running(workers, {"NOTIFY_SOCKET": str(tmp_path / "notify")}) as app:
            assert manager.recv(100) == b"READY=1"
            app.send(signal.SIGTERM)
            assert manager.recv(100) == b"STOPPING=1"
            assert app.wait() == 0
        manager.settimeout(0)
        with pytest.raises(BlockingIOError):
            manager.recv(100)
