"""
What attacks do to an honest client of the gateway and of a real Envoy, with the same bytes in one run (R7, R10, R11, R14, short).

The whole table is `python -m tests.resilience.abuse_report`. A neighbour on the machine can only make the honest client slower: the
best of some tries is what the attack did to it, and Envoy's client in the same minute says what this machine allows.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import backend
from tests.peers.envoy import envoy_binary
from tests.resilience.abuse_rig import Outcome, Phases, Server, Service, endure, rig
from tests.resilience.h2_attacks import MIXED

SHORT = Phases(base_s=1.0, attack_s=2.0, recovery_s=0.5)
TRIES = 3
SLOWER, SPARE_MS = 2.0, 5.0
GROWTH_MIB = 16.0
TASKS = {
    "R7": [("rapid reset", "127.0.0.2"), ("rapid reset", "127.0.0.3")],
    "R10": [("heads just over the limit", "127.0.0.4"), ("heads just over the limit", "127.0.0.5")],
    "R11": [("PING", "127.0.0.6"), ("PING", "127.0.0.7")],
    "R14": [(name, f"127.0.1.{number}") for number, name in enumerate(MIXED, 1)],
}

pytestmark = [
    pytest.mark.envoy,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(envoy_binary() is None, reason="Envoy is not installed: make setup"),
    pytest.mark.skipif(not backend.available(), reason="nginx is not installed: apt-get install nginx-light"),
]


def _tell(row: str, server: Server, outcome: Outcome) -> None:
    base, under = outcome.base, outcome.under
    print(
        f"{row} {server.name}: p50 {base.quantile(0.5):.1f} -> {under.quantile(0.5):.1f} ms, p99 {base.quantile(0.99):.1f} ->"
        f" {under.quantile(0.99):.1f} ms, {len(under.took_ms)} of {under.asked} answered; {outcome.toll.connections} connections,"
        f" {outcome.toll.ended} ended, {outcome.calls_per_connection:.1f} calls each; memory {outcome.grown_mib:+.1f} MiB"
    )


def _spared(ours: Outcome, theirs: Outcome) -> bool:
    """No more than twice as slow as before, or as Envoy's client."""
    allowed_ms = max(ours.base.quantile(0.5), theirs.under.quantile(0.5)) * SLOWER + SPARE_MS
    return ours.under.quantile(0.5) <= allowed_ms


def _hold_out(row: str, servers: list[Server], service: Service) -> None:
    for _ in range(TRIES):
        theirs, ours = (endure(server, service, TASKS[row], SHORT) for server in reversed(servers))
        _tell(row, servers[0], ours)
        _tell(row, servers[1], theirs)
        unended = ours.toll.connections - ours.toll.ended
        assert unended <= max(len(TASKS[row]), 0.02 * ours.toll.connections)  # the clock ends the last ones
        assert ours.calls_per_connection <= 100
        assert ours.grown_mib < GROWTH_MIB * len(TASKS[row]) / 2
        assert ours.base.failed + ours.under.failed + ours.after.failed == 0
        if _spared(ours, theirs):
            return
    raise AssertionError(f"{row}: the honest client was slowed beyond the bound {TRIES} times of {TRIES}")


def test_an_honest_client_is_spared_as_envoys_is(tmp_path: Path) -> None:
    """Every one of its requests is answered, each as fast as Envoy or its own base, twice at most, would have it."""
    with rig(tmp_path) as (servers, service):
        for row in TASKS:
            _hold_out(row, servers, service)
