"""
The shape of every error answer over REST: google.rpc.Status as JSON, with ErrorInfo, BadRequest and RetryInfo where they help.

Owns the one place where a refusal of ours or a status of the service becomes bytes, so that no client ever sees HTML, text/plain
or a bare status. Source: google/rpc/status.proto, google/rpc/error_details.proto; transcoding.md E1-E6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import orjson

from edge.core.grpc_status import Code
from edge.ingress.service import Answer, Header
from edge.outcome import Refusal, http_of_code
from edge.upstream.call import UnaryReply
from edge.wire.codec import ApiCodec

DOMAIN = "edge-gateway"
"""The ErrorInfo domain of errors the gateway itself makes; `reason` is then the fault's name."""

JSON = b"application/json"
_TYPE = "type.googleapis.com/google.rpc."
_COME_BACK_S = 1.0
"""Told to clients of what is unavailable for a time nobody knows: a worker or a connection is back sooner, as a rule."""
_NOT_CACHED = (b"cache-control", b"no-store")


def refusal_answer(refusal: Refusal) -> Answer:
    """The answer for a refusal of ours."""
    headers: list[Header] = [(b"content-type", JSON), _NOT_CACHED]
    if refusal.allow:
        headers.append((b"allow", ", ".join(refusal.allow).encode("ascii")))
    retry_after_s = retry_after_of(refusal)
    if retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % max(1, math.ceil(retry_after_s))))
    if refusal.grpc_code == Code.UNAUTHENTICATED:
        headers.append((b"www-authenticate", b"Bearer"))
    return Answer(
        refusal.http_status,
        headers,
        status_body(refusal.grpc_code, refusal.public_message, refusal_details(refusal)),
    )


def retry_after_of(refusal: Refusal) -> float | None:
    """When to come back: as the refusal says, and always when something is unavailable, for that passes."""
    if refusal.retry_after_s is None and refusal.grpc_code == Code.UNAVAILABLE:
        return _COME_BACK_S
    return refusal.retry_after_s


def refusal_details(refusal: Refusal) -> list[dict[str, Any]]:
    """The details of a refusal as JSON values with their @type; over gRPC the same ones (`grpc_ending.status_of`)."""
    retry_after_s = retry_after_of(refusal)
    details: list[dict[str, Any]] = [{"@type": _TYPE + "ErrorInfo", "reason": refusal.fault.name, "domain": DOMAIN}]
    if refusal.violations:
        violations = [{"field": v.field, "description": v.description} for v in refusal.violations]
        details.append({"@type": _TYPE + "BadRequest", "fieldViolations": violations})
    if retry_after_s is not None:
        details.append({"@type": _TYPE + "RetryInfo", "retryDelay": f"{retry_after_s:.3f}s"})
    return details


def status_body(code: int, message: str, details: Sequence[Any]) -> bytes:
    """A google.rpc.Status as JSON. `details` are JSON values or ready JSON texts (orjson.Fragment)."""
    return orjson.dumps({"code": code, "message": message, "details": details})


def error_answer(reply: UnaryReply, codec: ApiCodec, headers: Sequence[Header], status: int | None) -> Answer:
    """The answer for an error status of the service: its code, its message, its details, its own metadata as `headers`."""
    texts = codec.status_details(reply.details) if reply.details else []
    out: list[Header] = [(b"content-type", JSON), *headers]
    names = {name for name, _ in headers}
    if reply.code == Code.UNAUTHENTICATED and b"www-authenticate" not in names:
        out.append((b"www-authenticate", b"Bearer"))
    if b"retry-after" not in names and (delay_s := retry_delay_s(texts)) is not None:
        out.append((b"retry-after", b"%d" % max(1, math.ceil(delay_s))))
    body = status_body(reply.code, reply.text, [orjson.Fragment(text) for text in texts])
    return Answer(status or http_of_code(reply.code), out, body)


def retry_delay_s(details: Sequence[bytes]) -> float | None:
    """The delay of a google.rpc.RetryInfo among details in JSON, so that Retry-After can say the same."""
    for text in details:
        if b"google.rpc.RetryInfo" not in text:
            continue
        delay = orjson.loads(text).get("retryDelay", "")
        try:
            return float(delay.removesuffix("s"))
        except ValueError:
            return None
    return None
