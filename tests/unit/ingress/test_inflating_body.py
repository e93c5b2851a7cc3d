"""Coded request bodies as the call reads them."""

from __future__ import annotations

import asyncio
import gzip

import pytest
import zstandard

from edge.core.content_coding import IDENTITY
from edge.ingress import inflating_body
from edge.ingress.inflating_body import InflatingBody, inflating
from edge.ingress.service import BodyBroken, BodySource
from edge.outcome import Fault, Refusal
from tests.unit.core.test_stream_inflate import coded
from tests.unit.ingress.rpc_scenes import Pieces


async def drained(body: BodySource) -> list[bytes]:
    """All pieces up to the end."""
    pieces = []
    while piece := await body.read():
        pieces.append(piece)
    return pieces


async def test_a_body_is_read_as_it_comes() -> None:
    """A piece is given with the last byte that it takes; what gives nothing is not an end."""
    first, second, end = coded("gzip", b"one", b"two")
    body = InflatingBody(Pieces(first[:5], first[5:], second, end), "gzip")
    assert await drained(body) == [b"one", b"two"]
    assert await body.read() == b""


@pytest.mark.parametrize(
    ("pieces", "fault"), [((b"none",), Fault.INVALID_ARGUMENT), ((gzip.compress(b"x", mtime=0)[:-1],), Fault.INVALID_ARGUMENT)],
    ids=["no gzip", "cut short"],
)  # fmt: skip
async def test_what_is_no_such_coding_breaks_the_body(pieces: tuple[bytes], fault: Fault) -> None:
    with pytest.raises(BodyBroken) as broken:
        await drained(InflatingBody(Pieces(*pieces), "gzip"))
    assert broken.value.refusal.fault is fault


async def test_a_body_that_breaks_off_below_breaks_off() -> None:
    """Why is the connection's to say."""
    with pytest.raises(BodyBroken) as broken:
        await drained(InflatingBody(Pieces(coded("gzip", b"x")[0], broken=Refusal(Fault.REQUEST_TIMEOUT)), "gzip"))
    assert broken.value.refusal.fault is Fault.REQUEST_TIMEOUT


async def test_others_have_their_turn_while_a_bomb_goes_off() -> None:
    """The steps of one piece of a body, which a single read gave, do not hold up the loop."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    bomb = zstandard.compress(bytes(20_000_000))
    assert sum(map(len, await drained(InflatingBody(Pieces(bomb), "zstd")))) == 20_000_000
    beside.cancel()
    await asyncio.gather(beside, return_exceptions=True)
    assert turns > 10


def test_no_coding_costs_nothing() -> None:
    """The body itself."""
    body = Pieces(b"x")
    with inflating(body, IDENTITY) as plain:
        assert plain is body


def test_wide_windows_are_few() -> None:
    """Each may hold 16 MiB; one that ends makes room for the next. Narrow ones are not counted."""
    limit = inflating_body._wide.limit
    held = [inflating(Pieces(), "zstd" if index % 2 else "br") for index in range(limit)]
    for each in held:
        each.__enter__()
    try:
        with pytest.raises(BodyBroken) as broken, inflating(Pieces(), "br"):
            pass
        assert broken.value.refusal.fault is Fault.OVERLOADED
        with inflating(Pieces(), "gzip"):
            pass
        held.pop().__exit__(None, None, None)
        with inflating(Pieces(), "br"):
            pass
    finally:
        for each in held:
            each.__exit__(None, None, None)
    assert inflating_body._wide.held == 0
