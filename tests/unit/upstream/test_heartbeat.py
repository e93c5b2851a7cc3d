"""A connection's pulse, in virtual time."""

from __future__ import annotations

import asyncio

from edge.upstream.heartbeat import Heartbeat, Timing
from tests.unit.ingress.doubles import run

TIMING = Timing(keepalive_interval_s=20, keepalive_timeout_s=5, idle_timeout_s=300)


class Patient:
    """A connection that notes when it was told what."""

    def __init__(self, *, awaiting: bool) -> None:
        self.awaiting = awaiting
        self.loop = asyncio.get_running_loop()
        self.born = self.loop.time()
        self.told: list[tuple[str, float]] = []
        self.heartbeat = Heartbeat(self.loop, TIMING, self)
        self.heartbeat.start()

    @property
    def active(self) -> int:
        return int(self.awaiting)

    def note(self, what: str) -> None:
        self.told.append((what, round(self.loop.time() - self.born)))

    def ping(self) -> None:
        self.note("ping")

    def close(self) -> None:
        self.note("close")
        self.heartbeat.stop()

    def abort(self, reason: str) -> None:
        self.note("abort")
        self.heartbeat.stop()


def test_a_peer_that_owes_an_answer_and_is_silent_is_pinged_and_given_up() -> None:
    async def scenario() -> None:
        patient = Patient(awaiting=True)
        await asyncio.sleep(1000)
        assert patient.told == [("ping", 20), ("abort", 25)]

    run(scenario())


def test_an_answer_to_the_ping_is_life() -> None:
    async def scenario() -> None:
        patient = Patient(awaiting=True)
        await asyncio.sleep(22)
        patient.heartbeat.heard()
        await asyncio.sleep(19)
        assert patient.told == [("ping", 20)]
        await asyncio.sleep(5)
        assert patient.told == [("ping", 20), ("ping", 42)]
        patient.heartbeat.stop()

    run(scenario())


def test_a_connection_without_calls_is_never_pinged_and_closed_when_it_was_idle() -> None:
    async def scenario() -> None:
        patient = Patient(awaiting=False)
        await asyncio.sleep(250)
        patient.heartbeat.used()
        await asyncio.sleep(1000)
        ((what, at),) = patient.told
        assert what == "close"
        assert 550 <= at <= 570

    run(scenario())


def test_nothing_happens_after_the_end() -> None:
    async def scenario() -> None:
        patient = Patient(awaiting=True)
        await asyncio.sleep(21)
        patient.heartbeat.stop()
        await asyncio.sleep(1000)
        assert patient.told == [("ping", 20)]

    run(scenario())
