"""The compiler's stderr is captured and restored; what others write meanwhile is not lost."""

from __future__ import annotations

import os
import threading

import pytest

from edge.descriptors import protoc


def test_errors_come_back_as_text_and_stderr_is_restored(capfd: pytest.CaptureFixture[str]) -> None:
    code, text = protoc.run(["--no_such_flag"])
    os.write(2, b"after\n")
    assert code != 0
    assert "no_such_flag" in text
    assert capfd.readouterr().err == "after\n"


def test_no_descriptor_is_leaked() -> None:
    protoc.run(["--version"])
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        protoc.run(["--no_such_flag"])
    assert len(os.listdir("/proc/self/fd")) == before


def test_runs_in_several_threads_do_not_mix_their_errors() -> None:
    texts: dict[int, str] = {}

    def one(number: int) -> None:
        texts[number] = protoc.run([f"--flag_{number}"])[1]

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(f"flag_{number}" in text and text.count("flag_") == 1 for number, text in texts.items())


def test_one_run_waits_for_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The descriptor is the whole process's: two runs at once would restore each other's file."""
    both_inside = threading.Barrier(2)
    met: list[bool] = []

    def main(arguments: list[str]) -> int:
        try:
            both_inside.wait(timeout=0.1)
            met.append(True)
        except threading.BrokenBarrierError:
            met.append(False)
        return 0

    monkeypatch.setattr("grpc_tools.protoc.main", main)
    threads = [threading.Thread(target=protoc.run, args=([],)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert met == [False, False]


def test_lines_of_others_are_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    protoc.pass_on(["another thread's log"])
    assert capsys.readouterr().err == "another thread's log\n"


def test_a_closed_stderr_stays_closed() -> None:
    """A daemon may have no descriptor 2 at all."""
    saved = os.dup(2)
    os.close(2)
    try:
        code, text = protoc.run(["--no_such_flag"])
        with pytest.raises(OSError):
            os.fstat(2)
    finally:
        os.dup2(saved, 2)
        os.close(saved)
    assert code != 0
    assert "no_such_flag" in text
