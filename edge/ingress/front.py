"""
The front of all dialects on one port: reads a head once, decides which dialect speaks, lets it open the call.

Owns which dialect a head is in, and that a request refused on its head ends as an exchange like any other. A head is in the dialect its
content type names; what names none is REST. Source: docs/adr/0007-one-port.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from http import HTTPMethod

from edge.core.forwarded import Forwarded, forwarded
from edge.core.request_id import request_id
from edge.exchange import Dialect, Exchange
from edge.ingress.cors import is_preflight, marked, marked_answer, preflight
from edge.ingress.opening import DialectFront, Opening
from edge.ingress.respond import refusal_answer
from edge.ingress.service import Answer, Call, Head, StreamCall
from edge.ingress.serving import Serving
from edge.outcome import OK, Fault, Refusal
from edge.pipeline import Pipeline

Choose = Callable[[Head, Serving], Dialect]
"""Which dialect a head is in; the paths a generation serves decide what no header says."""


class Front:
    """
    `edge.ingress.service.Service` over all dialects, from the current generation.

    `now` is the monotonic clock, `new_id` makes request ids.
    """

    def __init__(
        self,
        dialects: Mapping[Dialect, DialectFront],
        choose: Choose,
        current: Callable[[], Serving],
        pipeline: Pipeline,
        now: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._dialects = dialects
        self._choose = choose
        self._current = current
        self._pipeline = pipeline
        self._now = now
        self._new_id = new_id

    def begin(self, head: Head) -> Call | StreamCall | Answer:
        """Let the dialect open the call; a refusal is answered at once."""
        serving = self._current()
        if serving.has_cors and is_preflight(head) and (answer := self._preflight(head, serving)) is not None:
            return answer
        name = self._choose(head, serving)
        origin = _origin(head, serving)
        opening = Opening(serving, self._pipeline, self._exchange(name, head, origin), head, origin)
        dialect = self._dialects[name]
        opened = dialect.open(opening)
        taken = self._refused(opening, dialect, opened) if isinstance(opened, Refusal) else opened
        return marked(taken, head, serving, opening.x.target) if serving.has_cors else taken

    def refuse(self, head: Head | None, refusal: Refusal) -> Answer:
        """Shape, log and count a refusal of a request that never became a call."""
        if head is None:
            x = Exchange(Dialect.REST, "", "", "", "", self._new_id(), self._now())
            return self._ended(x, refusal, refusal_answer(refusal))._replace(close=True)
        serving = self._current()
        name = self._choose(head, serving)
        origin = _origin(head, serving)
        opening = Opening(serving, self._pipeline, self._exchange(name, head, origin), head, origin)
        answer = self._ended(opening.x, refusal, self._dialects[name].refused(opening, refusal))._replace(close=True)
        return marked_answer(answer, head, serving) if serving.has_cors else answer

    def _refused(self, opening: Opening, dialect: DialectFront, refusal: Refusal) -> Answer:
        if refusal.fault is Fault.ROUTE_NOT_FOUND and (document := _document(opening)) is not None:
            return self._ended(opening.x, None, document)
        return self._ended(opening.x, refusal, dialect.refused(opening, refusal))

    def _preflight(self, head: Head, serving: Serving) -> Answer | None:
        """The answer to a browser's question before a request, which is no call; None when it is nobody's here."""
        decided = preflight(head, serving)
        if decided is None:
            return None
        x = self._exchange(Dialect.REST, head, _origin(head, serving))
        if isinstance(decided, Refusal):
            return self._ended(x, decided, refusal_answer(decided))
        return self._ended(x, None, decided)

    def _ended(self, x: Exchange, refusal: Refusal | None, answer: Answer) -> Answer:
        """End an exchange that never became a call."""
        answer = answer._replace(headers=(*answer.headers, (b"x-request-id", x.request_id.encode())))
        x.refusal, x.status, x.grpc_code = refusal, answer.status, refusal.grpc_code if refusal is not None else 0
        x.response_bytes = len(answer.body)
        self._pipeline.open().settle(x)
        return answer

    def _exchange(self, dialect: Dialect, head: Head, origin: Forwarded) -> Exchange:
        first = head.first
        given, agent = first.get(b"x-request-id"), first.get(b"user-agent")
        return Exchange(
            dialect,
            head.method,
            head.path,
            head.version,
            origin.client,
            request_id(given.decode("latin-1"), self._new_id) if given else self._new_id(),
            head.started,
            agent.decode("latin-1") if agent else "",
            "" if head.caller is None else head.caller.spiffe_id,
        )


def _document(opening: Opening) -> Answer | None:
    """The OpenAPI document at a path that no route has: an API's own route always wins."""
    head = opening.head
    if head.method not in (HTTPMethod.GET, HTTPMethod.HEAD):
        return None
    found = opening.serving.documents().get(head.path)
    return None if found is None else Answer(OK, ((b"content-type", b"application/json"),), found)


def _origin(head: Head, serving: Serving) -> Forwarded:
    host = head.first.get(b"host", b"")
    if not serving.trusted:  # the common case needs no parsing
        found = _direct if len(host) <= _MAX_HOST_BYTES else _direct.__wrapped__
        return found(head.peer, host, "https" if head.secure else "http")
    return forwarded(
        head.peer,
        chain=", ".join(value.decode("latin-1") for name, value in head.headers if name == b"x-forwarded-for"),
        proto=head.get(b"x-forwarded-proto"),
        host=head.get(b"x-forwarded-host"),
        secure=head.secure,
        own_host=host.decode("latin-1"),
        trusted=serving.trusted,
    )


_MAX_HOST_BYTES = 255
"""Of a host that is remembered: heads that are refused bring any, and what a client can make us hold is small."""


@lru_cache(maxsize=1024)  # few clients make most calls; one that fills it makes others be written again
def _direct(peer: str, host: bytes, scheme: str) -> Forwarded:
    """A client that has no proxy before us."""
    return Forwarded(peer, peer, scheme, host.decode("latin-1"))
