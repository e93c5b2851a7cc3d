"""
How a call can end: faults, the one table of their facts, and the shapes in which a refusal is told.

Owns: every HTTP status and gRPC code the gateway itself may answer with. No status number stands outside this file.
A refusal is a value that travels back through the pipeline; exceptions are for bugs.
Source: google/rpc/code.proto (HTTP mapping), https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus

from edge.core.grpc_status import Code

CLIENT_CLOSED_REQUEST = 499
"""nginx's status for a client that went away; google/rpc/code.proto maps CANCELLED to it. It is not in http.HTTPStatus."""

OK, NO_CONTENT, NOT_MODIFIED = HTTPStatus.OK.value, HTTPStatus.NO_CONTENT.value, HTTPStatus.NOT_MODIFIED.value
"""
The statuses of answers that are no errors and that the gateway gives of its own accord.

As plain integers: an enum's member costs each log line a call of its `value`.
"""

SWITCHING_PROTOCOLS = HTTPStatus.SWITCHING_PROTOCOLS
"""The status of a WebSocket over HTTP/1.1, whatever becomes of it; over HTTP/2 it is OK."""


class Origin(Enum):
    """Whose doing a fault is: the breaker counts UPSTREAM only, an operator is paged for GATEWAY."""

    DOWNSTREAM = auto()
    GATEWAY = auto()
    UPSTREAM = auto()


class Fault(Enum):
    """
    A way for a call to fail before, or instead of, an answer from the service.

    Members carry no facts: equal values would silently become aliases. The facts stand in FAULTS.
    """

    MALFORMED_REQUEST = auto()
    HEADERS_TOO_LARGE = auto()
    URI_TOO_LONG = auto()
    BODY_TOO_LARGE = auto()
    REQUEST_TIMEOUT = auto()
    EXPECTATION_FAILED = auto()
    HTTP_VERSION_UNSUPPORTED = auto()
    ROUTE_NOT_FOUND = auto()
    RPC_UNKNOWN = auto()
    METHOD_NOT_ALLOWED = auto()
    MEDIA_TYPE_UNSUPPORTED = auto()
    MESSAGE_CODING_UNSUPPORTED = auto()
    ORIGIN_REFUSED = auto()
    INTENTION_DENIED = auto()
    INTENTIONS_UNKNOWN = auto()
    UPGRADE_REQUIRED = auto()
    INVALID_ARGUMENT = auto()
    CANCELLED = auto()
    DEADLINE_EXCEEDED = auto()
    OVERLOADED = auto()
    SHUTTING_DOWN = auto()
    NOT_READY = auto()
    STREAM_IDLE = auto()
    UPSTREAM_UNAVAILABLE = auto()
    UPSTREAM_RESET = auto()
    UPSTREAM_MALFORMED = auto()
    UPSTREAM_HTTP_ERROR = auto()
    RESPONSE_TOO_LARGE = auto()
    INTERNAL = auto()


@dataclass(frozen=True, slots=True)
class FaultFacts:
    """
    What is true of a fault wherever it happens.

    `message` is what the client reads; it names no host, path or stack. `retryable` says that the service has surely not
    begun the call, so that the same request may be sent again.
    """

    origin: Origin
    code: Code
    status: int
    message: str
    retryable: bool = False


_D, _G, _U = Origin.DOWNSTREAM, Origin.GATEWAY, Origin.UPSTREAM
_S = HTTPStatus

