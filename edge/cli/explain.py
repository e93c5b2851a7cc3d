"""
`edge explain`: how one request would be matched, bound, decided and forwarded. Sends nothing.

Owns how an explanation reads, as text and as JSON; what it says is `explanation`'s.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from edge.app import Snapshot, policy_names
from edge.cli.explain_ways import way_data, way_lines
from edge.cli.explanation import Asked, Explanation, explain_request, streams
from edge.cli.loading import snapshot_of
from edge.cli.output import FAILED, ConfigOption, JsonOption, console, print_json
from edge.cli.routes import route_data
from edge.core.metadata import Header
from edge.routes import Route
from edge.upstream.call import UnaryRequest


def explain(
    method: Annotated[str, typer.Argument(help="The HTTP method.")],
    url: Annotated[str, typer.Argument(help="The path and query, or a whole URL.")],
    config: ConfigOption = Path("edge.yaml"),
    data: Annotated[
        str | None, typer.Option("--data", "-d", help="The body; @FILE reads it, @- from standard input.")
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option("--header", "-H", help="A header, as 'name: value'; repeatable.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """
    Show what would become of a request.

    How it would be matched, bound, decided and forwarded; nothing is sent. Exits with 0 when the request
    would be forwarded, with 1 when the gateway would refuse it.
    """
    if not url.startswith(("/", "http://", "https://")):
        raise typer.BadParameter(f'"{url}" is no path: begin it with a slash', param_hint="URL")
    asked = Asked(method.upper(), url, [_header(text) for text in header or ()], _body(data))
    snapshot = snapshot_of(config)
    explained = explain_request(snapshot, asked)
    if json:
        print_json(_data(snapshot, explained))
    else:
        for line in _lines(snapshot, asked, explained):
            console().print(line)
    raise typer.Exit(0 if explained.sent else FAILED)


def _header(text: str) -> Header:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise typer.BadParameter(f'"{text}" is no header: write "name: value"', param_hint="-H")
    return name.strip().lower().encode("latin-1", "replace"), value.strip().encode("latin-1", "replace")


def _body(data: str | None) -> bytes | None:
    if data is None or not data.startswith("@"):
        return None if data is None else data.encode()
    if data == "@-":
        return sys.stdin.buffer.read()
    try:
        return Path(data[1:]).read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{data[1:]}: {error.strerror}", param_hint="-d") from None


def _data(snapshot: Snapshot, explained: Explanation) -> dict[str, Any]:
    """The explanation for machines."""
    sent, answer = explained.sent, explained.answer
    return {
        "route": route_data(explained.route) if explained.route else None,
        "near_misses": [asdict(miss) for miss in explained.near],
        "bindings": [asdict(bound) for bound in explained.bound],
        "policies": policy_names(),
        "forwarded": sent is not None,
        "endpoints": _endpoints(snapshot, explained.route) if explained.route else [],
        "ways": way_data(snapshot.config, explained.route.upstream, explained.sent) if explained.route else None,
        "deadline_s": explained.deadline_s,
        "metadata": _metadata(snapshot, sent, explained.route) if sent and explained.route else [],
        "message": explained.message,
        "answer": {"status": answer.status, "headers": _texts(answer.headers), "body": _json(answer.body)}
        if answer
        else None,
    }


def _texts(headers: Sequence[Header]) -> list[list[str]]:
    return [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers]


def _metadata(snapshot: Snapshot, sent: UnaryRequest, route: Route) -> list[list[str]]:
    """What the request brings, then what the upstream's configuration adds: its values are secrets and print as stars."""
    added = snapshot.config.upstreams[route.upstream].metadata
    return _texts(sent.metadata) + [[name, str(value)] for name, value in added.items()]


def _json(body: bytes) -> Any:  # noqa: ANN401  # JSON of any shape
    return orjson.loads(body) if body else None


def _endpoints(snapshot: Snapshot, route: Route) -> list[str]:
    upstream = snapshot.config.upstreams[route.upstream]
    found, pods = upstream.consul, upstream.kubernetes
    if pods is not None:
        return [f"kubernetes {pods.service}.{pods.namespace} (port {pods.port or 'the only one'})"]
    if found is None:
        return [str(endpoint) for endpoint in upstream.endpoints]
    if found.listener is not None:
        return [f"{found.listener} (our sidecar)"]
    return [f"consul {found.service or f'query {found.query}'} ({found.dial})"]


def _lines(snapshot: Snapshot, asked: Asked, explained: Explanation) -> Iterator[str]:
    """The explanation for people: from the match to what goes out."""
    yield f"request    {asked.method} {asked.url}"
    if explained.route:
        yield from _match_lines(snapshot, explained, explained.route)
    else:
        yield "match      none"
        yield from (f"  near     {miss.method} {miss.template}: {miss.reason}" for miss in explained.near)
    if explained.sent:
        yield from _sent_lines(snapshot, explained)
    else:
        yield from _answer_lines(explained)


def _match_lines(snapshot: Snapshot, explained: Explanation, route: Route) -> Iterator[str]:
    yield f"match      {route.binding.http_method} {route.binding.template}   ({route.binding.source})"
    for bound in explained.bound:
        yield f"  {bound.source:<8} {bound.field} = {bound.value}"
    yield f"rpc        {route.rpc.path}   (api {route.api})"
    yield f"upstream   {route.upstream}: {', '.join(_endpoints(snapshot, route))}"
    yield from way_lines(snapshot.config, route.upstream, explained.sent)
    yield f"policies   {', '.join(policy_names())}"
    yield f"deadline   {_deadline(explained.deadline_s, route)}"


def _sent_lines(snapshot: Snapshot, explained: Explanation) -> Iterator[str]:
    assert explained.sent is not None
    assert explained.route is not None
    for name, value in _metadata(snapshot, explained.sent, explained.route):
        yield f"metadata   {name}: {value}"
    text = orjson.dumps(explained.message, option=orjson.OPT_INDENT_2).decode()
    yield f"message    {explained.route.rpc.input_type}, {len(explained.sent.message)} bytes"
    yield text


def _deadline(deadline_s: float | None, route: Route) -> str:
    if deadline_s is None:
        if streams(route):
            return "none: the method streams"
        return "none: the route has no timeout" if route.timeout_s is None else "none: Grpc-Timeout is malformed"
    of_client = streams(route) or route.timeout_s is None or deadline_s < route.timeout_s
    reason = "the client's Grpc-Timeout" if of_client else "the route's timeout"
    return f"{deadline_s:g}s, {reason}"


def _answer_lines(explained: Explanation) -> Iterator[str]:
    answer = explained.answer
    assert answer is not None
    yield f"answer     {answer.status}, from the gateway: nothing is sent upstream"
    for name, value in _texts(answer.headers):
        yield f"  {name}: {value}"
    yield orjson.dumps(_json(answer.body), option=orjson.OPT_INDENT_2).decode()
