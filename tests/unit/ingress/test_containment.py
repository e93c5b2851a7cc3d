"""A service's exceptions become answers."""

from __future__ import annotations

import json

from edge.ingress.containment import Contained, last_resort
from edge.ingress.service import Answer, Call, Head
from edge.outcome import Fault, Refusal
from tests.unit.ingress.doubles import RecordedCall, Recorder, Wire, run

HEAD = Head("GET", "/", "", "1.1", (), "", secure=False, started=0.0)


class Broken(Recorder):
    def refuse(self, head: Head | None, refusal: Refusal) -> Answer:
        raise ZeroDivisionError


class BrokenCall(RecordedCall):
    def abandon(self, refusal: Refusal) -> Answer:
        raise ZeroDivisionError

    def sent(self, response_bytes: int) -> None:
        raise ZeroDivisionError


def fail(head: Head) -> Call | Answer:
    raise ZeroDivisionError


def test_a_crash_at_the_head_is_shaped_by_the_service() -> None:
    service = Recorder(begin_with=fail)
    assert Contained(service).begin(HEAD) == Answer(500, (), b"INTERNAL")


def test_a_service_that_cannot_even_refuse() -> None:
    """The client still gets a google.rpc.Status, and the connection ends."""
    answer = Contained(Broken(begin_with=fail)).begin(HEAD)
    assert answer == last_resort()
    assert isinstance(answer, Answer)
    assert json.loads(answer.body)["code"] == 13
    assert answer.close


def test_crashes_in_a_call_do_not_reach_the_connection() -> None:
    service = Recorder()
    call = BrokenCall(service, HEAD)
    assert Contained(service).abandon(call, Refusal(Fault.CANCELLED)) == last_resort()
    Contained(service).sent(call, 0)


def test_the_next_request_is_served() -> None:
    async def scenario() -> None:
        service = Recorder(begin_with=fail)
        wire = await Wire(service).send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        service.begin_with = None
        await wire.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert wire.out.count(b"HTTP/1.1 500 ") == 1
        assert wire.out.count(b"HTTP/1.1 200 ") == 1
        await wire.hang_up()

    run(scenario())
