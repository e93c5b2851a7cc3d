"""
The front of all dialects on one port: reads a head once, decides which dialect speaks, lets it open the call.

Owns which dialect a head is in, and that a request refused on its head ends as an exchange like any other. A head is in the dialect its
content type names; what names none is REST. Source: docs/adr/0007-one-port.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPMethod

from edge.core.request_id import request_id
from edge.exchange import Dialect, Exchange
from edge.ingress.client import client_of
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
        opening = self._opening(head, serving, self._choose(head, serving))
        dialect = self._dialects[opening.dialect]
        opened = dialect.open(opening)
        taken = self._refused(opening, dialect, opened) if isinstance(opened, Refusal) else opened
        return marked(taken, head, serving, opening.target) if serving.has_cors else taken

    def refuse(self, head: Head | None, refusal: Refusal) -> Answer:
        """Shape, log and count a refusal of a request that never became a call."""
        if head is None:
            x = Exchange(Dialect.REST, "", "", "", "", self._new_id(), self._now())
            return self._ended(x, refusal, refusal_answer(refusal))._replace(close=True)
        serving = self._current()
        opening = self._opening(head, serving, self._choose(head, serving))
        refused = self._dialects[opening.dialect].refused(opening, refusal)
        answer = self._ended(opening, refusal, refused)._replace(close=True)
        return marked_answer(answer, head, serving) if serving.has_cors else answer

    def _refused(self, opening: Opening, dialect: DialectFront, refusal: Refusal) -> Answer:
        if refusal.fault is Fault.ROUTE_NOT_FOUND and (document := _document(opening)) is not None:
            return self._ended(opening, None, document)
        return self._ended(opening, refusal, dialect.refused(opening, refusal))

    def _preflight(self, head: Head, serving: Serving) -> Answer | None:
        """The answer to a browser's question before a request, which is no call; None when it is nobody's here."""
        decided = preflight(head, serving)
        if decided is None:
            return None
        x = self._opening(head, serving, Dialect.REST)
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

    def _opening(self, head: Head, serving: Serving, dialect: Dialect) -> Opening:
        given = head.first.get(b"x-request-id")
        name = request_id(given.decode("latin-1"), self._new_id) if given else self._new_id()
        return Opening(serving, self._pipeline, dialect, head, client_of(head, serving.trusted), name)


def _document(opening: Opening) -> Answer | None:
    """The OpenAPI document at a path that no route has: an API's own route always wins."""
    head = opening.head
    if head.method not in (HTTPMethod.GET, HTTPMethod.HEAD):
        return None
    found = opening.serving.documents().get(head.path)
    return None if found is None else Answer(OK, ((b"content-type", b"application/json"),), found)
