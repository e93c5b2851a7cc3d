"""How a call ends in gRPC's words."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from google.protobuf import json_format

from edge.ingress.grpc_ending import status_of, trailers_of
from edge.ingress.respond import refusal_answer
from edge.outcome import Fault, FieldViolation, Refusal
from edge.upstream.call import UnaryReply
from tests.unit.ingress.rpc_scenes import fields


@pytest.mark.parametrize("fault", Fault)
def test_a_refusal_says_what_it_says_in_rest(fault: Fault) -> None:
    """Code, message and every detail, whatever the fault."""
    violation = FieldViolation("a.b", "is wrong")
    for refusal in (Refusal(fault), Refusal(fault, message="m", violations=(violation,), retry_after_s=1.5)):
        rest: Any = orjson.loads(refusal_answer(refusal).body)
        grpc = json_format.MessageToDict(status_of(refusal))
        assert (grpc.get("code", 0), grpc["message"]) == (rest["code"], rest["message"])
        assert [_same(detail) for detail in grpc["details"]] == [_same(detail) for detail in rest["details"]]


def _same(detail: dict[str, Any]) -> dict[str, Any]:
    """`1s` and `1.000s` are one duration."""
    delay = detail.get("retryDelay")
    return detail if delay is None else {**detail, "retryDelay": float(delay.removesuffix("s"))}


def test_an_ending_of_the_service_s_keeps_all_it_said_but_reserved_names() -> None:
    """A service cannot overwrite the status with a trailer of its own."""
    trailers = ((b"x-a", b"1"), (b"grpc-status", b"0"), (b"connection", b"close"), (b"x-b", b"a\r\nb"))
    told = fields(trailers_of(UnaryReply(7, None, "a\nb", b"\x01", (), trailers)))
    assert told == {"grpc-status": "7", "grpc-message": "a%0Ab", "grpc-status-details-bin": "AQ", "x-a": "1"}
    assert fields(trailers_of(UnaryReply(0, b"", "ignored", b"\x01", (), trailers))) == {"grpc-status": "0", "x-a": "1"}
