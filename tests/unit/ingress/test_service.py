"""What a head tells, and a call run from a coroutine."""

from __future__ import annotations

import asyncio

import pytest

from edge.ingress.service import Answer, Head, answer_to
from tests.unit.ingress.doubles import RecordedCall, Recorder, turns


def test_the_first_value_of_a_header_counts_and_other_headers_are_other_values() -> None:
    """Also in what is remembered of them: a cookie that was taken away must not be found again."""
    head = Head("GET", "/", "", "1.1", [(b"a", b"1"), (b"a", b"2"), (b"cookie", b"c")], "", secure=False, started=0.0)
    assert (head.get(b"a"), head.get(b"cookie"), head.get(b"b")) == ("1", "c", "")
    stripped = head.with_headers([(b"a", b"3")])
    assert (stripped.get(b"a"), stripped.get(b"cookie"), stripped.method) == ("3", "", "GET")


async def test_an_awaited_call_answers_and_is_cancelled_with_its_awaiter() -> None:
    """Commands and tests have coroutines."""

    async def never(head: Head, body: bytes) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    head = Head("GET", "/", "", "1.1", (), "", secure=False, started=0.0)
    assert (await answer_to(RecordedCall(Recorder(), head), b"")).status == 200
    call = RecordedCall(Recorder(finish_with=never), head)
    running = asyncio.ensure_future(answer_to(call, b""))
    await turns()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await turns()
    assert call.events == ["finish", "cancelled"]
