"""The demo command: its own rules, and the whole of it as a user would run it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
import yaml

from edge.demo import run
from edge.demo.messages import FILES
from edge.demo.ports import Ports, is_free
from edge.demo.tour import STEPS

ROOT = Path(__file__).resolve().parents[3]


def test_the_configuration_names_the_ports_and_the_protos() -> None:
    config = yaml.safe_load(run.config(Ports(1, 2, 3), Path("/a b/protos")))
    assert config["listeners"] == [{"bind": "127.0.0.1:1"}]
    assert config["admin"] == {"bind": "127.0.0.1:2"}
    assert config["upstreams"] == {"bookstore": {"endpoints": ["127.0.0.1:3"]}}
    assert config["apis"][0]["protos"]["roots"] == ["/a b/protos"]


def test_the_example_file_describes_the_same_api() -> None:
    example = yaml.safe_load((ROOT / "docs" / "examples" / "bookstore.yaml").read_text())
    assert example["apis"][0]["protos"]["files"] == list(FILES)
    assert (ROOT / "docs" / "examples" / example["apis"][0]["protos"]["roots"][0] / FILES[0]).is_file()


def test_an_explicit_port_in_use_is_exit_2_with_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        assert run.run(port=taken.getsockname()[1]) == 2
    assert "in use" in capsys.readouterr().err


def test_a_signal_sets_the_end_and_the_old_handler_comes_back() -> None:
    before, ended = signal.getsignal(signal.SIGTERM), run.Ended()
    with run._signals(ended):
        os.kill(os.getpid(), signal.SIGTERM)
        assert ended.wait(1)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.fixture
def log(tmp_path: Path) -> Iterator[IO[bytes]]:
    with (tmp_path / "log").open("a+b") as file:
        yield file


def test_a_child_that_ends_early_is_told_with_its_last_words(log: IO[bytes]) -> None:
    with run._child(["edge.demo.service", "--port", "none"], log, log) as child:
        child.wait(60)
        with pytest.raises(run.DemoError, match=r"(?s)bookstore ended with exit code 2.*invalid int value"):
            run._require_alive({"bookstore": child}, log)


def test_a_child_is_ended_with_the_block(log: IO[bytes]) -> None:
    with run._child(["http.server", "--bind", "127.0.0.1", "0"], log, log) as child:
        assert child.poll() is None
    assert child.returncode == -signal.SIGTERM
    assert sys.executable in str(child.args)


@pytest.mark.slow
def test_every_curl_line_answers_as_printed(capsys: pytest.CaptureFixture[str]) -> None:
    code = run.run(0, 0, 0, check=True)
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith("OK ")] == []
    assert len(lines) == len(STEPS)
    assert code == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_demo_and_both_its_children_with_0(number: signal.Signals) -> None:
    program = "import sys; from edge.demo.run import run; sys.exit(run(0, 0, 0))"
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as demo:
        assert demo.stdout is not None
        banner = ""
        for line in demo.stdout:
            banner += line
            if "/metrics" in line:
                break
        demo.send_signal(number)
        _, errors = demo.communicate(timeout=100)
    assert (demo.returncode, errors) == (0, "")
    ports = {int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", banner)}
    assert len(ports) == 3
    assert all(is_free(port) for port in ports), "the children are gone"
