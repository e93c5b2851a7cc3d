"""What the doctor sees where Consul is not there; with one, tests/consul/test_doctor.py."""

from __future__ import annotations

from edge.cli.consul_findings import consul
from edge.cli.findings import State
from edge.config.models import Config
from tests.peers.ports import free_port


def config(address: str | None) -> Config:
    """One upstream found in Consul, or at an address."""
    found = {"endpoints": ["127.0.0.1:1"]} if address is None else {"consul": {"service": "shop", "dial": "plain"}}
    return Config.model_validate(
        {
            "listeners": [{"bind": "127.0.0.1:0"}],
            "admin": None,
            "apis": [{"name": "a", "reflection": True, "upstream": "u"}],
            "upstreams": {"u": found},
            **({} if address is None else {"consul": {"address": address}}),
        }
    )


def test_without_consul_nothing_is_looked_at() -> None:
    """No section, no finding."""
    assert consul(config(None)) == []


def test_an_agent_that_is_not_there_is_the_only_finding() -> None:
    """With its address and why; what would be asked of it is not listed as failed too."""
    port = free_port()
    (found,) = consul(config(f"http://127.0.0.1:{port}"))
    assert (found.state, found.subject) == (State.FAILED, "consul")
    assert found.text == f"http://127.0.0.1:{port}: connection refused"
