"""Errors of a document."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from edge.ingress.respond import refusal_answer
from edge.openapi.errors import error_responses, error_schemas, faults, response_components
from edge.outcome import FAULTS, Fault, FieldViolation, Refusal
from tests.openapi_contract import Contract

_CONTRACT = Contract({"components": {"schemas": error_schemas()}, "paths": {}})
_ERROR = {"$ref": "#/components/schemas/edge.Error"}


@pytest.mark.parametrize("fault", list(Fault))
def test_every_refusal_has_the_documented_shape(fault: Fault) -> None:
    """Whatever details it carries."""
    refusal = Refusal(fault, violations=(FieldViolation("a.b", "is wrong"),), retry_after_s=1.5)
    assert _CONTRACT.errors(_ERROR, orjson.loads(refusal_answer(refusal).body)) == []


@pytest.mark.parametrize(
    ("detail", "fits"),
    [
        ({"@type": "type.googleapis.com/t.Other", "anything": 1}, True),
        ({"@type": "type.googleapis.com/t.Other", "value": "AAAA"}, True),
        ({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "X"}, True),
        ({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": 1}, False),
        ({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "soon"}, False),
        ({"reason": "X"}, False),
    ],
)
def test_details(detail: Any, fits: bool) -> None:
    """The known ones are held to their fields, others may hold anything; each fits one alternative only."""
    assert (not _CONTRACT.errors(_ERROR, {"code": 3, "message": "", "details": [detail]})) is fits


def test_every_fault_belongs_somewhere() -> None:
    """A new fault is documented, unless it is said to end no call."""
    documented = faults(body=True)
    assert {fault.name for fault in set(Fault) - documented} == {
        "HEADERS_TOO_LARGE", "URI_TOO_LONG", "EXPECTATION_FAILED", "HTTP_VERSION_UNSUPPORTED", "METHOD_NOT_ALLOWED", "CANCELLED",
        "ORIGIN_REFUSED", "INTENTION_DENIED", "INTENTIONS_UNKNOWN", "UPGRADE_REQUIRED",
    }  # fmt: skip


def test_only_bodies_are_too_large() -> None:
    """Nor do requests without one have the wrong type."""
    assert Fault.BODY_TOO_LARGE in faults(body=True)
    assert Fault.BODY_TOO_LARGE not in faults(body=False)


def test_a_response_for_each_status() -> None:
    """Each refers to a component that exists; unavailability says when to come back."""
    found = faults(body=True)
    components = response_components(found)
    for status, response in error_responses(found).items():
        assert response["$ref"].rpartition("/")[2] in components, status
    assert "`OVERLOADED`" in components["Error503"]["description"]
    assert "UNAVAILABLE" in components["Error503"]["description"]
    assert "Retry-After" in components["Error503"]["headers"]
    assert "headers" not in components["Error400"]
    assert {f"Error{FAULTS[fault].status:d}" for fault in found} | {"Error"} == set(components)
