"""What the doctor looks at."""

from __future__ import annotations

import resource
import socket

import pytest

from edge.cli.findings import State, machine, open_files, reachability
from edge.config.models import Config


def config(bind: str, endpoint: str) -> Config:
    """One listener, one upstream."""
    return Config.model_validate(
        {
            "listeners": [{"bind": bind}],
            "admin": None,
            "apis": [{"name": "a", "reflection": True, "upstream": "u"}],
            "upstreams": {"u": {"endpoints": [endpoint]}},
        }
    )


@pytest.mark.parametrize(
    ("limit", "connections", "state"),
    [
        (20_000, 10_000, State.OK),
        (1024, 10_000, State.WARNING),
        (10_255, 10_000, State.WARNING),
        (resource.RLIM_INFINITY, 10_000, State.OK),
    ],
)
def test_open_files(limit: int, connections: int, state: State) -> None:
    """Each connection takes a file."""
    assert open_files(limit, connections).state is state


def test_machine() -> None:
    """Every look gives a finding, none fails here."""
    subjects = {finding.subject: finding.state for finding in machine(None)}
    assert {"edge", "python", "openssl", "uvloop", "cores", "open files"} <= set(subjects)
    assert State.FAILED not in subjects.values()


def test_a_held_port_is_a_warning() -> None:
    """It may be the gateway itself that holds it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        listener, upstream = reachability(config(f"127.0.0.1:{port}", f"127.0.0.1:{port}"))
    assert (listener.state, upstream.state) == (State.WARNING, State.OK)


@pytest.mark.parametrize("bind", ["no-such-host.invalid:80", "192.0.2.1:80"])
def test_an_address_that_is_not_ours(bind: str) -> None:
    """A look never raises."""
    listener, upstream = reachability(config(bind, "no-such-host.invalid:1"))
    assert (listener.state, upstream.state) == (State.WARNING, State.FAILED)
