"""`edge run`: what can fail first, fails first, and a signal ends it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from edge.app.run import run
from edge.core.problem import ProblemsError
from tests.gateway import bookstore_config
from tests.peers.ports import free_port


def written(folder: Path, port: int) -> Path:
    path = folder / "edge.json"
    config = bookstore_config(folder, 1)
    config["listeners"] = [{"bind": f"127.0.0.1:{port}"}]
    config["admin"] = {"bind": f"127.0.0.1:{free_port()}"}
    path.write_text(json.dumps(config))
    return path


def test_a_wrong_file_is_a_problem_before_anything_listens(tmp_path: Path) -> None:
    (tmp_path / "edge.yaml").write_text("listeners: 3\n")
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with pytest.raises(ProblemsError):
        run(tmp_path / "edge.yaml")
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before, "what was held back is let through"


def test_an_address_in_use_is_a_problem_with_a_fix(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ProblemsError, match="in use") as caught:
        run(written(tmp_path, taken.getsockname()[1]))
    assert caught.value.problems[0].path == "listeners[0].bind"


@pytest.mark.parametrize("workers", [1, 2])
def test_it_serves_until_a_signal_and_exits_with_0(tmp_path: Path, workers: int) -> None:
    port = free_port()
    command = [sys.executable, "-m", "edge", "run", "-c", str(written(tmp_path, port)), "--workers", str(workers)]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONWARNINGS": ""}
    ) as process:
        assert process.stderr is not None
        awaited = '"all workers serve"' if workers > 1 else '"serving"'
        for line in process.stderr:
            if awaited in line:
                break
        with pytest.raises(urllib.error.HTTPError) as answer:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/nothing", timeout=30)
        assert (answer.value.code, json.load(answer.value)["code"]) == (404, 5)
        answer.value.close()
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
        assert process.wait(10) == 0


def test_what_only_a_mesh_needs_is_not_loaded_without_one() -> None:
    """aiohttp and Consul's client are 20 MiB and a third of a second of each worker's start."""
    look = "import sys, edge.app.run, edge.app.gateway; print(sorted({'aiohttp', 'consul', 'requests'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout == "[]\n"