FAULTS: dict[Fault, FaultFacts] = {
    Fault.MALFORMED_REQUEST: FaultFacts(
        _D, Code.INVALID_ARGUMENT, _S.BAD_REQUEST, "the request is not well-formed HTTP"
    ),
    Fault.HEADERS_TOO_LARGE: FaultFacts(
        _D, Code.RESOURCE_EXHAUSTED, _S.REQUEST_HEADER_FIELDS_TOO_LARGE, "the request's header fields are too large"
    ),
    Fault.URI_TOO_LONG: FaultFacts(
        _D, Code.INVALID_ARGUMENT, _S.REQUEST_URI_TOO_LONG, "the request target is too long"
    ),
    Fault.BODY_TOO_LARGE: FaultFacts(
        _D, Code.RESOURCE_EXHAUSTED, _S.REQUEST_ENTITY_TOO_LARGE, "the request body is too large"
    ),
    Fault.REQUEST_TIMEOUT: FaultFacts(
        _D, Code.DEADLINE_EXCEEDED, _S.REQUEST_TIMEOUT, "the request did not arrive in time"
    ),
    Fault.EXPECTATION_FAILED: FaultFacts(
        _D, Code.INVALID_ARGUMENT, _S.EXPECTATION_FAILED, "the only expectation understood is 100-continue"
    ),
    Fault.HTTP_VERSION_UNSUPPORTED: FaultFacts(
        _D, Code.INVALID_ARGUMENT, _S.HTTP_VERSION_NOT_SUPPORTED, "the HTTP version is not supported"
    ),
    Fault.ROUTE_NOT_FOUND: FaultFacts(_D, Code.NOT_FOUND, _S.NOT_FOUND, "no route matches this path"),
    Fault.RPC_UNKNOWN: FaultFacts(_D, Code.UNIMPLEMENTED, _S.NOT_FOUND, "no such method is exposed"),
    Fault.METHOD_NOT_ALLOWED: FaultFacts(
        _D, Code.UNIMPLEMENTED, _S.METHOD_NOT_ALLOWED, "the path exists, but not for this method"
    ),
    Fault.MEDIA_TYPE_UNSUPPORTED: FaultFacts(
        _D, Code.INVALID_ARGUMENT, _S.UNSUPPORTED_MEDIA_TYPE, "the content type or coding of the body is not supported"
    ),
    Fault.MESSAGE_CODING_UNSUPPORTED: FaultFacts(
        _D, Code.UNIMPLEMENTED, _S.UNSUPPORTED_MEDIA_TYPE, "the compression of the messages is not supported"
    ),
    Fault.ORIGIN_REFUSED: FaultFacts(
        _D, Code.PERMISSION_DENIED, _S.FORBIDDEN, "the API is not open to pages of this origin"
    ),
    Fault.INTENTION_DENIED: FaultFacts(
        _D, Code.PERMISSION_DENIED, _S.FORBIDDEN, "the mesh's intentions do not allow this call"
    ),
    Fault.INTENTIONS_UNKNOWN: FaultFacts(
        _G, Code.UNAVAILABLE, _S.SERVICE_UNAVAILABLE, "the mesh's intentions are not known yet", retryable=True
    ),
    Fault.UPGRADE_REQUIRED: FaultFacts(
        _D, Code.INVALID_ARGUMENT, _S.UPGRADE_REQUIRED, "only version 13 of the WebSocket protocol is spoken here"
    ),
    Fault.INVALID_ARGUMENT: FaultFacts(
        _D, Code.INVALID_ARGUMENT, _S.BAD_REQUEST, "the request does not fit the method"
    ),
    Fault.CANCELLED: FaultFacts(_D, Code.CANCELLED, CLIENT_CLOSED_REQUEST, "the client went away"),
    Fault.DEADLINE_EXCEEDED: FaultFacts(
        _U, Code.DEADLINE_EXCEEDED, _S.GATEWAY_TIMEOUT, "the deadline passed before the service answered"
    ),
    Fault.OVERLOADED: FaultFacts(
        _G, Code.UNAVAILABLE, _S.SERVICE_UNAVAILABLE, "the gateway is overloaded", retryable=True
    ),
    Fault.SHUTTING_DOWN: FaultFacts(
        _G, Code.UNAVAILABLE, _S.SERVICE_UNAVAILABLE, "the gateway is shutting down", retryable=True
    ),
    Fault.NOT_READY: FaultFacts(
        _G, Code.UNAVAILABLE, _S.SERVICE_UNAVAILABLE, "the API's description is not loaded yet", retryable=True
    ),
    Fault.STREAM_IDLE: FaultFacts(
        _G, Code.UNAVAILABLE, _S.GATEWAY_TIMEOUT, "nothing moved on the stream for longer than it may rest"
    ),
    Fault.UPSTREAM_UNAVAILABLE: FaultFacts(
        _U, Code.UNAVAILABLE, _S.SERVICE_UNAVAILABLE, "the service cannot be reached", retryable=True
    ),
    Fault.UPSTREAM_RESET: FaultFacts(
        _U, Code.UNAVAILABLE, _S.SERVICE_UNAVAILABLE, "the service ended the call before it answered"
    ),
    Fault.UPSTREAM_MALFORMED: FaultFacts(
        _U, Code.INTERNAL, _S.INTERNAL_SERVER_ERROR, "the service's answer could not be understood"
    ),
    Fault.UPSTREAM_HTTP_ERROR: FaultFacts(
        _U, Code.UNKNOWN, _S.INTERNAL_SERVER_ERROR, "the service answered with something other than gRPC"
    ),
    Fault.RESPONSE_TOO_LARGE: FaultFacts(
        _U, Code.RESOURCE_EXHAUSTED, _S.INTERNAL_SERVER_ERROR, "the service's answer is larger than the limit"
    ),
    Fault.INTERNAL: FaultFacts(_G, Code.INTERNAL, _S.INTERNAL_SERVER_ERROR, "the gateway failed to handle the request"),
}

