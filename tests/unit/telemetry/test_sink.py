"""Files that move, pipes that close, disks that fill."""

from __future__ import annotations

import os
import resource
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.telemetry.sink import Sink, chunks


def test_lines_are_appended(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"old\n")
    sink = Sink(str(path))
    assert sink.write([b"new\n", b"er\n"]) == 0
    sink.close()
    assert path.read_bytes() == b"old\nnew\ner\n"


def test_a_file_that_was_moved_away_is_followed_by_a_new_one(tmp_path: Path) -> None:
    """logrotate without a signal."""
    path = tmp_path / "log"
    sink = Sink(str(path))
    sink.write([b"one\n"])
    path.rename(tmp_path / "log.1")
    sink.write([b"two\n"])
    sink.close()
    assert ((tmp_path / "log.1").read_bytes(), path.read_bytes()) == (b"one\n", b"two\n")


def test_asked_to_reopen_it_does(tmp_path: Path) -> None:
    """Even where nothing shows that the file was moved: the path is opened anew, once."""
    sink = Sink(str(tmp_path / "log"))
    before = sink._fd
    sink.reopen()
    assert sink.write([b"one\n"]) == 0
    after = sink._fd
    assert after != before
    assert sink.write([b"two\n"]) == 0
    assert sink._fd == after
    sink.close()
    assert (tmp_path / "log").read_bytes() == b"one\ntwo\n"


def test_while_no_new_file_can_be_opened_the_old_one_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    sink = Sink(str(folder / "log"))
    folder.rename(tmp_path / "moved")
    assert sink.write([b"one\n"]) == 0
    sink.close()
    assert (tmp_path / "moved" / "log").read_bytes() == b"one\n"


def test_a_full_disk_costs_lines() -> None:
    sink = Sink("/dev/full")
    assert sink.write([b"one\n", b"two\n"]) == 2
    sink.close()


@contextmanager
def _largest_file(size: int) -> Iterator[None]:
    """A disk that is full after so many bytes, for this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


def test_a_line_cut_off_by_a_full_disk_spoils_no_other(tmp_path: Path) -> None:
    """The torn line is counted, ended, and the next is whole."""
    sink = Sink(str(tmp_path / "log"))
    with _largest_file(6):
        assert sink.write([b"aaa\n", b"bbb\n", b"ccc\n"]) == 2
        assert sink.write([b"ddd\n"]) == 1
    assert sink.write([b"eee\n"]) == 0
    sink.close()
    assert (tmp_path / "log").read_bytes() == b"aaa\nbb\neee\n"


def test_a_closed_pipe_costs_lines(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    sink = Sink(str(fifo))
    os.close(reader)
    assert sink.write([b"one\n"]) == 1
    sink.close()


def test_a_file_that_cannot_be_opened_at_the_start_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Sink(str(tmp_path / "no" / "log"))


def test_standard_output_is_written_and_stays_open(capfd: pytest.CaptureFixture[str]) -> None:
    sink = Sink("-")
    assert sink.write([b"line\n"]) == 0
    sink.close()
    os.fstat(1)
    assert capfd.readouterr().out == "line\n"


@given(st.lists(st.binary(max_size=20).map(lambda text: text.replace(b"\n", b"") + b"\n")), st.integers(1, 50))
def test_chunks_are_whole_lines_in_order_and_no_larger_than_may_be(lines: list[bytes], limit: int) -> None:
    groups = list(chunks(lines, limit))
    assert [line for group in groups for line in group] == lines
    assert all(sum(map(len, group)) <= limit or len(group) == 1 for group in groups)


def test_pipes_get_no_more_at_once_than_other_writers_may_not_tear(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    sink = Sink(str(fifo))
    assert sink._chunk_bytes == select.PIPE_BUF
    sink.close()
    os.close(reader)
