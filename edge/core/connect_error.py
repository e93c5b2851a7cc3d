"""
Connect's errors and ends of streams, as the JSON they travel in.

Owns both shapes. Source: https://connectrpc.com/docs/protocol (Error, Error-Detail, EndStreamResponse).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import orjson

from edge.core.connect_code import code_name
from edge.core.grpc_status import encode_binary

Header = tuple[bytes, bytes]


class Detail(NamedTuple):
    """One detail: the full name of its type, its bytes, and the same for people as JSON (None where nobody knows the type)."""

    type: str
    value: bytes
    debug: Any = None


class ConnectError(NamedTuple):
    """An error as Connect tells it; `code` is the gRPC code."""

    code: int
    message: str = ""
    details: Sequence[Detail] = ()


def error_body(error: ConnectError) -> bytes:
    """The body of a unary error."""
    return orjson.dumps(_error(error))


def end_of_stream(error: ConnectError | None, trailers: Iterable[Header]) -> bytes:
    """The EndStreamResponse; `trailers` become its metadata, several values of one name together."""
    end: dict[str, Any] = {} if error is None else {"error": _error(error)}
    metadata: dict[str, list[str]] = {}
    for name, value in trailers:
        metadata.setdefault(name.decode("ascii"), []).append(value.decode("latin-1"))
    if metadata:
        end["metadata"] = metadata
    return orjson.dumps(end)


def _error(error: ConnectError) -> dict[str, Any]:
    value: dict[str, Any] = {"code": code_name(error.code)}
    if error.message:
        value["message"] = error.message
    if error.details:
        value["details"] = [_detail(detail) for detail in error.details]
    return value


def _detail(detail: Detail) -> dict[str, Any]:
    value = {"type": detail.type, "value": encode_binary(detail.value).decode("ascii")}
    return value if detail.debug is None else {**value, "debug": detail.debug}
