"""
`python -m tests.resilience.abuse_report`: what each HTTP/2 attack does to an honest client of the gateway and of a real Envoy (R7 to R14).

The same bytes against both, in one run. A row is an attack: after how many units of it a connection was ended, the honest client's
p50/p99 before, under and after it, the service's calls per attacking connection, memory at its peak, CPU of the server for each
second of the attacker's. Only ratios mean anything on a shared machine.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import tempfile
import time
from pathlib import Path

from tests.resilience.abuse_probe import ended_after
from tests.resilience.abuse_rig import LARGE_PATH, Felt, Outcome, Phases, Server, Service, bystander, endure, felt, rig
from tests.resilience.assailant import trusting
from tests.resilience.h2_attacks import ATTACKS, MIXED, Attack, block
from tests.resilience.zero_window import Held, asking, hold

HEADER = (
    "| row | attack | server | ended after | p50 ms base/under/after | p99 ms base/under/after | p50 ratio | p99 ratio | answered"
    " | connections: made, ended, calm, endured | calls/conn | memory MiB | CPU server/attacker s |"
)
PROBE_UNITS = 2000
_FRESH = (f"127.0.{third}.{fourth}" for third, fourth in itertools.product(range(1, 256), range(1, 255)))
"""Addresses nobody has misbehaved from."""


def row(kind: str, name: str, server: Server, end: str, outcome: Outcome) -> str:
    """One line of the table."""
    phases = (outcome.base, outcome.under, outcome.after)
    cells = [
        kind,
        name,
        server.name,
        end,
        _three(phases, 0.5),
        _three(phases, 0.99),
        f"{outcome.under.quantile(0.5) / outcome.base.quantile(0.5):.1f}",
        f"{outcome.under.quantile(0.99) / outcome.base.quantile(0.99):.1f}",
        f"{len(outcome.under.took_ms)}/{outcome.under.asked}",
        f"{outcome.toll.connections}, {outcome.toll.ended}, {outcome.toll.calmed}, {outcome.toll.endured}",
        f"{outcome.calls_per_connection:.1f}",
        f"{outcome.grown_mib:+.1f}",
        f"{outcome.cpu_s:.1f}/{outcome.toll.cpu_s:.1f}",
    ]
    return "| " + " | ".join(cells) + " |"


def _three(phases: tuple[Felt, Felt, Felt], share: float) -> str:
    return "/".join(f"{each.quantile(share):.1f}" for each in phases)


def _one(attack: Attack, servers: list[Server], service: Service, phases: Phases) -> None:
    for server in servers:
        units, calm = asyncio.run(ended_after(server.port, attack, PROBE_UNITS, next(_FRESH)))
        end = f"not by {PROBE_UNITS}" if units is None else f"{units}{' calm' if calm else ''}"
        outcome = endure(server, service, [(attack.name, next(_FRESH)), (attack.name, next(_FRESH))], phases)
        print(row(attack.row, attack.name, server, end, outcome), flush=True)


STREAMS, READERS, TIMEOUT_S = 100, 10, 4.0


def unread(server: Server) -> str:
    """A line on 1,000 streams without a window, 64 KiB each (R12)."""
    data = asking(STREAMS, block("GET", LARGE_PATH), grpc=False)

    async def all_of_them() -> tuple[list[Held], float]:
        holding = (hold(server.port, data, STREAMS, TIMEOUT_S + 16, trusting()) for _ in range(READERS))
        ending = asyncio.gather(*holding)
        peak_mib = server.memory_mib
        while not ending.done():
            await asyncio.wait([ending], timeout=0.05)
            peak_mib = max(peak_mib, server.memory_mib)
        return ending.result(), peak_mib

    before_mib = server.memory_mib
    with bystander(server) as lines:
        time.sleep(2.0)
        began_s = time.monotonic()
        held, peak_mib = asyncio.run(all_of_them())
        ended_s = time.monotonic()
    base, under, _ = felt(lines, began_s, began_s, ended_s)
    count, waited_s = READERS * STREAMS, sorted(wait for each in held for wait in each.waited_s)
    return (
        f"R12 {server.name}: {count} streams without a window, 64 KiB each: memory {peak_mib - before_mib:+.0f} MiB at its peak,"
        f" {sum(len(each.headed) for each in held)} answered with a head, {sum(len(each.given_up) for each in held)} ended, half of"
        f" them {_at(waited_s, 0.5):.1f} s and the last {_at(waited_s, 1.0):.1f} s after the head (timeout {TIMEOUT_S:g} s); honest p50"
        f" {base.quantile(0.5):.1f} -> {under.quantile(0.5):.1f} ms, p99 {base.quantile(0.99):.1f} -> {under.quantile(0.99):.1f} ms,"
        f" {len(under.took_ms)}/{under.asked} answered{f', else {dict(under.failures)}' if under.failed else ''}"
    )


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each attack (R14: twice that)")
    parser.add_argument("--only", default="", help="attacks whose name has this in it")
    parser.add_argument("--without-envoy", action="store_true")
    arguments = parser.parse_args()
    phases = Phases(attack_s=arguments.seconds)
    with (
        tempfile.TemporaryDirectory() as name,
        rig(Path(name), envoy=not arguments.without_envoy) as (servers, service),
    ):
        print(HEADER + "\n" + "|---" * 13 + "|", flush=True)
        for attack in ATTACKS:
            if arguments.only in attack.name:
                _one(attack, servers, service, phases)
        if arguments.only in "R14":
            tasks = [(each, f"127.0.0.{number}") for number, each in enumerate(MIXED, 2)]
            for server in servers:
                outcome = endure(server, service, tasks, Phases(attack_s=2 * arguments.seconds))
                print(row("R14", "all at once", server, "", outcome), flush=True)
    if arguments.only in "R12":
        with (
            tempfile.TemporaryDirectory() as name,
            rig(Path(name), envoy=not arguments.without_envoy, write_timeout_s=TIMEOUT_S) as (servers, _),
        ):
            print(flush=True)
            for server in servers:
                print(unread(server), flush=True)


if __name__ == "__main__":
    main()
