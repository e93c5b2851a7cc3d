"""
The beginning of a call, the same in every dialect: what is known once a head has been read, and what a dialect makes of it.

Owns the seam between the front, which knows heads, and the dialects, which know what they mean. A dialect resolves the head to a Target
and gives back a call, or a refusal that it then shapes in its own form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from edge.core.grpc_timeout import parse_timeout
from edge.core.message_coding import takes_gzip
from edge.core.metadata import plain, request_metadata
from edge.exchange import Dialect, Exchange
from edge.ingress.client import Client
from edge.ingress.service import Answer, Call, Head, Header, StreamCall
from edge.ingress.serving import Serving
from edge.outcome import Fault, FieldViolation, Refusal
from edge.pipeline import Pipeline
from edge.routes import Target

_TAKES_GZIP: Header = (b"grpc-accept-encoding", b"identity,gzip")
_ACCEPTING = {
    Dialect.GRPC: (b"grpc-accept-encoding",),
    Dialect.GRPC_WEB: (b"grpc-accept-encoding",),
    Dialect.CONNECT: (b"connect-accept-encoding", b"accept-encoding"),
}
"""The dialects that carry messages as they are, and the fields by which their clients say that they take them compressed."""


class Opening(Exchange):
    """
    The Exchange as the front and the dialects have it: with the generation to serve from, the policies, the head, and who sent it.

    Policies, log and metrics see the Exchange that it is. `id_field` is the request id as a field, for the service and the client.
    """

    __slots__ = ("client", "head", "id_field", "pipeline", "serving")

    def __init__(
        self, serving: Serving, pipeline: Pipeline, dialect: Dialect, head: Head, client: Client, request_id: str
    ) -> None:
        self.serving = serving
        self.pipeline = pipeline
        self.head = head
        self.client = client
        # What `Exchange` sets, without the call: one is made for each request.
        self.dialect = dialect
        self.http_method, self.path, self.http_version = head.method, head.path, head.version
        self.peer, self.user_agent = client.origin.client, client.user_agent
        self.request_id = request_id
        self.id_field: Header = (b"x-request-id", request_id.encode("ascii"))
        self.started = head.started
        self.caller = "" if head.caller is None else head.caller.spiffe_id
        self.target = self.deadline = self.refusal = None
        self.status = self.grpc_code = self.request_bytes = self.response_bytes = 0
        self.upstream_address = self.upstream_via = ""
        self.upstream_s = 0.0


class DialectFront(Protocol):
    """One dialect's reading of heads."""

    def open(self, opening: Opening) -> Call | StreamCall | Refusal:
        """Resolve the head: sets `target` and `deadline`, decides nothing that is a policy's."""

    def refused(self, opening: Opening, refusal: Refusal) -> Answer:
        """A refusal on the head, in this dialect's form."""


def resolve(
    opening: Opening,
    target: Target,
    *,
    deadline_from_route: bool,
    asked_by: bytes = b"grpc-timeout",
    parse: Callable[[bytes], float] = parse_timeout,
) -> Refusal | None:
    """
    Say what the call is: its target, and its deadline as the nearer of the route's timeout and what the client asked for.

    `parse` reads what the client wants from the header `asked_by`, or raises ValueError. A stream has no deadline of the route's
    (transcoding.md D4): `deadline_from_route` is false for it.
    """
    head = opening.head
    opening.target = target
    timeout_s = target.timeout_s if deadline_from_route else None
    if asked := head.first.get(asked_by):
        try:
            asked_s = parse(asked)
        except ValueError as error:
            name = asked_by.decode("ascii")
            violation = FieldViolation(name, str(error))
            return Refusal(Fault.INVALID_ARGUMENT, message=f"{name}: {error}", violations=(violation,))
        timeout_s = asked_s if timeout_s is None else min(timeout_s, asked_s)
    opening.deadline = None if timeout_s is None else head.started + timeout_s
    return None


def metadata_of(opening: Opening, extra: Sequence[tuple[bytes, str]] = ()) -> list[Header]:
    """What the service is told: the client's headers by the API's rules; who and where the client is, by our own word."""
    target, caller = opening.target, opening.head.caller
    assert target is not None
    metadata = request_metadata(opening.head.headers, opening.serving.apis[target.api].metadata)
    metadata.append(opening.id_field)
    metadata += opening.client.metadata
    if caller is not None:
        metadata.append((b"x-forwarded-client-cert", caller.forwarded))
    if extra:
        metadata += plain(extra)
    if opening.dialect in _ACCEPTING and _passes_gzip(opening, target):
        metadata.append(_TAKES_GZIP)
    return metadata


def _passes_gzip(opening: Opening, target: Target) -> bool:
    """Whether a message that the service compressed would reach the client as it is: only then may the service do it."""
    if not opening.serving.apis[target.api].compression:
        return False
    head = opening.head
    for name in _ACCEPTING[opening.dialect]:
        if name in head.first and takes_gzip(head.get(name)):
            return "json" not in head.get(b"content-type")
    return False
