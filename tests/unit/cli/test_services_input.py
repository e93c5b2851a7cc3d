"""From flags to a registration and an agent."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.cli.services_input import AgentFlags, agent_address_problem, agent_for, configured, flagged, pairs
from edge.core.consul_definition import Check, Definition
from edge.core.problem import ProblemsError

CONFIG = """\
listeners: [{bind: '127.0.0.1:8080'}]
consul: {address: 'http://10.0.0.1:8500'%s}
apis: [{name: a, reflection: true, upstream: u}]
upstreams: {u: {endpoints: ['127.0.0.1:1']}}
"""


def file(folder: Path, more: str = "") -> Path:
    """A configuration."""
    path = folder / "edge.yaml"
    path.write_text(CONFIG % more)
    return path


def test_flags_make_a_definition() -> None:
    """What is not given has the model's default; times apply to every check."""
    assert flagged("web", {"port": 80, "id": None, "tags": (), "weights": {"passing": 1}}, []) == Definition(
        "web", "web", 80
    )
    given = {
        "port": 80,
        "tags": ("a",),
        "meta": {"k": "v"},
        "weights": {"passing": 2},
        "interval": "2s",
        "deregister_after": "90s",
    }
    found = flagged("web", given, [("grpc", "a:1/s"), ("ttl", "5s")])
    assert (found.tags, found.meta, found.weight) == (("a",), (("k", "v"),), 2)
    assert found.checks == (
        Check("grpc", "a:1/s", 2.0, deregister_after_s=90.0),
        Check("ttl", interval_s=5.0, deregister_after_s=90.0),
    )


def test_every_wrong_flag_is_told_at_once() -> None:
    """By its own name."""
    with pytest.raises(ProblemsError) as caught:
        flagged("a/b", {"port": 0, "interval": "5", "weights": {"passing": 0}}, [("grpc", "")])
    assert [problem.place for problem in caught.value.problems] == [
        "--weight",
        "--grpc",
        "--interval",
        "NAME",
        "--port",
    ]


def test_agent_on_the_command_line_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the configuration's, then Consul's own variables."""
    monkeypatch.setenv("CONSUL_HTTP_ADDR", "http://10.0.0.9:8500")
    config = file(tmp_path)
    assert str(agent_for(AgentFlags(config, "http://10.0.0.7:8500")).place) == "http://10.0.0.7:8500"
    assert str(agent_for(AgentFlags(config)).place) == "http://10.0.0.1:8500"
    assert str(agent_for(AgentFlags()).place) == "http://10.0.0.9:8500"
    (tmp_path / "token").write_text("t")
    assert agent_for(AgentFlags(config, token_file=tmp_path / "token")).token.current() == "t"


def test_what_a_configuration_registers(tmp_path: Path) -> None:
    """The gateway first; nothing is a mistake."""
    found = configured(file(tmp_path, ", service: edge, register: {}, services: [{name: web, port: 1}]"))
    assert [each.id for each in found] == ["edge-8080", "web"]
    with pytest.raises(ProblemsError, match="nothing is to be registered"):
        configured(file(tmp_path))


def test_pairs() -> None:
    """The value may hold an equals sign."""
    assert pairs(["a=b=c", "d="], "--meta") == {"a": "b=c", "d": ""}
    for text in ("a", "=b"):
        with pytest.raises(ProblemsError):
            pairs([text], "--meta")


def test_agent_addresses() -> None:
    """As the configuration's."""
    agent_address_problem("http://127.0.0.1:8500")
    with pytest.raises(ProblemsError, match="is no URL of an agent"):
        agent_address_problem("ftp://a")
