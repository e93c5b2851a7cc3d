"""
Errors as a document tells of them: google.rpc.Status, and the statuses a call can end with.

Owns which faults of the one table belong to which operations; a fault added there is documented without a change here. Whatever else
a service answers with has the same shape and is covered by `default`.
Source: edge.outcome.FAULTS; google/rpc/status.proto, google/rpc/error_details.proto.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from edge.core.grpc_status import Code
from edge.openapi.references import reference
from edge.openapi.source import Json
from edge.outcome import FAULTS, Fault, http_of_code

_TYPE = "type.googleapis.com/google.rpc."
_BEFORE_ANY_CALL = frozenset(
    {
        Fault.HEADERS_TOO_LARGE,
        Fault.URI_TOO_LONG,
        Fault.EXPECTATION_FAILED,
        Fault.HTTP_VERSION_UNSUPPORTED,
        Fault.METHOD_NOT_ALLOWED,
        Fault.CANCELLED,
        Fault.ORIGIN_REFUSED,
        Fault.INTENTION_DENIED,
        Fault.INTENTIONS_UNKNOWN,
        Fault.UPGRADE_REQUIRED,
    }
)
"""Ends of requests that never became a call of an operation, or that nobody is left to read."""
_WITH_BODY = frozenset({Fault.BODY_TOO_LARGE, Fault.REQUEST_TIMEOUT, Fault.MEDIA_TYPE_UNSUPPORTED})
_COMMON = frozenset(Fault) - _BEFORE_ANY_CALL - _WITH_BODY


def faults(*, body: bool) -> frozenset[Fault]:
    """The faults a call can end with; `body`: its request may have one."""
    return _COMMON | _WITH_BODY if body else _COMMON


def error_responses(found: Collection[Fault]) -> Json:
    """The responses of an operation: a reference for each status, and `default` for what a service may answer besides."""
    statuses = sorted({int(FAULTS[fault].status) for fault in found})
    responses = {str(status): _reference(f"Error{status}") for status in statuses}
    return responses | {"default": _reference("Error")}


def _reference(name: str) -> Json:
    return {"$ref": f"#/components/responses/{name}"}


def response_components(found: Iterable[Fault]) -> Json:
    """The `components.responses` that the faults of all operations need."""
    by_status: dict[int, list[Fault]] = {}
    for fault in sorted(found, key=lambda fault: fault.value):
        by_status.setdefault(int(FAULTS[fault].status), []).append(fault)
    components = {f"Error{status}": _response(status, by_status[status]) for status in sorted(by_status)}
    components["Error"] = {"description": "Any other error, of the service or the gateway.", **_content()}
    return components


def _response(status: int, found: Collection[Fault]) -> Json:
    lines = [f"- {FAULTS[fault].message} (`{fault.name}`)" for fault in found]
    codes = [code.name for code in Code if code is not Code.OK and http_of_code(code) == status]
    if codes:
        lines.append(f"- the service answered {' or '.join(codes)}")
    response: Json = {"description": "\n".join(lines)}
    if any(FAULTS[fault].code == Code.UNAVAILABLE for fault in found):
        response["headers"] = {
            "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
        }
    return response | _content()


def _content() -> Json:
    return {"content": {"application/json": {"schema": reference("edge.Error")}}}


def error_schemas() -> dict[str, Json]:
    """The `components.schemas` of errors. They look the same whatever the JSON options of the API."""
    return {
        "edge.Error": _object(
            "google.rpc.Status",
            "How every error is told, whoever made it.",
            {
                "code": {"type": "integer", "format": "int32", "description": "A google.rpc.Code."},
                "message": {"type": "string", "description": "For developers."},
                "details": {"type": "array", "items": _detail()},
            },
            ["code", "message", "details"],
        ),
        "edge.ErrorInfo": _typed(
            "ErrorInfo",
            "Why, for programs. Errors of the gateway have the domain `edge-gateway`.",
            {
                "reason": {"type": "string", "examples": [Fault.INVALID_ARGUMENT.name]},
                "domain": {"type": "string", "examples": ["edge-gateway"]},
                "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        ),
        "edge.BadRequest": _typed(
            "BadRequest",
            "Which fields are wrong.",
            {"fieldViolations": {"type": "array", "items": _violation()}},
        ),
        "edge.RetryInfo": _typed(
            "RetryInfo",
            "When to try again; Retry-After says the same.",
            {"retryDelay": {"type": "string", "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,9})?s$", "examples": ["1.000s"]}},
        ),
        "edge.OtherDetail": _other(),
    }


_KNOWN = ("ErrorInfo", "BadRequest", "RetryInfo")


def _detail() -> Json:
    names = [f"edge.{name}" for name in (*_KNOWN, "OtherDetail")]
    return {"oneOf": [reference(name) for name in names]}


def _violation() -> Json:
    text: Json = {"type": "string"}
    field = {"type": "string", "description": "The field's path in proto names, such as `book.shelf`."}
    return {"type": "object", "properties": {"field": field, "description": text}}


def _object(title: str, description: str, properties: Json, required: list[str]) -> Json:
    return {
        "title": title,
        "description": description,
        "type": "object",
        "properties": properties,
        "required": required,
    }


def _typed(name: str, description: str, properties: Json) -> Json:
    """A message in a google.protobuf.Any."""
    kind: Json = {"@type": {"const": _TYPE + name}}
    return _object(f"google.rpc.{name}", description, kind | properties, ["@type"])


def _other() -> Json:
    kind = {"type": "string", "not": {"enum": [_TYPE + name for name in _KNOWN]}}
    description = "Any other message. One the gateway does not know has its bytes under `value`, in base64."
    return _object("google.protobuf.Any", description, {"@type": kind}, ["@type"]) | {"additionalProperties": True}