HTTP_FAULTS = frozenset(
    (Fault.RPC_UNKNOWN, Fault.METHOD_NOT_ALLOWED, Fault.MEDIA_TYPE_UNSUPPORTED, Fault.HTTP_VERSION_UNSUPPORTED)
)
"""Faults of the HTTP around a call, by which a client sees that it speaks to the wrong place: they keep their HTTP status in Connect."""

_HTTP_OF_CODE: dict[int, int] = {
    Code.OK: _S.OK,
    Code.CANCELLED: CLIENT_CLOSED_REQUEST,
    Code.UNKNOWN: _S.INTERNAL_SERVER_ERROR,
    Code.INVALID_ARGUMENT: _S.BAD_REQUEST,
    Code.DEADLINE_EXCEEDED: _S.GATEWAY_TIMEOUT,
    Code.NOT_FOUND: _S.NOT_FOUND,
    Code.ALREADY_EXISTS: _S.CONFLICT,
    Code.PERMISSION_DENIED: _S.FORBIDDEN,
    Code.RESOURCE_EXHAUSTED: _S.TOO_MANY_REQUESTS,
    Code.FAILED_PRECONDITION: _S.BAD_REQUEST,
    Code.ABORTED: _S.CONFLICT,
    Code.OUT_OF_RANGE: _S.BAD_REQUEST,
    Code.UNIMPLEMENTED: _S.NOT_IMPLEMENTED,
    Code.INTERNAL: _S.INTERNAL_SERVER_ERROR,
    Code.UNAVAILABLE: _S.SERVICE_UNAVAILABLE,
    Code.DATA_LOSS: _S.INTERNAL_SERVER_ERROR,
    Code.UNAUTHENTICATED: _S.UNAUTHORIZED,
}

_CODE_OF_HTTP: dict[int, Code] = {
    _S.BAD_REQUEST: Code.INTERNAL,
    _S.UNAUTHORIZED: Code.UNAUTHENTICATED,
    _S.FORBIDDEN: Code.PERMISSION_DENIED,
    _S.NOT_FOUND: Code.UNIMPLEMENTED,
    _S.TOO_MANY_REQUESTS: Code.UNAVAILABLE,
    _S.BAD_GATEWAY: Code.UNAVAILABLE,
    _S.SERVICE_UNAVAILABLE: Code.UNAVAILABLE,
    _S.GATEWAY_TIMEOUT: Code.UNAVAILABLE,
}


def http_of_code(code: int) -> int:
    """The HTTP status for a gRPC code (google/rpc/code.proto); codes this version does not know are 500."""
    return _HTTP_OF_CODE.get(code, _S.INTERNAL_SERVER_ERROR)


def code_of_http(status: int) -> Code:
    """The gRPC code for an HTTP status from something that does not speak gRPC (http-grpc-status-mapping.md)."""
    return _CODE_OF_HTTP.get(status, Code.UNKNOWN)


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One wrong field of a request, as google.rpc.BadRequest.FieldViolation: its proto path and what is wrong with it."""

    field: str
    description: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    A call that ends here, and why.

    `detail` is for the log. `message` replaces the fault's public message where the client needs to know more.
    `code` replaces the fault's own where an upstream's HTTP status decides it. `allow` lists the methods
    of a 405. `retry_after_s` becomes Retry-After and google.rpc.RetryInfo.
    """

    fault: Fault
    detail: str = ""
    message: str | None = None
    violations: tuple[FieldViolation, ...] = ()
    retry_after_s: float | None = None
    allow: tuple[str, ...] = ()
    code: int | None = None

    @property
    def grpc_code(self) -> int:
        """The gRPC code of the answer."""
        return FAULTS[self.fault].code if self.code is None else self.code

    @property
    def http_status(self) -> int:
        """The HTTP status of the answer; an overriding code brings its own."""
        return FAULTS[self.fault].status if self.code is None else http_of_code(self.code)

    @property
    def public_message(self) -> str:
        """What the client reads."""
        return FAULTS[self.fault].message if self.message is None else self.message
