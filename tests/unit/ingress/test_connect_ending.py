"""How a call ends in Connect's words."""

from __future__ import annotations

import pytest
from google.rpc.status_pb2 import Status

from edge.core.connect_error import ConnectError, Detail
from edge.ingress.connect_ending import code_of, error_of, http_status_of
from edge.outcome import HTTP_FAULTS, Fault, Refusal
from edge.upstream.call import UnaryReply
from tests.unit.ingress.rpc_scenes import ShowingApi


def test_a_good_end_is_no_error() -> None:
    """Code 0."""
    assert error_of(UnaryReply(0, b""), ShowingApi()) is None


@pytest.mark.parametrize("fault", Fault)
def test_the_code_never_contradicts_the_status(fault: Fault) -> None:
    """Faults of HTTP keep their status and say what a client infers from it; the others say their code, and its status."""
    refusal = Refusal(fault)
    if fault in HTTP_FAULTS:
        expected = {404: 12, 405: 2, 415: 2, 505: 2}[refusal.http_status]
        assert (http_status_of(refusal), code_of(refusal)) == (refusal.http_status, expected)
    else:
        assert code_of(refusal) == refusal.grpc_code
        assert http_status_of(refusal) == Refusal(fault, code=refusal.grpc_code).http_status


def test_details_of_a_type_nobody_knows_are_bytes_only() -> None:
    """Their JSON would be the bytes again."""

    class Ignorant(ShowingApi):
        def status_details(self, status: bytes) -> list[bytes]:
            return [b'{"@type":"type.googleapis.com/a.B","value":"CAE="}']

    status = Status(code=5)
    status.details.add(type_url="type.googleapis.com/a.B", value=b"\x08\x01")
    error = error_of(UnaryReply(5, None, "m", status.SerializeToString()), Ignorant())
    assert error == ConnectError(5, "m", [Detail("a.B", b"\x08\x01")])
