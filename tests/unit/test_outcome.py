"""The fault table and the status mappings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.grpc_status import Code
from edge.outcome import FAULTS, Fault, Origin, Refusal, code_of_http, http_of_code

# transcoding.md E1, written out once more so that a slip in the table is seen.
E1 = {
    0: 200, 1: 499, 2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429,
    9: 400, 10: 409, 11: 400, 12: 501, 13: 500, 14: 503, 15: 500, 16: 401,
}  # fmt: skip


def test_every_fault_has_its_facts() -> None:
    """A fault without a row would be a KeyError in front of a client."""
    assert set(FAULTS) == set(Fault)


def test_no_fault_is_an_alias_of_another() -> None:
    assert len(Fault.__members__) == len(set(Fault))


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_is_an_error_everywhere(fault: Fault) -> None:
    """An error status, an error code, a message that ends like all others and says nothing of hosts or paths."""
    facts = FAULTS[fault]
    assert 400 <= facts.status < 600
    assert facts.code is not Code.OK
    assert facts.message
    assert not facts.message.endswith(".")
    assert "/" not in facts.message.replace("/s", "")


@pytest.mark.parametrize("fault", Fault)
def test_whose_doing_it_is_shows_in_the_status(fault: Fault) -> None:
    """What the client did wrong is 4xx (but for a protocol version, 505), the rest 5xx."""
    facts = FAULTS[fault]
    is_4xx = 400 <= facts.status < 500
    assert is_4xx == (facts.origin is Origin.DOWNSTREAM) or fault is Fault.HTTP_VERSION_UNSUPPORTED


@pytest.mark.parametrize("fault", [fault for fault in Fault if FAULTS[fault].retryable])
def test_what_may_be_retried_is_unavailable(fault: Fault) -> None:
    """A client library retries UNAVAILABLE only; and nothing is retryable that the service may have begun."""
    assert FAULTS[fault].code is Code.UNAVAILABLE
    assert fault is not Fault.UPSTREAM_RESET


@pytest.mark.parametrize(("code", "status"), E1.items())
def test_e1_http_of_code(code: int, status: int) -> None:
    assert http_of_code(code) == status


@given(st.integers(17) | st.integers(max_value=-1))
def test_e1_codes_nobody_knows_are_500(code: int) -> None:
    assert http_of_code(code) == 500


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, Code.INTERNAL),
        (401, Code.UNAUTHENTICATED),
        (403, Code.PERMISSION_DENIED),
        (404, Code.UNIMPLEMENTED),
        (429, Code.UNAVAILABLE),
        (502, Code.UNAVAILABLE),
        (503, Code.UNAVAILABLE),
        (504, Code.UNAVAILABLE),
        (200, Code.UNKNOWN),
        (302, Code.UNKNOWN),
        (500, Code.UNKNOWN),
        (999, Code.UNKNOWN),
    ],
)
def test_code_of_http_is_grpcs_own_table(status: int, code: Code) -> None:
    assert code_of_http(status) is code


def test_a_refusal_takes_its_facts_from_its_fault() -> None:
    refusal = Refusal(Fault.BODY_TOO_LARGE, detail="for the log")
    assert (refusal.http_status, refusal.grpc_code) == (413, 8)
    assert refusal.public_message == "the request body is too large"


def test_an_overriding_code_brings_its_status_and_a_message_replaces_the_public_one() -> None:
    refusal = Refusal(Fault.UPSTREAM_HTTP_ERROR, code=Code.UNAUTHENTICATED, message="sign in")
    assert (refusal.http_status, refusal.grpc_code, refusal.public_message) == (401, 16, "sign in")
