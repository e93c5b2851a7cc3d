"""Ten seconds of the soak: too short for a slope, long enough to see that nothing is left behind. And what its verdict rests on."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.soak.load import again, errors, stopped
from tests.soak.samples import Sample, curve, drift, slope_per_10_min, table
from tests.soak.soak import soak
from tests.soak.verdict import Soak

GROWTH_MIB = 24.0
"""From the first second to the last of so short a run: warming up takes half of it, a leak per call would take more."""

IDLE = Sample(0, 70.0, files=20, connections=0, calls=0, links=0, streams=0, tasks=4)
BUSY = Sample(0, 80.0, files=36, connections=14, calls=9, links=2, streams=5, tasks=15)


@pytest.mark.slow
async def test_every_dialect_at_once_leaves_nothing(tmp_path: Path) -> None:
    """No connection, call, stream or task is left, whether clients ended well, read slowly or were gone; and the gateway drains."""
    result = await soak(tmp_path, 10, 0.5)
    print(result.report())
    assert result.faults() == []
    assert min(result.calls.values()) >= 3, result.calls
    assert result.samples[-1].rss_mib - result.samples[0].rss_mib < GROWTH_MIB


def ten_minutes(mib_per_s: float = 0.0, files_per_s: float = 0.0) -> Soak:
    """A good soak of 300 samples, unless memory or descriptors rise."""
    seconds = range(0, 600, 2)
    busy = [replace(BUSY, at_s=float(s), rss_mib=80 + s * mib_per_s, files=36 + int(s * files_per_s)) for s in seconds]
    return Soak(busy, before=IDLE, after=replace(IDLE, at_s=600.0, rss_mib=80.0, files=22, links=2), exit_code=0)


def test_a_good_soak_passes() -> None:
    """The connections to the upstream may stay."""
    good = ten_minutes()
    assert good.faults() == []
    assert good.report().endswith("passed")


def test_what_fails_a_soak() -> None:
    """Each fault is told by name."""
    good = ten_minutes()
    assert good.after is not None
    assert "memory rose by 1.20 MiB / 10 min" in str(ten_minutes(mib_per_s=0.002).faults())
    assert "more files in the second half" in str(ten_minutes(files_per_s=0.02).faults())
    for change, told in (
        ({"connections": 1}, "connections: 1"),
        ({"calls": 1}, "calls: 1"),
        ({"streams": 1}, "streams: 1"),
        ({"tasks": 5}, "tasks: 4 before, 5 after"),
        ({"files": 23}, "files: 20 before, 21 after"),
    ):
        assert told in replace(good, after=replace(good.after, **change)).report()
    assert "no last sample" in str(replace(good, after=None).faults())
    assert replace(good, errors=["REST unary: a reset"]).faults() == ["REST unary: a reset"]
    assert "FAILED" in replace(good, deaf=["WebSocket: sleep:1"]).report()
    assert "code -9" in str(replace(good, exit_code=-9).faults())


def test_a_short_run_has_no_slope() -> None:
    """The warm-up grows; only what comes after it is judged, and only when there is enough of it."""
    short = ten_minutes(mib_per_s=0.01)
    short.samples = short.samples[:200]
    assert short.faults() == []
    assert "not judged" in short.report()


async def test_a_client_that_does_not_go_is_named() -> None:
    """With the place where it stands; the load does not wait for it."""

    async def swallows() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(61)

    async def heeds() -> None:
        await asyncio.sleep(62)

    tasks = [asyncio.create_task(swallows(), name="deaf"), asyncio.create_task(heeds(), name="good")]
    await asyncio.sleep(0)
    (found,) = await stopped(tasks, 0.05)
    assert found.startswith("deaf: ")
    assert ".swallows:" in found
    assert "sleep:" in found
    await asyncio.wait(tasks)


async def test_an_error_and_a_hang_of_a_client_are_told() -> None:
    """A call has its time; an end without an error is one too."""

    async def wrong() -> None:
        raise AssertionError("not what was asked for")

    async def hangs() -> None:
        await asyncio.Event().wait()

    async def ends() -> None:
        pass

    calls: Counter[str] = Counter()
    tasks = [
        asyncio.create_task(again("REST", wrong, calls), name="REST"),
        asyncio.create_task(again("gRPC", hangs, calls, call_s=0.01), name="gRPC"),
        asyncio.create_task(ends(), name="slow"),
    ]
    assert errors(tasks) == []
    await asyncio.wait(tasks)
    rest, rpc, slow = errors(tasks)
    assert rest.startswith("REST: ")
    assert "not what was asked for" in rest
    assert "in hangs" in rpc
    assert slow == "slow: ended"
    assert not calls


def test_a_leak_is_a_slope() -> None:
    """0.1 MiB a minute are 1 MiB in ten, a step that stays is none afterwards."""
    rising = [replace(BUSY, at_s=minute * 60.0, rss_mib=80 + 0.1 * minute) for minute in range(10)]
    assert slope_per_10_min(rising) == pytest.approx(1.0)
    assert slope_per_10_min([replace(BUSY, at_s=float(s)) for s in range(9)]) == 0


def test_a_count_that_hops_about_does_not_drift() -> None:
    """One that rises does."""
    assert drift([16, 18, 17, 16, 17, 18]) == 0
    assert drift([16, 17, 18, 19, 20, 21]) == 3
    assert drift([]) == 0


def test_a_curve_has_a_bar_per_value() -> None:
    """From the least to the greatest."""
    assert curve("x", [0, 1, 2, 3, 4, 5, 6, 7]).split() == ["x", "▁▂▃▄▅▆▇█", "0", "to", "7"]
    assert "▁▁▁" in curve("x", [3, 3, 3])


def test_a_table_has_the_first_sample_and_the_last() -> None:
    """However many there are, and when there is none."""
    lines = table([replace(BUSY, at_s=float(s)) for s in range(100)]).splitlines()
    assert (len(lines), lines[1].split()[0], lines[-1].split()[0]) == (22, "0", "99")
    assert len(table([]).splitlines()) == 1
