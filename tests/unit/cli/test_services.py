"""`edge services` as a user runs it, against a Consul."""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from tests.consul.scenes import asked, token_with
from tests.peers.consul_double import ThreadedDouble, threaded_double
from tests.unit.cli.conftest import Edge

ROOT = Path(__file__).parents[3]
WEB = [
    "services",
    "register",
    "web",
    "--port",
    "8001",
    "--tag",
    "v1",
    "--meta",
    "team=a",
    "--weight",
    "3",
    "--tcp",
    "127.0.0.1:1",
]
SIDECAR = ["--connect", "sidecar", "--sidecar-port", "20001", "--interval", "30s"]


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No Consul of the machine's, and the log as it was: the command sets it up for its process."""
    for name in [name for name in os.environ if name.startswith("CONSUL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CONSUL_HTTP_ADDR", "127.0.0.1:1")
    handlers = logging.getLogger().handlers
    yield
    logging.getLogger().handlers = handlers
    structlog.reset_defaults()


@pytest.fixture
def consul(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadedDouble]:
    """Without access rules, found by the command."""
    with threaded_double() as running:
        monkeypatch.setenv("CONSUL_HTTP_ADDR", running.double.url)
        yield running


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadedDouble]:
    """With access rules; no token is set."""
    with threaded_double(acl=True) as running:
        monkeypatch.setenv("CONSUL_HTTP_ADDR", running.double.url)
        yield running


def put(consul: ThreadedDouble, path: str, body: object) -> None:
    """Write something."""
    status, text, _ = consul.do(asked(consul.double, "PUT", path, body))
    assert status == 200, text


def test_register_list_deregister(edge: Edge, consul: ThreadedDouble) -> None:
    """Twice the same is once; what is gone is no failure."""
    services = consul.double.catalog.services
    first = edge(*WEB, *SIDECAR)
    assert (first.code, first.out) == (0, "web: registered\n")
    held = services["web"]
    assert (held["Port"], held["Tags"], held["Meta"]["team"], held["Weights"]["Passing"]) == (8001, ["v1"], "a", 3)
    assert services["web-sidecar-proxy"]["Port"] == 20001
    again = edge(*WEB, *SIDECAR, "--json")
    assert (again.code, again.json) == (0, [{"id": "web", "name": "web", "outcome": "unchanged"}])
    assert edge(*WEB, *SIDECAR, "--tag", "v2").out == "web: updated\n"
    listed = edge("services", "list")
    assert listed.code == 0
    rows = [line.split() for line in listed.out.splitlines()]
    assert rows == [["NAME", "TAGS"], ["consul", "-"], ["web", "v1,v2"], ["web-sidecar-proxy", "v1,v2"]]
    (instance,) = edge("services", "list", "web", "--json").json["instances"]
    assert (instance["id"], instance["port"], instance["health"]) == ("web", 8001, "critical")
    assert instance["failing"] == ["TCP check of web"]
    gone = edge("services", "deregister", "web", "other")
    assert (gone.code, gone.out) == (0, "web: deregistered\nother: was not registered\n")
    none = edge("services", "list", "web")
    assert (none.code, none.out) == (1, "no instances\n")


def test_ttl_that_nobody_reports_is_said(edge: Edge, consul: ThreadedDouble) -> None:
    """Without --keep."""
    result = edge("services", "register", "web", "--port", "8001", "--ttl", "3s")
    assert result.code == 0
    assert "critical until somebody does; --keep does" in result.out


def test_watch_for_a_while(edge: Edge, consul: ThreadedDouble) -> None:
    """In words for people."""
    put(consul, "/v1/agent/service/register", {"Name": "web", "Port": 8001})
    result = edge("services", "watch", "web", "--for", "3s")
    assert (result.code, result.out) == (0, "web: 1 instance: 127.0.0.1:8001 weight 1\n")


def started(*arguments: str) -> subprocess.Popen[str]:
    """The command in a process of its own, to be interrupted."""
    command = [sys.executable, "-m", "edge", "services", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str], with_signal: signal.Signals) -> int:
    """Its code after a signal."""
    process.send_signal(with_signal)
    _, err = process.communicate(timeout=100)
    assert "Traceback" not in err
    return process.returncode


def eventually(true: Callable[[], bool], what: str) -> None:
    """Wait for it; the time bounds only failure."""
    for _ in range(3000):
        if true():
            return
        time.sleep(0.02)
    raise AssertionError(what)


def line(process: subprocess.Popen[str]) -> Any:
    """The next line, as JSON."""
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], 60)[0], "no line"
    return json.loads(process.stdout.readline())


def test_kept_until_interrupted(consul: ThreadedDouble) -> None:
    """Its TTL is reported, and it is deregistered at the end."""
    process = started("register", "web", "--port", "8001", "--ttl", "3s", "--keep")
    catalog = consul.double.catalog
    eventually(lambda: [check.status for check in list(catalog.checks.values())] == ["passing"], "passing")
    assert ended(process, signal.SIGTERM) == 0
    assert catalog.services == {}


