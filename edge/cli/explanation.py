"""
What would become of one request: the gateway's own code run on it, with an upstream that sends nothing.

Owns the guarantee behind `edge explain`: matching, binding, deadline, metadata and refusals come from the gateway's own front, so they
cannot differ from what a client would get. Only the attribution of values to path, query and body is made here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from edge.app import Snapshot
from edge.app.dialects import front
from edge.cli.near_misses import NearMiss, near_misses
from edge.cli.nowhere import GivenBody, Recorder, ShownAnswer
from edge.core.grpc_timeout import TimeoutFormatError, parse_timeout
from edge.core.query_string import MalformedQueryError, parse_query
from edge.ingress.service import Answer, Head, Header, answer_to
from edge.ingress.serving import Serving
from edge.pipeline import Pipeline
from edge.routes import Match, Missing, Route
from edge.upstream.call import UnaryRequest

_REQUEST_ID = "made-by-the-gateway"


@dataclass(frozen=True, slots=True)
class Asked:
    """The request to explain. `headers` have lower-case names; `body` is None when there is none."""

    method: str
    url: str
    headers: Sequence[Header] = ()
    body: bytes | None = None

    @property
    def path(self) -> str:
        """The target's path as sent."""
        return urlsplit(self.url).path or "/"

    @property
    def query(self) -> str:
        """The target's query as sent."""
        return urlsplit(self.url).query


@dataclass(frozen=True, slots=True)
class Bound:
    """A value of the request, the field it fills, and whether it came from path, query or body."""

    field: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """
    What would happen. With `sent`, the call goes upstream carrying `message` (of a stream: the first one); otherwise `answer` is what
    the client gets.

    `near` are templates the path almost matched, `route` is None when none did. `deadline_s` counts from the request's first byte.
    """

    route: Route | None
    near: Sequence[NearMiss]
    bound: Sequence[Bound]
    deadline_s: float | None
    sent: UnaryRequest | None
    message: Any
    answer: Answer | None


def explain_request(snapshot: Snapshot, asked: Asked) -> Explanation:
    """Run a request through the gateway's code, up to where it would be sent."""
    found = snapshot.routes.lookup(asked.method, asked.path)
    route = None if isinstance(found, Missing) else found.value
    sent, answer = asyncio.run(_run(snapshot, asked))
    return Explanation(
        route=route,
        near=_near(snapshot, asked, found) if isinstance(found, Missing) else [],
        bound=[] if isinstance(found, Missing) else _bound(found, asked, snapshot),
        deadline_s=_deadline_s(asked, route) if route else None,
        sent=sent,
        message=_message(snapshot, route, sent.message) if sent and route else None,
        answer=None if sent else answer,
    )


def _near(snapshot: Snapshot, asked: Asked, missing: Missing) -> list[NearMiss]:
    """Routes of the same path for other methods, or else routes of paths like it."""
    if not missing.allow:
        routes = ((each.binding.http_method, each.binding.template) for each in snapshot.routes.routes)
        return near_misses(asked.method, asked.path, routes)
    others = [snapshot.routes.lookup(method, asked.path) for method in missing.allow]
    bindings = dict.fromkeys(other.value.binding for other in others if not isinstance(other, Missing))
    return [NearMiss(each.http_method, each.template, "it has this path, for another method") for each in bindings]


def _deadline_s(asked: Asked, route: Route) -> float | None:
    """The nearer of the route's timeout, which streams do not have, and the client's; None without either, or when that is malformed."""
    written = next((value for name, value in asked.headers if name == b"grpc-timeout"), b"")
    own = () if route.timeout_s is None or streams(route) else (float(route.timeout_s),)
    try:
        return min((*own, parse_timeout(written))) if written else min(own, default=None)
    except TimeoutFormatError:
        return None


def streams(route: Route) -> bool:
    """Whether a route's method streams, either way."""
    return route.rpc.client_streaming or route.rpc.server_streaming


async def _run(snapshot: Snapshot, asked: Asked) -> tuple[UnaryRequest | None, Answer]:
    recorder = Recorder()
    serving = Serving(
        snapshot.routes,
        dict.fromkeys(snapshot.config.upstreams, recorder),
        snapshot.apis,
        snapshot.loading,
        snapshot.config.trusted_proxies,
        snapshot.config.limits.max_body_bytes,
    )
    service = front(lambda: serving, Pipeline([]), lambda: 0.0, lambda: _REQUEST_ID)
    begun = service.begin(_head(asked))
    if isinstance(begun, Answer):
        return None, begun
    if begun.streams:
        shown = ShownAnswer()
        await begun.run(GivenBody(asked.body or b""), shown)
        begun.sent(len(shown.answer.body))
        return recorder.request, shown.answer
    answer = await answer_to(begun, asked.body or b"")
    begun.sent(len(answer.body))
    return recorder.request, answer


def _head(asked: Asked) -> Head:
    return Head(
        method=asked.method,
        path=asked.path,
        query=asked.query,
        version="1.1",
        headers=asked.headers,
        peer="127.0.0.1",
        secure=False,
        started=0.0,
        has_body=asked.body is not None,
        content_length=None if asked.body is None else len(asked.body),
    )


def _bound(match: Match, asked: Asked, snapshot: Snapshot) -> list[Bound]:
    """Each value with its origin, as sent; a field in several places stands in each."""
    route = match.value
    bound = [Bound(field, value, "path") for field, value in zip(route.path_fields, match.captures, strict=True)]
    plus_is_space = next(api.query.plus_is_space for api in snapshot.config.apis if api.name == route.api)
    try:
        pairs = parse_query(asked.query, plus_is_space=plus_is_space)
    except MalformedQueryError:
        pairs = []  # the answer says so
    bound += [Bound(name, value, "query") for name, value in pairs]
    return bound + _bound_body(route.binding.body, asked.body)


def _bound_body(field: str, body: bytes | None) -> list[Bound]:
    if not field or body is None:
        return []
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return []
    values = value if field == "*" and isinstance(value, dict) else {field: value}
    return [Bound(name, orjson.dumps(each).decode(), "body") for name, each in values.items()]


def _message(snapshot: Snapshot, route: Route, message: bytes) -> Any:  # noqa: ANN401  # JSON of any shape
    """A serialized request as the proto3 JSON mapping has it."""
    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(snapshot.descriptions[route.api].descriptor_set).file:
        pool.Add(file)
    kind = GetMessageClass(pool.FindMessageTypeByName(route.rpc.input_type))
    return json_format.MessageToDict(kind.FromString(message), descriptor_pool=pool)
