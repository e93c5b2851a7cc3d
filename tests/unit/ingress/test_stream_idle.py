"""What counts as movement on a stream."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from edge.ingress.stream_idle import IdleWatch, WatchedBody
from edge.upstream.call import Trace
from tests.unit.ingress.doubles import run
from tests.unit.ingress.rpc_scenes import Pieces


def ended_after(timeout_s: float | None, *moves: Callable[[IdleWatch, Trace, float], None]) -> float | None:
    """When a watch calls, with one of `moves` made every ten seconds; None when it does not within an hour."""

    async def scenario() -> float | None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        trace, ended = Trace(), asyncio.Event()
        watch = IdleWatch(timeout_s, trace, loop, ended.set)
        for move in moves:
            await asyncio.sleep(10)
            move(watch, trace, loop.time())
        try:
            await asyncio.wait_for(ended.wait(), 3600)
        except TimeoutError:
            return None
        finally:
            watch.close()
        return loop.time() - began_s

    return run(scenario())


def nothing(watch: IdleWatch, trace: Trace, now: float) -> None:
    pass


def message(watch: IdleWatch, trace: Trace, now: float) -> None:
    watch.moved()


def upstream_bytes(watch: IdleWatch, trace: Trace, now: float) -> None:
    trace.moved = now


def write_begins(watch: IdleWatch, trace: Trace, now: float) -> None:
    watch.writing = True


def write_ends(watch: IdleWatch, trace: Trace, now: float) -> None:
    watch.writing = False


@pytest.mark.parametrize(
    ("moves", "after_s"),
    [
        ((), 25),
        ((nothing, nothing), 25),
        ((message, message), 45),
        ((upstream_bytes,), 35),
        ((message, upstream_bytes, nothing), 45),
    ],
)
def test_time_counts_from_the_last_movement(moves: tuple[Callable[..., None], ...], after_s: float) -> None:
    """Of either side, seen by whichever of the two ways."""
    assert ended_after(25, *moves) == after_s


def test_a_write_that_waits_is_no_rest() -> None:
    """However long it takes; afterwards there is a whole time for the next thing to move."""
    ended_s = ended_after(25, write_begins, *(nothing,) * 20, write_ends)
    assert ended_s is not None
    assert 220 < ended_s <= 220 + 25


def test_without_a_timeout_nothing_is_watched() -> None:
    assert ended_after(None, message) is None


def test_a_closed_watch_is_silent() -> None:
    """And what keeps it is let go."""

    async def scenario() -> None:
        watch = IdleWatch(5, Trace(), asyncio.get_running_loop(), lambda: pytest.fail("it fired"))
        watch.close()
        watch.close()
        await asyncio.sleep(60)

    run(scenario())


async def test_each_piece_of_a_body_is_movement() -> None:
    """Its end, too."""
    moved: list[int] = []

    class Counting:
        def moved(self) -> None:
            moved.append(1)

    body = WatchedBody(Pieces(b"a"), Counting())  # type: ignore[arg-type]  # all that it needs of a watch
    assert (await body.read(), await body.read(), len(moved)) == (b"a", b"", 2)
