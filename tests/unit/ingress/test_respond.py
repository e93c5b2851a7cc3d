"""Errors have one shape: google.rpc.Status as JSON, with the details that help."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edge.core.grpc_status import Code
from edge.ingress.respond import error_answer, refusal_answer, retry_delay_s
from edge.ingress.service import Answer
from edge.outcome import FAULTS, Fault, FieldViolation, Refusal
from edge.upstream.call import UnaryReply
from tests.stub_api import StubApi


class Details(StubApi):
    """A codec whose status details are given."""

    def __init__(self, *texts: bytes) -> None:
        super().__init__()
        self.texts = list(texts)

    def status_details(self, status: bytes) -> list[bytes]:
        return self.texts


def body(answer: Answer) -> Any:
    return json.loads(answer.body)


@pytest.mark.parametrize("fault", list(Fault))
def test_every_fault_is_a_status_in_json_with_its_reason(fault: Fault) -> None:
    """E4: one shape for all, and no cache keeps it."""
    answer = refusal_answer(Refusal(fault, detail="10.0.0.7 refused at pool.py:12"))
    assert answer.status == FAULTS[fault].status
    assert (b"content-type", b"application/json") in answer.headers
    assert (b"cache-control", b"no-store") in answer.headers
    told = body(answer)
    assert told["code"] == FAULTS[fault].code
    assert told["details"][0] == {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": fault.name,
        "domain": "edge-gateway",
    }
    assert b"10.0.0.7" not in answer.body, "E6: the log's detail is not the client's"


def test_wrong_fields_are_named() -> None:
    """E4: BadRequest.fieldViolations."""
    violation = FieldViolation("book.pages", "must be a number")
    details = body(refusal_answer(Refusal(Fault.INVALID_ARGUMENT, violations=(violation,))))["details"]
    assert details[1]["fieldViolations"] == [{"field": "book.pages", "description": "must be a number"}]


def test_waiting_time_is_told_twice_and_never_as_zero() -> None:
    """E4: Retry-After in whole seconds, rounded up, and RetryInfo exactly."""
    answer = refusal_answer(Refusal(Fault.UPSTREAM_UNAVAILABLE, retry_after_s=0.25))
    assert (b"retry-after", b"1") in answer.headers
    assert body(answer)["details"][-1] == {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.250s"}


@pytest.mark.parametrize("fault", [fault for fault, facts in FAULTS.items() if facts.code == Code.UNAVAILABLE])
def test_what_is_unavailable_always_says_when_to_come_back(fault: Fault) -> None:
    """E4: a reset call or a shutdown has no time of its own; one second is told."""
    answer = refusal_answer(Refusal(fault))
    assert (b"retry-after", b"1") in answer.headers
    assert body(answer)["details"][-1]["retryDelay"] == "1.000s"


def test_what_waiting_does_not_mend_has_no_time() -> None:
    assert b"retry-after" not in dict(refusal_answer(Refusal(Fault.ROUTE_NOT_FOUND)).headers)


def test_allowed_methods_are_listed() -> None:
    """P8: 405 comes with Allow."""
    assert (b"allow", b"GET, POST") in refusal_answer(Refusal(Fault.METHOD_NOT_ALLOWED, allow=("GET", "POST"))).headers


@pytest.mark.parametrize(
    ("code", "status"),
    [(1, 499), (2, 500), (3, 400), (4, 504), (5, 404), (6, 409), (7, 403), (8, 429), (9, 400), (10, 409), (11, 400),
     (12, 501), (13, 500), (14, 503), (15, 500), (16, 401), (17, 500), (99, 500)],
)  # fmt: skip
def test_a_services_code_becomes_its_http_status(code: int, status: int) -> None:
    """E1: the table, and codes nobody knows are 500."""
    answer = error_answer(UnaryReply(code, None, "no such thing"), StubApi(), [], None)
    assert (answer.status, body(answer)) == (status, {"code": code, "message": "no such thing", "details": []})


def test_unauthenticated_says_how_to_authenticate_once() -> None:
    """E1: 401 needs WWW-Authenticate; the service's own wins."""
    plain = error_answer(UnaryReply(Code.UNAUTHENTICATED, None), StubApi(), [], None)
    assert (b"www-authenticate", b"Bearer") in plain.headers
    own = error_answer(UnaryReply(Code.UNAUTHENTICATED, None), StubApi(), [(b"www-authenticate", b"Basic")], None)
    assert [value for name, value in own.headers if name == b"www-authenticate"] == [b"Basic"]


def test_a_services_details_pass_and_its_retry_info_becomes_retry_after() -> None:
    """E2, E4: details as the codec prints them."""
    retry = b'{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.5s"}'
    answer = error_answer(UnaryReply(14, None, "later", b"x"), Details(retry), [], None)
    assert body(answer)["details"] == [json.loads(retry)]
    assert (b"retry-after", b"2") in answer.headers


def test_a_service_may_choose_the_status_of_an_error() -> None:
    """H4: x-http-code."""
    assert error_answer(UnaryReply(9, None), StubApi(), [], 412).status == 412


@pytest.mark.parametrize("text", [b"{}", b'{"@type":"x/google.rpc.RetryInfo","retryDelay":"soon"}'])
def test_a_delay_that_is_none_is_left_out(text: bytes) -> None:
    assert retry_delay_s([text]) is None