def test_watch_follows(consul: ThreadedDouble) -> None:
    """One JSON object a line whenever something is another, until it is interrupted; then 1 if it ends under an alarm."""
    put(consul, "/v1/agent/service/register", {"Name": "web", "ID": "a", "Port": 8001})
    process = started("watch", "web", "--json")
    assert [each["endpoint"] for each in line(process)["instances"]] == ["127.0.0.1:8001"]
    put(consul, "/v1/agent/service/register", {"Name": "web", "ID": "b", "Port": 8002})
    assert [each["port"] for each in line(process)["instances"]] == [8001, 8002]
    consul.do(consul.double.stop())
    lost = line(process)
    assert (lost["alarm"], len(lost["instances"])) == ("unreachable", 2)
    assert ended(process, signal.SIGINT) == 1


def test_what_the_configuration_registers(
    edge: Edge, guarded: ThreadedDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway and its services, with the agent and the token the file names; deregistered by the same file."""
    monkeypatch.setenv("CONSUL_HTTP_ADDR", "127.0.0.1:1")
    (tmp_path / "token").write_text(guarded.double.management)
    config = tmp_path / "edge.yaml"
    config.write_text(
        "listeners: [{bind: '127.0.0.1:8080'}]\n"
        f"consul: {{address: '{guarded.double.url}', token: 'file:token', service: edge, register: {{}},\n"
        "  services: [{name: web, port: 1}]}\n"
        "apis: [{name: a, reflection: true, upstream: u}]\nupstreams: {u: {consul: {service: web, dial: plain}}}\n"
    )
    result = edge("services", "register", "-c", str(config))
    assert result.code == 0, result.err
    assert result.out.splitlines()[0] == "edge-8080: registered"
    assert set(guarded.double.catalog.services) == {"edge-8080", "web"}
    result = edge("services", "deregister", "-c", str(config), "--json")
    assert result.code == 0
    assert result.json == [{"id": "edge-8080", "deregistered": True}, {"id": "web", "deregistered": True}]


def test_unreachable(edge: Edge) -> None:
    """1, on standard error, with what to do."""
    result = edge("services", "list")
    assert (result.code, result.out) == (1, "")
    assert "connection refused" in result.err
    assert "fix: start an agent there" in result.err


def test_denied_and_hidden(
    edge: Edge, guarded: ThreadedDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1, with the permission that is missing, or with the word that something is hidden; 0 with a token that may."""
    reading, _ = guarded.do(token_with(guarded.double, {"service_prefix": {"": {"policy": "read"}}}))
    hidden = edge("services", "list")
    assert hidden.code == 1
    assert "more is hidden: no token is set" in hidden.out
    monkeypatch.setenv("CONSUL_HTTP_TOKEN", reading)
    denied = edge("services", "register", "web", "--port", "1")
    assert denied.code == 1
    assert 'a policy with service "web" { policy = "write" } grants it' in denied.err
    (tmp_path / "token").write_text(guarded.double.management)
    assert edge("services", "list", "--token-file", str(tmp_path / "token")).code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["register"], "neither a name nor a configuration is given"),
        (["register", "web"], "--port: error: it is missing"),
        (["register", "a/b", "--port", "1"], 'NAME: error: "a/b" is no service name'),
        (["register", "web", "--port", "99999"], '--port: error: "99999" is no port'),
        (["register", "web", "--port", "1", "--ttl", "5"], '--ttl: error: "5" has no unit'),
        (["register", "web", "--port", "1", "--meta", "a"], '--meta: error: "a" is not key=value'),
        (["register", "web", "--port", "1", "--meta", "a b=c"], "--meta: error: has a key or value"),
        (["register", "web", "--port", "1", "--connect", "mesh"], "'mesh' is not one of"),
        (["deregister"], "neither an ID nor a configuration is given"),
        (["list", "--agent", "ftp://a"], '--agent: error: "ftp://a" is no URL of an agent'),
        (["watch", "web", "--for", "5"], '--for: error: "5" has no unit'),
        (["list", "a/b"], "cannot be part of a path"),
        (["register", "-c", "/nonexistent.yaml"], "cannot be read"),
    ],
)
def test_bad_input(edge: Edge, arguments: list[str], words: str) -> None:
    """2, by the flag's own name; Consul is not asked."""
    result = edge("services", *arguments)
    assert (result.code, result.out) == (2, "")
    assert words in result.err


@pytest.mark.parametrize("command", ["register", "deregister", "list", "watch"])
def test_help_has_examples(edge: Edge, command: str) -> None:
    """And the exit codes."""
    result = edge("services", command, "--help")
    assert result.code == 0
    text = " ".join(result.out.split())
    assert f"edge services {command}" in text
    assert "Exit codes: 0 ok, 1 failed, 2 bad input" in text
