"""Pieces of a read: all of it and in order, by turns when it misbehaves, at once when it does not."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from edge.ingress.http2_inlet import LARGEST_PIECE_BYTES, PIECE_BYTES, TURN_POINTS, Inlet
from tests.unit.ingress.doubles import FakeTransport, run, turns


@dataclass
class Reader:
    """Each byte costs `cost` points; `turns` are the bytes read in each turn of the loop."""

    cost: float = 0.0
    pieces: list[bytes] = field(default_factory=list)
    turns: list[int] = field(default_factory=list)
    _in_turn: int = 0

    def __post_init__(self) -> None:
        self.transport = FakeTransport(asyncio.Protocol())
        self.inlet = Inlet(self.read, self.done, self.transport, asyncio.get_running_loop())

    def read(self, piece: bytes) -> float:
        self.pieces.append(piece)
        self._in_turn += len(piece)
        return self.cost * len(piece)

    def done(self) -> None:
        self.turns.append(self._in_turn)
        self._in_turn = 0


def test_a_small_read_is_handed_on_as_it_is() -> None:
    async def scenario() -> None:
        reader = Reader(cost=1.0)
        reader.inlet.take(b"x" * PIECE_BYTES)
        assert (reader.turns, reader.inlet.busy, reader.transport.pauses) == ([PIECE_BYTES], False, 0)

    run(scenario())


def test_an_honest_read_takes_one_turn_in_pieces_that_grow() -> None:
    async def scenario() -> None:
        reader, data = Reader(), bytes(range(256)) * 1024
        reader.inlet.take(data)
        assert (b"".join(reader.pieces), reader.turns, reader.inlet.busy) == (data, [len(data)], False)
        sizes = [len(piece) for piece in reader.pieces]
        assert sizes[:5] == [PIECE_BYTES, 2 * PIECE_BYTES, 4 * PIECE_BYTES, 8 * PIECE_BYTES, LARGEST_PIECE_BYTES]
        assert max(sizes) == LARGEST_PIECE_BYTES
        assert reader.transport.pauses == 0

    run(scenario())


def test_a_read_that_misbehaves_gives_way_after_every_piece() -> None:
    """The loop turns between them, the socket is not read meanwhile, and nothing is lost or out of order."""

    async def scenario() -> None:
        reader, data = Reader(cost=TURN_POINTS / PIECE_BYTES), bytes(range(256)) * 20
        reader.inlet.take(data)
        assert reader.turns == [PIECE_BYTES]
        assert reader.transport.reading_paused
        reader.inlet.take(b"under way")
        await turns(1)
        assert reader.turns == [PIECE_BYTES] * 2
        await turns(10)
        assert b"".join(reader.pieces) == data + b"under way"
        assert not reader.inlet.busy
        assert not reader.transport.reading_paused

    run(scenario())


@pytest.mark.parametrize("end", ["clear", "close"])
def test_nothing_is_read_after_the_end(end: str) -> None:
    async def scenario() -> None:
        reader = Reader(cost=1.0)
        reader.inlet.take(bytes(10 * PIECE_BYTES))
        getattr(reader.inlet, end)()
        await turns(5)
        assert (len(reader.pieces), reader.inlet.busy) == (1, False)

    run(scenario())


def test_an_end_in_the_middle_of_a_turn_is_the_last_piece() -> None:
    async def scenario() -> None:
        pieces: list[bytes] = []

        def read(piece: bytes) -> float:
            pieces.append(piece)
            inlet.clear()
            return 0.0

        transport = FakeTransport(asyncio.Protocol())
        inlet = Inlet(read, lambda: None, transport, asyncio.get_running_loop())
        inlet.take(bytes(10 * PIECE_BYTES))
        await turns(5)
        assert [len(piece) for piece in pieces] == [PIECE_BYTES]

    run(scenario())


def test_nothing_is_looked_at_while_it_rests() -> None:
    async def scenario() -> None:
        reader = Reader()
        reader.inlet.rest(3.0)
        assert reader.transport.reading_paused
        reader.inlet.take(b"under way")
        await asyncio.sleep(2.9)
        assert reader.pieces == []
        await asyncio.sleep(0.2)
        assert reader.pieces == [b"under way"]
        assert not reader.transport.reading_paused
        reader.inlet.take(b"and on")
        assert reader.pieces[1:] == [b"and on"]

    run(scenario())


def test_a_rest_ends_though_nothing_came() -> None:
    async def scenario() -> None:
        reader = Reader()
        reader.inlet.rest(3.0)
        await asyncio.sleep(3.1)
        assert not reader.transport.reading_paused

    run(scenario())
