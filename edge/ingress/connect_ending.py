"""
How a call ends in Connect's words: an error with its details, for the service's answers and for refusals of ours.

Owns what a detail shows: its type and bytes for programs, and for people the same as JSON where the API's descriptors (or we) know it.
Source: https://connectrpc.com/docs/protocol (Error-Detail).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status

from edge.core.connect_error import ConnectError, Detail
from edge.ingress.grpc_ending import status_of
from edge.ingress.respond import refusal_details
from edge.outcome import HTTP_FAULTS, Refusal, code_of_http, http_of_code
from edge.upstream.call import UnaryReply
from edge.wire.codec import ApiCodec


def error_of(outcome: UnaryReply | Refusal, codec: ApiCodec | None) -> ConnectError | None:
    """The error of an ending, None for a good one. `codec` knows the details' types."""
    if isinstance(outcome, Refusal):
        status = status_of(outcome)
        return ConnectError(code_of(outcome), outcome.public_message, _details(status, refusal_details(outcome)))
    if outcome.code == 0:
        return None
    if outcome.details is None or codec is None:
        return ConnectError(outcome.code, outcome.text)
    texts = [orjson.loads(text) for text in codec.status_details(outcome.details)]
    return ConnectError(outcome.code, outcome.text, _details(_status(outcome.details), texts))


def code_of(refusal: Refusal) -> int:
    """
    The code of a refusal.

    Where it is the HTTP that is wrong, the one a client infers from the status alone: the body must not say another.
    """
    return code_of_http(refusal.http_status) if refusal.fault in HTTP_FAULTS else refusal.grpc_code


def http_status_of(outcome: UnaryReply | Refusal) -> int:
    """The HTTP status of a unary error (the protocol's table is google.rpc's)."""
    if isinstance(outcome, UnaryReply):
        return http_of_code(outcome.code)
    return outcome.http_status if outcome.fault in HTTP_FAULTS else http_of_code(outcome.grpc_code)


def _status(data: bytes) -> Status:
    try:
        return Status.FromString(data)
    except DecodeError:
        return Status()


def _details(status: Status, debugs: Sequence[dict[str, Any]]) -> list[Detail]:
    if len(debugs) != len(status.details):
        debugs = [{}] * len(status.details)
    return [
        Detail(any_.type_url.rpartition("/")[2], any_.value, _debug(debug))
        for any_, debug in zip(status.details, debugs, strict=True)
    ]


def _debug(value: dict[str, Any]) -> dict[str, Any] | None:
    """A detail's JSON without what is said already; nothing for types nobody knows, whose JSON is the bytes again."""
    rest = {name: part for name, part in value.items() if name != "@type"}
    return None if set(rest) <= {"value"} else rest
