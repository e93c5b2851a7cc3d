"""Slots are counted once each way."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from edge.ingress.connections import Admission, Connections, ConnectionSlots, limit_within, peer_address
from tests.unit.ingress.doubles import FakeTransport, run


class Held:
    def __init__(self, connections: Connections) -> None:
        self.connections = connections
        self.told: list[str] = []
        self.admission = connections.add(self)

    def drain(self) -> None:
        self.told.append("drain")

    def cut(self) -> None:
        self.told.append("cut")
        self.connections.discard(self)


@given(st.integers(40, 2_000_000))
def test_a_limit_within_the_files_leaves_room_for_those_it_refuses(files: int) -> None:
    """What is open at most, the one being dropped included, stays below the number of files, but close to it."""
    slots = ConnectionSlots(limit_within(files))
    slots.used = slots.limit
    low, high = slots.limit, files + 1
    while low < high:  # the first count that is dropped
        slots.used = (low + high) // 2
        if slots.take() is Admission.DROP:
            high = slots.used - 1
        else:
            low = slots.used
    assert files - 3 <= low <= files


def test_the_limit_is_shared_by_listeners() -> None:
    async def scenario() -> None:
        slots = ConnectionSlots(2)
        one, other = Connections(slots), Connections(slots)
        held = [Held(one), Held(other), Held(one)]
        assert [h.admission for h in held] == [Admission.SERVE, Admission.SERVE, Admission.REFUSE]
        more = [Held(other) for _ in range(20)]
        assert more[-1].admission is Admission.DROP
        for h in (*held, *more):
            h.connections.discard(h)
            h.connections.discard(h)  # twice is once
        assert slots.used == 0

    run(scenario())


def test_a_successor_keeps_the_slot_and_is_the_one_drained() -> None:
    async def scenario() -> None:
        slots = ConnectionSlots(1)
        connections = Connections(slots)
        first, second = Held(connections), Held.__new__(Held)
        second.connections, second.told = connections, []
        connections.replace(first, second)
        assert (len(connections), slots.used) == (1, 1)
        connections.discard(first)  # it is nobody's any more
        assert slots.used == 1
        await connections.drain(0.1)
        assert (first.told, second.told, slots.used) == ([], ["drain", "cut"], 0)

    run(scenario())


def test_drain_tells_all_waits_and_cuts() -> None:
    async def scenario() -> None:
        connections = Connections(ConnectionSlots(9))
        polite, stuck = Held(connections), Held(connections)
        task = asyncio.create_task(connections.drain(5))
        await asyncio.sleep(1)
        assert connections.draining
        connections.discard(polite)
        await task
        assert (polite.told, stuck.told) == (["drain"], ["drain", "cut"])
        assert len(connections) == 0

    run(scenario())


def test_an_empty_listener_drains_at_once() -> None:
    async def scenario() -> None:
        start = asyncio.get_running_loop().time()
        await Connections(ConnectionSlots(1)).drain(30)
        assert asyncio.get_running_loop().time() == start

    run(scenario())


def test_the_peer_of_a_socket_without_addresses() -> None:
    """A UNIX socket's peer has no address to log."""
    assert peer_address(FakeTransport(asyncio.Protocol())) == "192.0.2.1"
    assert peer_address(asyncio.BaseTransport({"peername": ""})) == ""
