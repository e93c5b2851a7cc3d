"""
The beginning of a call, the same in every dialect: what is known once a head has been read, and what a dialect makes of it.

Owns the seam between the front, which knows heads, and the dialects, which know what they mean. A dialect resolves the head to a Target
and gives back a call, or a refusal that it then shapes in its own form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from edge.core.forwarded import Forwarded
from edge.core.grpc_timeout import parse_timeout
from edge.core.message_coding import takes_gzip
from edge.core.metadata import plain, request_metadata
from edge.exchange import Dialect, Exchange
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


@dataclass(slots=True, eq=False)
class Opening:
    """What a dialect is given: the generation to serve from, the policies, the exchange so far, the head, and who sent it."""

    serving: Serving
    pipeline: Pipeline
    x: Exchange
    head: Head
    origin: Forwarded


class DialectFront(Protocol):
    """One dialect's reading of heads."""

    def open(self, opening: Opening) -> Call | StreamCall | Refusal:
        """Resolve the head: sets `x.target` and `x.deadline`, decides nothing that is a policy's."""

    def refused(self, opening: Opening, refusal: Refusal) -> Answer:
        """A refusal on the head, in this dialect's form."""


def grpc_timeout(head: Head) -> float | None:
    """The seconds a Grpc-Timeout header gives the call. Raises ValueError."""
    asked = head.first.get(b"grpc-timeout")
    return parse_timeout(asked) if asked else None


def resolve(
    opening: Opening,
    target: Target,
    *,
    deadline_from_route: bool,
    asked: Callable[[Head], float | None] = grpc_timeout,
    asked_by: str = "grpc-timeout",
) -> Refusal | None:
    """
    Say what the call is: its target, and its deadline as the nearer of the route's timeout and what the client asked for.

    `asked` reads what the client wants from the header `asked_by`. A stream has no deadline of the route's (transcoding.md D4):
    `deadline_from_route` is false for it.
    """
    x, head = opening.x, opening.head
    x.target = target
    timeout_s = target.timeout_s if deadline_from_route else None
    try:
        asked_s = asked(head)
    except ValueError as error:
        violation = FieldViolation(asked_by, str(error))
        return Refusal(Fault.INVALID_ARGUMENT, message=f"{asked_by}: {error}", violations=(violation,))
    if asked_s is not None:
        timeout_s = asked_s if timeout_s is None else min(timeout_s, asked_s)
    x.deadline = None if timeout_s is None else head.started + timeout_s
    return None


def metadata_of(opening: Opening, extra: Sequence[tuple[bytes, str]] = ()) -> list[Header]:
    """What the service is told: the client's headers by the API's rules; who and where the client is, by our own word."""
    x = opening.x
    assert x.target is not None
    metadata = request_metadata(opening.head.headers, opening.serving.apis[x.target.api].metadata)
    metadata.append((b"x-request-id", x.request_id.encode("ascii")))
    origin, agent = opening.origin, x.user_agent
    short = len(origin.chain) + len(origin.host) + len(agent) <= _MAX_CHARS
    metadata += (_of_client if short else _of_client.__wrapped__)(origin, agent)
    if opening.head.caller is not None:
        metadata.append((b"x-forwarded-client-cert", opening.head.caller.forwarded))
    if extra:
        metadata += plain(extra)
    if x.dialect in _ACCEPTING and _passes_gzip(opening, x.target):
        metadata.append(_TAKES_GZIP)
    return metadata


_MAX_CHARS = 512
"""Of what is remembered: what a client can make us hold is small."""


@lru_cache(maxsize=1024)  # few clients make most calls; one that fills it makes others be written again
def _of_client(origin: Forwarded, user_agent: str) -> list[Header]:
    """Where and what a client is, as metadata."""
    return plain(
        (
            (b"x-forwarded-for", origin.chain),
            (b"x-forwarded-proto", origin.proto),
            (b"x-forwarded-host", origin.host),
            (b"x-forwarded-user-agent", user_agent),
        )
    )


def _passes_gzip(opening: Opening, target: Target) -> bool:
    """Whether a message that the service compressed would reach the client as it is: only then may the service do it."""
    if not opening.serving.apis[target.api].compression:
        return False
    head = opening.head
    for name in _ACCEPTING[opening.x.dialect]:
        if name in head.first and takes_gzip(head.get(name)):
            return "json" not in head.get(b"content-type")
    return False
