"""Which ports the demo takes."""

from __future__ import annotations

import socket

import pytest

from edge.demo import ports


def test_the_usual_port_is_taken_when_free() -> None:
    assert ports.pick("gateway", None, 8080, [], lambda port: True) == 8080


def test_another_is_taken_when_the_usual_one_is_in_use_or_chosen_already() -> None:
    assert ports.pick("gateway", None, 8080, [], lambda port: False) != 8080
    assert ports.pick("gateway", None, 8080, [8080], lambda port: True) != 8080


def test_a_port_that_was_asked_for_is_never_exchanged() -> None:
    assert ports.pick("gateway", 81, 8080, [], lambda port: True) == 81
    with pytest.raises(ports.PortTakenError, match="port 81, asked for the gateway, is in use"):
        ports.pick("gateway", 81, 8080, [], lambda port: False)
    with pytest.raises(ports.PortTakenError):
        ports.pick("admin", 81, 9901, [81], lambda port: True)


def test_0_asks_for_any() -> None:
    assert ports.pick("gateway", 0, 8080, [], lambda port: False) > 0


def test_a_port_in_use_is_seen_as_such() -> None:
    with socket.socket() as taken:
        taken.bind((ports.HOST, 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        assert not ports.is_free(port)
        with pytest.raises(ports.PortTakenError):
            ports.choose(port, None, None)
    assert ports.is_free(port)


def test_three_different_ports_are_chosen_and_exchanges_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda port: port != 9901)
    chosen = ports.choose(None, None, None)
    assert (chosen.gateway, chosen.upstream) == (8080, 50051)
    assert chosen.notes == (f"port 9901 is taken: the admin is on {chosen.admin}",)
