"""What workers say and what is understood of it."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.runtime.report import Reports, ToOperator, ToSupervisor


def test_what_a_worker_says_reaches_its_supervisor() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        reporter, reports = ToSupervisor(theirs), Reports()
        reporter.ready()
        reporter.failed("line one\nline two")
        for byte in ours.recv(1000):  # in whatever pieces it comes
            reports.feed(bytes((byte,)))
        assert reports.ready
        assert reports.failure == "line one\nline two"


def test_a_supervisor_that_is_gone_is_no_error() -> None:
    ours, theirs = socket.socketpair()
    ours.close()
    with theirs:
        ToSupervisor(theirs).ready()


@given(st.binary())
def test_nothing_that_a_broken_worker_sends_is_an_error(data: bytes) -> None:
    reports = Reports()
    reports.feed(data + b"\n[1]\nnull\n{}\n")
    assert reports.ready is False


def test_without_supervisor_problems_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    ToOperator().failed("what is wrong")
    assert capsys.readouterr().err == "what is wrong\n"
