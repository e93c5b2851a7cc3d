"""What a call is promised, whoever leaves first; more in test_http1 and test_http1_stream."""

from __future__ import annotations

import asyncio

from edge.ingress.containment import Contained
from edge.ingress.http1_turn import Turn
from edge.ingress.service import Answer, Answered, Head
from edge.outcome import Fault, Refusal
from tests.unit.ingress.doubles import RecordedCall, Recorder, turns

HEAD = Head("GET", "/", "", "1.1", (), "192.0.2.1", secure=False, started=0.0)


def taken(service: Recorder) -> tuple[Turn, RecordedCall, list[Answer | None]]:
    """A turn that has a call in hand, and what it says at its end."""
    ended: list[Answer | None] = []
    turn = Turn(Contained(service), asyncio.get_running_loop(), ended.append)
    call = service.begin(HEAD)
    assert isinstance(call, RecordedCall)
    turn.take(call, HEAD)
    return turn, call, ended


async def test_a_call_is_finished_then_settled() -> None:
    """It may answer at once."""
    turn, call, ended = taken(Recorder())
    turn.finish(b"body")
    assert not turn.busy
    assert [answer.status for answer in ended if answer is not None] == [200]
    turn.settle(7)
    turn.settle(8)
    assert call.events == ["finish", "sent 7"]


async def test_a_call_that_takes_its_time_is_cancelled_when_the_client_leaves() -> None:
    """And ends once."""
    turn, call, ended = taken(Recorder(finish_with=_never))
    turn.finish(b"body")
    assert turn.busy
    turn.gone()
    await turns()
    assert not turn.busy
    assert ended == [None]
    turn.settle(0)
    assert call.events == ["finish", "cancelled", "sent 0"]


class Later(RecordedCall):
    """A call that keeps whom to tell."""

    def finish(self, body: bytes, answered: Answered) -> None:
        self.answered = answered


class Twice(RecordedCall):
    """A call that answers and then fails."""

    def finish(self, body: bytes, answered: Answered) -> None:
        answered(Answer(200))
        raise ZeroDivisionError


async def test_an_answer_that_cannot_be_taken_costs_no_other_call() -> None:
    """It may come from a service's connection, which serves others: what fails here does not fail there."""

    def crash(answer: Answer | None) -> None:
        raise ZeroDivisionError

    service = Recorder()
    turn = Turn(Contained(service), asyncio.get_running_loop(), crash)
    turn.take(call := Later(service, HEAD), HEAD)
    turn.finish(b"")
    call.answered(Answer(200))
    assert not turn.busy


async def test_a_call_answers_once() -> None:
    """What it does after its answer is a bug that the client does not hear of."""
    ended: list[Answer | None] = []
    service = Recorder()
    turn = Turn(Contained(service), asyncio.get_running_loop(), ended.append)
    turn.take(Twice(service, HEAD), HEAD)
    turn.finish(b"")
    assert ended == [Answer(200)]


async def _never(head: Head, body: bytes) -> Answer:
    await asyncio.Event().wait()
    raise AssertionError


async def test_a_call_without_its_body_is_abandoned() -> None:
    turn, call, _ = taken(Recorder())
    assert turn.refuse(HEAD, Refusal(Fault.BODY_TOO_LARGE)).status == 413
    turn.settle(0)
    assert call.events == ["abandon BODY_TOO_LARGE", "sent 0"]


async def test_a_client_that_leaves_before_its_body_is_whole() -> None:
    turn, call, _ = taken(Recorder())
    turn.gone()
    assert call.events == ["abandon CANCELLED", "sent 0"]
    turn.settle(0)
    assert call.events == ["abandon CANCELLED", "sent 0"]


async def test_without_a_call_the_service_refuses() -> None:
    service = Recorder()
    turn = Turn(Contained(service), asyncio.get_running_loop(), lambda answer: None)
    turn.refuse(None, Refusal(Fault.MALFORMED_REQUEST))
    turn.gone()
    assert service.refused_heads == [None]
