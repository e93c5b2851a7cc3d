"""
CORS at the front of all dialects: preflights answered, every other answer marked for the page that asked.

Owns which API a request belongs to where no call was made of it, and that all ways an answer can leave are marked: whole, streamed and
refused. What the fields say is `core.cors`'s. Nothing here runs while no API has CORS.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from http import HTTPMethod
from typing import Literal

from edge.core.cors import CorsRules
from edge.ingress.service import Answer, Answered, AnswerSink, BodySource, Call, Head, Header, StreamCall
from edge.ingress.serving import Serving
from edge.ingress.upgrade import Upgrade
from edge.ingress.websocket_http2 import WebSocketOnStream
from edge.outcome import NO_CONTENT, Fault, Refusal
from edge.routes import Missing, RouteTable, Target

_METHOD = re.compile(r"[A-Za-z-]{1,32}").fullmatch


def is_preflight(head: Head) -> bool:
    """Whether a browser asks on a page's behalf, before it sends the request itself."""
    return head.method == HTTPMethod.OPTIONS and bool(
        head.get(b"origin") and head.get(b"access-control-request-method")
    )


def preflight(head: Head, serving: Serving) -> Answer | Refusal | None:
    """
    The answer to a preflight; None where the path is of no API with CORS, and OPTIONS is a method like any other.

    A path that an API does not have is let through: the page is to read that from the answer, not from a CORS error.
    """
    asked = head.get(b"access-control-request-method")
    api, methods = _routed(serving.routes, head.path, asked)
    if api is None:
        api, methods = _owner(serving, head.path), (asked,) if _METHOD(asked) else ()
    rules = _rules(serving, api)
    if rules is None:
        return None
    origin = head.get(b"origin")
    if not rules.allows(origin):
        return Refusal(Fault.ORIGIN_REFUSED)
    fields = rules.preflight_fields(origin, methods, head.get(b"access-control-request-headers"))
    return Answer(NO_CONTENT, fields)


def marked(
    taken: Call | StreamCall | Answer, head: Head, serving: Serving, target: Target | None
) -> Call | StreamCall | Answer:
    """What was made of a head, with the fields of its API's CORS in every answer."""
    if isinstance(taken, Upgrade | WebSocketOnStream):  # no answer that a script could read
        return taken
    fields = _fields(head, serving, target.api if target is not None else _owner(serving, head.path))
    if not fields:
        return taken
    if isinstance(taken, Answer):
        return _marked(taken, fields)
    return MarkedStream(taken, fields) if taken.streams else MarkedCall(taken, fields)


def marked_answer(answer: Answer, head: Head, serving: Serving) -> Answer:
    """The answer to a request that never became a call."""
    fields = _fields(head, serving, _owner(serving, head.path))
    return _marked(answer, fields) if fields else answer


def _fields(head: Head, serving: Serving, api: str | None) -> Sequence[Header]:
    rules = _rules(serving, api)
    return () if rules is None else rules.answer_fields(head.get(b"origin"))


class MarkedCall:
    """A Call whose answers say what CORS asks for."""

    __slots__ = ("_call", "_fields")

    streams: Literal[False] = False

    def __init__(self, call: Call, fields: Sequence[Header]) -> None:
        self._call = call
        self._fields = fields

    @property
    def max_body_bytes(self) -> int:
        """The call's own."""
        return self._call.max_body_bytes

    def finish(self, body: bytes, answered: Answered) -> None:
        """The call's own answer, marked."""
        self._call.finish(body, lambda answer: answered(None if answer is None else _marked(answer, self._fields)))

    def cancel(self) -> None:
        """As it is."""
        self._call.cancel()

    def abandon(self, refusal: Refusal) -> Answer:
        """The call's own answer, marked."""
        return _marked(self._call.abandon(refusal), self._fields)

    def sent(self, response_bytes: int) -> None:
        """As it is."""
        self._call.sent(response_bytes)


class MarkedStream:
    """A StreamCall whose answer says what CORS asks for."""

    __slots__ = ("_call", "_fields")

    streams: Literal[True] = True

    def __init__(self, call: StreamCall, fields: Sequence[Header]) -> None:
        self._call = call
        self._fields = fields

    @property
    def max_body_bytes(self) -> int | None:
        """The call's own."""
        return self._call.max_body_bytes

    async def run(self, body: BodySource, answer: AnswerSink) -> None:
        """Its head is marked when it comes."""
        await self._call.run(body, _MarkedSink(answer, self._fields))

    def sent(self, response_bytes: int) -> None:
        """As it is."""
        self._call.sent(response_bytes)


class _MarkedSink:
    """An AnswerSink that adds fields to the head."""

    __slots__ = ("_fields", "_sink", "abort", "end", "write")

    def __init__(self, sink: AnswerSink, fields: Sequence[Header]) -> None:
        self._sink = sink
        self._fields = fields
        self.write, self.end, self.abort = sink.write, sink.end, sink.abort

    def start(self, status: int, headers: Sequence[Header]) -> None:
        self._sink.start(status, _joined(headers, self._fields))


def _marked(answer: Answer, fields: Sequence[Header]) -> Answer:
    return answer._replace(headers=_joined(answer.headers, fields))


def _joined(headers: Iterable[Header], fields: Sequence[Header]) -> list[Header]:
    """The gateway's word alone counts: what a service says of CORS would make two values of one, which browsers refuse."""
    return [*(field for field in headers if not field[0].startswith(b"access-control-")), *fields]


def _rules(serving: Serving, api: str | None) -> CorsRules | None:
    settings = serving.apis.get(api) if api is not None else None
    return None if settings is None else settings.cors


def _routed(routes: RouteTable, path: str, asked: str) -> tuple[str | None, Sequence[str]]:
    """The API that a request to `path` with the method `asked` would reach, and the methods that the path has there."""
    target = routes.targets.get(path)
    found = {
        method: route.api for method in (asked, *_methods(routes, path)) if (route := _route(routes, method, path))
    }
    if target is not None:  # gRPC-Web and Connect: POST, and GET where it is safe
        rpc = target.rpc
        streams = rpc.client_streaming or rpc.server_streaming
        for method in (HTTPMethod.POST, HTTPMethod.GET)[: 2 if rpc.side_effect_free and not streams else 1]:
            found.setdefault(method.value, target.api)
    api = found.get(asked) or next(iter(found.values()), None)
    return api, sorted(method for method, owner in found.items() if owner == api)


def _methods(routes: RouteTable, path: str) -> Sequence[str]:
    """The methods a path has by name; a route for all methods has no name to tell."""
    found = routes.lookup("", path)
    return found.allow if isinstance(found, Missing) else ()


def _route(routes: RouteTable, method: str, path: str) -> Target | None:
    found = routes.lookup(method, path)
    return None if isinstance(found, Missing) else found.value


def _owner(serving: Serving, path: str) -> str | None:
    """
    The API whose path an unmatched request meant, where it can be told.

    By another method of the path, by its service or its beginning, or because there is only one API that has CORS at all.
    """
    api = _routed(serving.routes, path, "")[0] or serving.owners.find(path)
    if api is not None:
        return api
    only = [name for name, settings in serving.apis.items() if settings.cors is not None]
    return only[0] if len(only) == 1 else None
