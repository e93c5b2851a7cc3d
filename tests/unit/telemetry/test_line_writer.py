"""Logging neither blocks nor fails: a sink that hangs or is full costs lines only."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from edge.telemetry import line_writer as module
from edge.telemetry.line_writer import LineWriter
from edge.telemetry.sink import Sink


async def test_lines_arrive_in_order_and_the_rest_at_the_end(tmp_path: Path) -> None:
    writer = LineWriter(Sink(str(tmp_path / "log")), lambda _: None)
    for number in range(1000):
        writer.write(b"%d\n" % number)
    await writer.close()
    assert (tmp_path / "log").read_bytes() == b"".join(b"%d\n" % number for number in range(1000))


async def test_a_quiet_gateways_line_is_out_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without more lines and without an end."""
    monkeypatch.setattr(module, "DELAY_S", 0.0)
    writer = LineWriter(Sink(str(tmp_path / "log")), lambda _: None)
    writer.write(b"line\n")
    async with asyncio.timeout(5):
        while (tmp_path / "log").read_bytes() != b"line\n":
            await asyncio.sleep(0.005)
    await writer.close()


async def test_of_lines_brought_together_those_that_fit_are_written_and_the_others_counted(tmp_path: Path) -> None:
    """One that does not fit does not keep a shorter one behind it from being taken."""
    lost: list[int] = []
    writer = LineWriter(Sink(str(tmp_path / "log")), lost.append, max_pending_bytes=12)
    writer.write_all([b"first\n", b"second\n", b"third\n", b"4th\n"])
    await writer.close()
    assert (tmp_path / "log").read_bytes() == b"first\nthird\n"
    assert lost == [2]


async def test_a_reader_that_takes_nothing_costs_lines_not_time(tmp_path: Path) -> None:
    """A pipe nobody reads: `write` returns, memory stays bounded, what is dropped is counted, and the end does not hang."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    lost: list[int] = []
    writer = LineWriter(Sink(str(fifo)), lost.append, max_pending_bytes=256 * 1024)
    line = b"x" * 1023 + b"\n"
    for _ in range(2000):
        writer.write(line)
    assert sum(lost) >= 2000 - (256 + 64 + 64)  # what may wait, what the pipe holds, what is being written
    await writer.close(timeout_s=0.05)
    drained = 0
    async with asyncio.timeout(10):
        while drained < (2000 - sum(lost)) * len(line):  # the thread ends once someone reads
            try:
                drained += len(os.read(reader, 1 << 20))
            except BlockingIOError:
                await asyncio.sleep(0.005)
    os.close(reader)
    for thread in threading.enumerate():
        if thread.name == "access-log":
            thread.join(5)
    assert drained == (2000 - sum(lost)) * len(line)


async def test_a_full_disk_is_counted(tmp_path: Path) -> None:
    lost: list[int] = []
    writer = LineWriter(Sink("/dev/full"), lost.append)
    writer.write(b"one\n")
    writer.write(b"two\n")
    await writer.close()
    assert sum(lost) == 2
