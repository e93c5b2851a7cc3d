"""What a call is promised, whoever leaves first, and that its bugs stay its own; more in test_http1 and test_http1_stream."""

from __future__ import annotations

import asyncio

from edge.ingress.containment import last_resort
from edge.ingress.service import Answer, Answered, AnswerSink, BodySource, Call, Head, StreamCall
from edge.ingress.turn import Turn
from edge.outcome import Fault, Refusal
from tests.unit.ingress.doubles import RecordedCall, Recorder, Wire, run, turns

HEAD = Head("GET", "/", "", "1.1", (), "192.0.2.1", secure=False, started=0.0)


def taken(service: Recorder) -> tuple[Turn, RecordedCall, list[Answer | None]]:
    """A turn that has a call in hand, and what it says at its end."""
    ended: list[Answer | None] = []
    turn = Turn(service, asyncio.get_running_loop(), ended.append)
    call = turn.begin(HEAD)
    assert isinstance(call, RecordedCall)
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
    turn = Turn(service, asyncio.get_running_loop(), crash)
    service.begin_with = lambda head: Later(service, head)
    call = turn.begin(HEAD)
    assert isinstance(call, Later)
    turn.finish(b"")
    call.answered(Answer(200))
    assert not turn.busy


async def test_a_call_answers_once() -> None:
    """What it does after its answer is a bug that the client does not hear of."""
    ended: list[Answer | None] = []
    service = Recorder()
    service.begin_with = lambda head: Twice(service, head)
    turn = Turn(service, asyncio.get_running_loop(), ended.append)
    turn.begin(HEAD)
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
    turn = Turn(service, asyncio.get_running_loop(), lambda answer: None)
    turn.refuse(None, Refusal(Fault.MALFORMED_REQUEST))
    turn.gone()
    assert service.refused_heads == [None]


async def test_a_head_that_is_answered_at_once_leaves_nothing_in_hand() -> None:
    service = Recorder(begin_with=lambda head: Answer(404))
    turn = Turn(service, asyncio.get_running_loop(), lambda answer: None)
    assert turn.begin(HEAD) == Answer(404)
    assert turn.head is None


def fail(head: Head) -> Call | StreamCall | Answer:
    raise ZeroDivisionError


class Broken(RecordedCall):
    """A call that fails whatever it is told."""

    def finish(self, body: bytes, answered: Answered) -> None:
        raise ZeroDivisionError

    def cancel(self) -> None:
        self.events.append("cancel")
        raise ZeroDivisionError

    def abandon(self, refusal: Refusal) -> Answer:
        raise ZeroDivisionError

    def sent(self, response_bytes: int) -> None:
        self.events.append(f"sent {response_bytes}")
        raise ZeroDivisionError


class Hung(Broken):
    """One that does not answer before it is cancelled."""

    def finish(self, body: bytes, answered: Answered) -> None:
        """Say nothing."""


def broken(kind: type[Broken]) -> tuple[Turn, Broken, list[Answer | None]]:
    service, ended = Recorder(), list[Answer | None]()
    service.begin_with = lambda head: kind(service, head)
    turn = Turn(service, asyncio.get_running_loop(), ended.append)
    call = turn.begin(HEAD)
    assert isinstance(call, Broken)
    return turn, call, ended


async def test_a_crash_at_the_head_is_shaped_by_the_service() -> None:
    turn = Turn(Recorder(begin_with=fail), asyncio.get_running_loop(), lambda answer: None)
    assert turn.begin(HEAD) == Answer(500, (), b"INTERNAL")


async def test_a_call_that_crashes_is_answered_and_settled() -> None:
    turn, call, ended = broken(Broken)
    turn.finish(b"")
    assert ended == [Answer(500, (), b"INTERNAL")]
    turn.settle(3)
    assert call.events == ["sent 3"]


async def test_a_call_that_crashes_at_being_abandoned_is_answered() -> None:
    turn, _, _ = broken(Broken)
    assert turn.refuse(HEAD, Refusal(Fault.CANCELLED)) == last_resort()


async def test_a_call_that_crashes_at_being_cancelled_costs_nobody_else() -> None:
    """Who leaves is told nothing; the connection's own end goes on."""
    turn, call, _ = broken(Hung)
    turn.finish(b"")
    turn.gone()
    assert call.events == ["cancel"]


async def test_a_call_that_crashes_when_its_client_leaves_early_is_settled() -> None:
    turn, call, _ = broken(Broken)
    turn.gone()
    assert call.events == ["sent 0"]


async def test_a_streaming_call_that_crashes_ends() -> None:
    """And leaves its answer open, which the protocol handler then aborts."""
    ended: list[Answer | None] = []

    async def crash(body: BodySource, answer: AnswerSink) -> None:
        raise ZeroDivisionError

    turn = Turn(Recorder(stream_with=crash), asyncio.get_running_loop(), ended.append)
    turn.begin(HEAD)
    turn.run(Nothing(), Nowhere())
    await turns()
    assert ended == [None]
    assert not turn.busy


class Nothing:
    async def read(self) -> bytes:
        return b""


class Nowhere:
    def start(self, status: int, headers: object) -> None:
        raise AssertionError

    async def write(self, data: bytes) -> None:
        raise AssertionError

    def end(self, trailers: object = ()) -> None:
        raise AssertionError

    def abort(self) -> None:
        raise AssertionError


def test_after_a_crash_the_next_request_is_served() -> None:
    async def scenario() -> None:
        service = Recorder(begin_with=fail)
        wire = await Wire(service).send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        service.begin_with = None
        await wire.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert wire.out.count(b"HTTP/1.1 500 ") == 1
        assert wire.out.count(b"HTTP/1.1 200 ") == 1
        await wire.hang_up()

    run(scenario())
