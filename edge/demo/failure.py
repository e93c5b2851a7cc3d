"""
How the bookstore fails: a gRPC code, a sentence for people and google.rpc details for programs.

Owns the reasons (ErrorInfo) and which details belong to which failure. Source: https://google.aip.dev/193.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from google.rpc import error_details_pb2, status_pb2

from edge.core.grpc_status import Code

DOMAIN = "bookstore.example.com"


class Failure(Exception):
    """A call that ends with a status. `details` are messages, each packed into an Any as it is."""

    def __init__(self, code: int, message: str, details: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = tuple(details)

    def status(self) -> bytes:
        """The serialized google.rpc.Status, for grpc-status-details-bin."""
        status = status_pb2.Status(code=self.code, message=self.message)
        for detail in self.details:
            if detail.DESCRIPTOR.full_name == "google.protobuf.Any":
                status.details.add(type_url=detail.type_url, value=detail.value)
            else:
                status.details.add().Pack(detail)
        return bytes(status.SerializeToString())


def reason(name: str, **metadata: str) -> Any:  # noqa: ANN401  # google.rpc ships no types
    """An ErrorInfo of the bookstore."""
    return error_details_pb2.ErrorInfo(reason=name, domain=DOMAIN, metadata=metadata)


def _resource(kind: str, name: str) -> Any:  # noqa: ANN401  # google.rpc ships no types
    return error_details_pb2.ResourceInfo(resource_type=f"{DOMAIN}/{kind}", resource_name=name)


def not_found(kind: str, name: str) -> Failure:
    """There is no such resource; `kind` is `Book`, `name` its resource name."""
    details = [reason(f"{kind.upper()}_NOT_FOUND", resource=name), _resource(kind, name)]
    return Failure(Code.NOT_FOUND, f"there is no {name}", details)


def already_exists(kind: str, name: str, message: str = "") -> Failure:
    """A resource of that name, or with that unique property, is there already."""
    details = [reason(f"{kind.upper()}_EXISTS", resource=name), _resource(kind, name)]
    return Failure(Code.ALREADY_EXISTS, message or f"{name} exists already", details)


def invalid(*violations: tuple[str, str]) -> Failure:
    """Wrong fields: (proto path, what is wrong) of each."""
    wrong = [error_details_pb2.BadRequest.FieldViolation(field=field, description=text) for field, text in violations]
    details = [error_details_pb2.BadRequest(field_violations=wrong), reason("INVALID_FIELDS")]
    return Failure(Code.INVALID_ARGUMENT, "; ".join(f"{field}: {text}" for field, text in violations), details)


def stale(name: str) -> Failure:
    """The etag sent is not the current one."""
    details = [reason("ETAG_MISMATCH", resource=name)]
    return Failure(Code.ABORTED, f"{name} has changed since you read it: read it again", details)


def precondition(kind: str, subject: str, message: str, *more: Any) -> Failure:  # noqa: ANN401  # any message
    """The state of `subject` forbids it; `kind` is the violation's type, such as `ALREADY_PUBLISHED`."""
    violation = error_details_pb2.PreconditionFailure.Violation(type=kind, subject=subject, description=message)
    details = [error_details_pb2.PreconditionFailure(violations=[violation]), reason(kind, resource=subject), *more]
    return Failure(Code.FAILED_PRECONDITION, message, details)


def full(kind: str, limit: int) -> Failure:
    """The demo keeps a bounded number of everything."""
    return Failure(Code.RESOURCE_EXHAUSTED, f"the demo keeps at most {limit} of {kind}", [reason("DEMO_IS_FULL")])
