"""
What a service's HTTP/2 answer means as gRPC: a reply, or the refusal it comes down to.

Owns the reading of heads, trailers and resets; no state, no IO. A grpc-status decides whenever there is one; the HTTP status
speaks only for what is not gRPC. Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md (Responses, Errors)
and doc/http-grpc-status-mapping.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from edge.core.grpc_status import Code, decode_binary, decode_message, parse_code
from edge.outcome import Fault, Refusal, code_of_http
from edge.upstream.call import Header, UnaryReply
from edge.wire import session

_CODE_OF_RESET = {
    session.NO_ERROR: Code.INTERNAL,
    session.PROTOCOL_ERROR: Code.INTERNAL,
    session.INTERNAL_ERROR: Code.INTERNAL,
    session.FLOW_CONTROL_ERROR: Code.INTERNAL,
    0x4: Code.INTERNAL,  # SETTINGS_TIMEOUT
    0x6: Code.INTERNAL,  # FRAME_SIZE_ERROR
    session.REFUSED_STREAM: Code.UNAVAILABLE,
    session.CANCEL: Code.CANCELLED,
    0x9: Code.INTERNAL,  # COMPRESSION_ERROR
    0xA: Code.INTERNAL,  # CONNECT_ERROR
    session.ENHANCE_YOUR_CALM: Code.RESOURCE_EXHAUSTED,
    0xC: Code.PERMISSION_DENIED,  # INADEQUATE_SECURITY
}


_RESERVED = (b":", b"grpc-")
_USUAL = frozenset((b":status", b"content-type", b"content-length", b"grpc-status", b"grpc-message"))
"""Names that are no custom metadata: two that would be, and those of the reserved ones that are met most."""

_MEMORY = 64
"""
Heads and trailers remembered, since services say the same ones over and over: then reading one costs its hash.

A service that says another thing each time makes others be read again; what is held is bounded by what a session takes for a block.
"""


class Head(NamedTuple):
    """What a gRPC response head says."""

    metadata: tuple[Header, ...]
    gzip: bool


class Ending(NamedTuple):
    """What trailers say."""

    code: int
    text: str
    details: bytes | None
    metadata: tuple[Header, ...]


class Said(NamedTuple):
    """What an answer says around its message."""

    metadata: tuple[Header, ...]
    ending: Ending


def find(headers: Sequence[Header], name: bytes) -> bytes | None:
    """The first value of a field, or None."""
    for key, value in headers:
        if key == name:
            return value
    return None


@lru_cache(maxsize=_MEMORY)
def read_answer(headers: tuple[Header, ...], trailers: tuple[Header, ...]) -> Said | None:
    """What head and trailers of one answer say, or None when one of them is not gRPC's."""
    head, ending = read_head(headers), read_trailers(trailers)
    return None if isinstance(head, Refusal) or isinstance(ending, Refusal) else Said(head.metadata, ending)


@lru_cache(maxsize=_MEMORY)
def read_head(headers: tuple[Header, ...]) -> Head | Refusal:
    """What a response head says, or why it is not one of gRPC's."""
    return head_refusal(headers) or Head(metadata(headers), find(headers, b"grpc-encoding") == b"gzip")


def head_refusal(headers: Sequence[Header]) -> Refusal | None:
    """Why a response head is not one of gRPC's, or None when it is."""
    status = find(headers, b":status")
    content_type = find(headers, b"content-type")
    if status == b"200" and content_type is not None and _is_grpc(content_type):
        return None
    kind = (content_type or b"none").decode("latin-1")[:100]
    code = code_of_http(int(status or b"0"))
    return Refusal(Fault.UPSTREAM_HTTP_ERROR, f"HTTP status {int(status or b'0')}, content-type {kind}", code=code)


def _is_grpc(content_type: bytes) -> bool:
    lower = content_type.lower()
    return lower.startswith(b"application/grpc") and lower[16:17] in (b"", b"+", b";")


def metadata(headers: Sequence[Header]) -> tuple[Header, ...]:
    """The custom metadata of a block: without pseudo-fields, content-type and what gRPC reserves for itself."""
    return tuple([field for field in headers if field[0] not in _USUAL and not field[0].startswith(_RESERVED)])


@lru_cache(maxsize=_MEMORY)
def read_trailers(trailers: tuple[Header, ...]) -> Ending | Refusal:
    """What trailers say. No grpc-status is a malformed answer."""
    status = find(trailers, b"grpc-status")
    if status is None:
        return malformed("the answer ended without a grpc-status")
    code = parse_code(status)
    if code == Code.OK:
        return Ending(code, "", None, metadata(trailers))
    text = decode_message(find(trailers, b"grpc-message") or b"")
    details = find(trailers, b"grpc-status-details-bin")
    return Ending(code, text, None if details is None else decode_binary(details), metadata(trailers))


def conclude(
    head_metadata: Sequence[Header], trailers: Sequence[Header], message: bytes | None
) -> UnaryReply | Refusal:
    """The reply that `trailers` end; there is no metadata of a head in a trailers-only response."""
    ending = read_trailers(tuple(trailers))
    if isinstance(ending, Refusal):
        return ending
    code, text, details, custom = ending
    return UnaryReply(code, message if code == 0 else None, text, details, head_metadata, custom)


def trailers_only(headers: Sequence[Header]) -> UnaryReply | Refusal:
    """The reply of a response that is one header block."""
    if find(headers, b"grpc-status") is not None:
        return conclude((), headers, None)
    return head_refusal(headers) or malformed("the answer ended without a grpc-status")


def malformed(detail: str) -> Refusal:
    """An answer that breaks gRPC's rules."""
    return Refusal(Fault.UPSTREAM_MALFORMED, detail)


def reset_refusal(code: int) -> Refusal:
    """What a RST_STREAM of the service's means (PROTOCOL-HTTP2.md, Errors); codes it does not list are UNKNOWN."""
    return Refusal(Fault.UPSTREAM_RESET, f"RST_STREAM with code {code}", code=_CODE_OF_RESET.get(code, Code.UNKNOWN))


def deadline_exceeded() -> Refusal:
    """Our own clock ended the call."""
    return Refusal(Fault.DEADLINE_EXCEEDED)
