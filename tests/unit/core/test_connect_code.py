"""Connect's names of the codes."""

from __future__ import annotations

from edge.core.connect_code import code_name
from edge.core.grpc_status import Code


def test_names_are_those_of_the_protocol() -> None:
    """One l in canceled."""
    assert [code_name(code) for code in Code if code] == [
        "canceled",
        "unknown",
        "invalid_argument",
        "deadline_exceeded",
        "not_found",
        "already_exists",
        "permission_denied",
        "resource_exhausted",
        "failed_precondition",
        "aborted",
        "out_of_range",
        "unimplemented",
        "internal",
        "unavailable",
        "data_loss",
        "unauthenticated",
    ]


def test_a_code_nobody_knows_is_unknown() -> None:
    """A service may use a newer one, and 0 is no error."""
    assert (code_name(77), code_name(0)) == ("unknown", "unknown")
