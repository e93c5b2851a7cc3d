"""
Errors in the form that generated Google clients read: `{"error": {"code": <HTTP status>, "message", "status", "details"}}`.

Owns who gets it: a client that sends `X-Goog-Api-Client`, as every generated one does; without the envelope it would report each
failure as "unknown error" and lose its details. Everyone else gets the google.rpc.Status bare.
Source: https://google.aip.dev/193 (HTTP/1.1+JSON representation); google.api_core.exceptions.from_http_response.
"""

from __future__ import annotations

import orjson

from edge.core.grpc_status import Code
from edge.ingress.service import Answer, Head

_NAMES = {code.value: code.name for code in Code}


def for_client(answer: Answer, head: Head) -> Answer:
    """An error answer whose body is a google.rpc.Status, as the client that sent `head` reads it."""
    return _enveloped(answer) if head.get(b"x-goog-api-client") else answer


def _enveloped(answer: Answer) -> Answer:
    told = orjson.loads(answer.body)
    error = {
        "code": int(answer.status),
        "message": told["message"],
        "status": _NAMES.get(told["code"], Code.UNKNOWN.name),
        "details": told["details"],
    }
    return Answer(answer.status, answer.headers, orjson.dumps({"error": error}), answer.close)
