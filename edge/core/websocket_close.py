"""
Close codes: how a call's end is told by the end of its WebSocket.

Owns the mapping: OK is 1000, every other gRPC code 4000 more than itself, in the range RFC 6455 leaves to applications; what is wrong with
the frames themselves has the code the RFC gives it. Source: RFC 6455 sections 5.5.1, 7.4.
"""

from __future__ import annotations

from edge.core.grpc_status import Code

NORMAL = 1000
GOING_AWAY = 1001
PROTOCOL_ERROR = 1002
UNSUPPORTED_DATA = 1003
POLICY_VIOLATION = 1008
TOO_BIG = 1009
INTERNAL_ERROR = 1011

OF_CODE = 4000
"""Added to a gRPC code."""

_MAX_REASON_BYTES = 123  # a control frame carries 125, two of them the code


def close_code(code: int) -> int:
    """The close code for a gRPC code."""
    return NORMAL if code == Code.OK else OF_CODE + code


def close_reason(text: str) -> str:
    """As much of a text as a close frame carries, cut between characters."""
    data = text.encode("utf-8", "replace")
    if len(data) <= _MAX_REASON_BYTES:
        return data.decode("utf-8")
    return data[: _MAX_REASON_BYTES - 3].decode("utf-8", "ignore") + "…"
