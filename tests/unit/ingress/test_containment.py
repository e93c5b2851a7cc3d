"""There is always an answer."""

from __future__ import annotations

import json

from edge.ingress.containment import last_resort, refused
from edge.ingress.service import Answer, Head
from edge.outcome import Fault, Refusal
from tests.unit.ingress.doubles import Recorder

REFUSAL = Refusal(Fault.MALFORMED_REQUEST)


class Broken(Recorder):
    def refuse(self, head: Head | None, refusal: Refusal) -> Answer:
        raise ZeroDivisionError


def test_a_service_shapes_its_refusals() -> None:
    assert refused(Recorder(), None, REFUSAL) == Answer(400, (), b"MALFORMED_REQUEST")


def test_a_service_that_cannot_even_refuse() -> None:
    """The client still gets a google.rpc.Status, and the connection ends."""
    answer = refused(Broken(), None, REFUSAL)
    assert answer == last_resort()
    assert json.loads(answer.body)["code"] == 13
    assert answer.close
