"""
The REST dialect's front: what a request's head alone decides.

Owns which heads become calls: unknown paths, wrong methods, bad timeouts and streaming methods are answered before a body byte is read
(and before 100 Continue is sent). The call itself is `rest_call`'s. Source: google/api/http.proto; transcoding.md P8, D1, D2.
"""

from __future__ import annotations

from collections.abc import Callable

from edge.core.forwarded import Forwarded, forwarded
from edge.core.grpc_timeout import parse_timeout
from edge.core.request_id import request_id
from edge.exchange import Dialect, Exchange
from edge.ingress.google_error import for_client
from edge.ingress.respond import refusal_answer
from edge.ingress.rest_call import RestCall
from edge.ingress.service import Answer, Call, Head
from edge.ingress.serving import Serving
from edge.outcome import Fault, FieldViolation, Refusal
from edge.pipeline import Pipeline
from edge.routes import Match, Missing


class RestService:
    """Serves REST from the current generation. `now` is the monotonic clock, `new_id` makes request ids."""

    def __init__(
        self, current: Callable[[], Serving], pipeline: Pipeline, now: Callable[[], float], new_id: Callable[[], str]
    ) -> None:
        self._current = current
        self._pipeline = pipeline
        self._now = now
        self._new_id = new_id

    def begin(self, head: Head) -> Call | Answer:
        """Match and check the head; a refusal is answered at once."""
        serving = self._current()
        origin = _origin(head, serving)
        x = self._exchange(head, origin)
        found = serving.routes.lookup(head.method, head.path)
        if isinstance(found, Match):
            x.route = found.route
            refusal = self._set_deadline(x, head) or _unserved(found)
            if refusal is None:
                return RestCall(self._pipeline, serving, x, head, origin, found.captures)
        else:
            refusal = _unmatched(found, serving)
        return self._answer(x, refusal, head)

    def refuse(self, head: Head | None, refusal: Refusal) -> Answer:
        """Shape, log and count a request that never became a call."""
        x = self._exchange(head, _origin(head, self._current())) if head else self._unread()
        return self._answer(x, refusal, head, close=True)

    def _answer(self, x: Exchange, refusal: Refusal, head: Head | None, *, close: bool = False) -> Answer:
        """End an exchange that never became a call."""
        answer = refusal_answer(refusal, close=close)
        if head is not None:
            answer = for_client(answer, head)
        answer = Answer(answer.status, (*answer.headers, (b"x-request-id", x.request_id.encode())), answer.body, close)
        x.refusal, x.status, x.grpc_code = refusal, answer.status, refusal.grpc_code
        x.response_bytes = len(answer.body)
        self._pipeline.open().settle(x)
        return answer

    def _exchange(self, head: Head, origin: Forwarded) -> Exchange:
        return Exchange(
            dialect=Dialect.REST,
            http_method=head.method,
            path=head.path,
            http_version=head.version,
            peer=origin.client,
            request_id=request_id(head.get(b"x-request-id"), self._new_id),
            started=head.started,
            user_agent=head.get(b"user-agent"),
        )

    def _unread(self) -> Exchange:
        return Exchange(Dialect.REST, "", "", "", "", self._new_id(), self._now())

    def _set_deadline(self, x: Exchange, head: Head) -> Refusal | None:
        """The deadline is the nearer of the route's and the client's Grpc-Timeout."""
        assert x.route is not None
        timeout_s = x.route.timeout_s
        asked = head.get(b"grpc-timeout")
        if asked:
            try:
                timeout_s = min(timeout_s, parse_timeout(asked.encode("latin-1")))
            except ValueError as error:
                violation = FieldViolation("grpc-timeout", str(error))
                return Refusal(Fault.INVALID_ARGUMENT, message=f"grpc-timeout: {error}", violations=(violation,))
        x.deadline = head.started + timeout_s
        return None


def _origin(head: Head, serving: Serving) -> Forwarded:
    host = head.get(b"host")
    if not serving.trusted:  # the common case needs no parsing
        return Forwarded(head.peer, head.peer, "https" if head.secure else "http", host)
    return forwarded(
        head.peer,
        chain=", ".join(value.decode("latin-1") for name, value in head.headers if name == b"x-forwarded-for"),
        proto=head.get(b"x-forwarded-proto"),
        host=head.get(b"x-forwarded-host"),
        secure=head.secure,
        own_host=host,
        trusted=serving.trusted,
    )


def _unmatched(missing: Missing, serving: Serving) -> Refusal:
    if missing.malformed:
        return Refusal(Fault.MALFORMED_REQUEST, message=f"the path is not valid: {missing.malformed}")
    if missing.allow:
        return Refusal(Fault.METHOD_NOT_ALLOWED, allow=missing.allow)
    if serving.loading:
        return Refusal(Fault.NOT_READY, detail=f"loading: {', '.join(serving.loading)}", retry_after_s=1.0)
    return Refusal(Fault.ROUTE_NOT_FOUND)


def _unserved(match: Match) -> Refusal | None:
    rpc = match.route.rpc
    if rpc.client_streaming or rpc.server_streaming:
        return Refusal(Fault.STREAMING_UNSUPPORTED)
    return None
