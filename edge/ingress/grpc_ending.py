"""
How a call ends in gRPC's words: the fields of a status, for the service's answers and for refusals of ours.

Owns that a refusal says over gRPC what it says over REST: the same code, message and details (ErrorInfo, BadRequest, RetryInfo), as a
google.rpc.Status in grpc-status-details-bin. Source: PROTOCOL-HTTP2.md (Responses), google/rpc/error_details.proto.
"""

from __future__ import annotations

from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from edge.core.grpc_status import encode_binary, encode_message
from edge.core.metadata import rpc_told
from edge.ingress.respond import DOMAIN, retry_after_of
from edge.ingress.service import Header
from edge.outcome import Refusal
from edge.upstream.call import UnaryReply

_OK = (b"grpc-status", b"0")


def trailers_of(outcome: UnaryReply | Refusal) -> list[Header]:
    """The status fields of an ending, and the service's own trailers."""
    if isinstance(outcome, Refusal):
        details = encode_binary(status_of(outcome).SerializeToString())
        return [*_status(outcome.grpc_code, outcome.public_message), (b"grpc-status-details-bin", details)]
    custom = rpc_told(tuple(outcome.trailers)) if outcome.trailers else ()
    if outcome.code == 0:
        return [_OK, *custom]
    status = _status(outcome.code, outcome.text)
    if outcome.details is not None:
        status.append((b"grpc-status-details-bin", encode_binary(outcome.details)))
    return [*status, *custom]


def _status(code: int, text: str) -> list[Header]:
    status = [(b"grpc-status", b"%d" % code)]
    if text:
        status.append((b"grpc-message", encode_message(text)))
    return status


def status_of(refusal: Refusal) -> Status:
    """A refusal as a google.rpc.Status."""
    status = Status(code=refusal.grpc_code, message=refusal.public_message)
    for detail in details_of(refusal):
        status.details.add().Pack(detail)
    return status


def details_of(refusal: Refusal) -> list[Message]:
    """What a refusal tells besides code and message; in JSON the same (`respond.refusal_details`)."""
    details: list[Message] = [ErrorInfo(reason=refusal.fault.name, domain=DOMAIN)]
    if refusal.violations:
        violations = [BadRequest.FieldViolation(field=v.field, description=v.description) for v in refusal.violations]
        details.append(BadRequest(field_violations=violations))
    retry_after_s = retry_after_of(refusal)
    if retry_after_s is not None:
        retry = RetryInfo()
        retry.retry_delay.FromMilliseconds(round(retry_after_s * 1000))
        details.append(retry)
    return details
