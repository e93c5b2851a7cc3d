"""
Connect's names for the gRPC status codes.

Owns the spelling. Source: https://connectrpc.com/docs/protocol (Error Codes).
"""

from __future__ import annotations

from edge.core.grpc_status import Code

_NAMES = {code.value: code.name.lower() for code in Code if code is not Code.OK} | {Code.CANCELLED.value: "canceled"}


def code_name(code: int) -> str:
    """The name of an error code; `unknown` for codes this version does not know, as clients would have it."""
    return _NAMES.get(code, "unknown")
