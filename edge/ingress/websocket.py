"""
The WebSocket dialect's reading of heads: which RPC, whether this page may, and in which subprotocol.

Owns the refusal of pages of other origins: a browser opens a WebSocket to anywhere, cookies included, and asks nobody.
Source: docs/adr/0009-websocket.md; RFC 6455 section 4.2; RFC 8441; RFC 6454.
"""

from __future__ import annotations

from functools import partial
from http import HTTPMethod

from edge.core.cors import without_default_port
from edge.core.websocket_handshake import Handshake, HandshakeError, Subprotocol, accepted, handshake, response_fields
from edge.ingress.message_form import form_of
from edge.ingress.opening import Opening, resolve
from edge.ingress.respond import refusal_answer
from edge.ingress.rpc_target import is_streaming, rpc_target
from edge.ingress.service import Answer, Call, Header, StreamCall
from edge.ingress.serving import WebSocketSettings
from edge.ingress.stream_call import StreamCall as StreamingCall
from edge.ingress.upgrade import Upgrade
from edge.ingress.websocket_connection import WebSocketTerms, take_over
from edge.ingress.websocket_http2 import WebSocketOnStream
from edge.ingress.websocket_speech import FrameForm, RouteFrames, RpcFrames, WebSocketSpeech
from edge.outcome import Fault, Refusal
from edge.routes import Match, Missing, Route, RouteTable, Target

_METHODS = (HTTPMethod.GET, HTTPMethod.POST, HTTPMethod.PUT, HTTPMethod.PATCH, HTTPMethod.DELETE)


class WebSocketFront:
    """`DialectFront` for WebSocket."""

    def open(self, opening: Opening) -> Call | StreamCall | Refusal:
        """Find the RPC by the path, check the page and the handshake."""
        match = _match(opening.serving.routes, opening.head.path)
        target = rpc_target(opening) if match is None else match.value
        if isinstance(target, Refusal):
            return target
        settings = opening.serving.apis[target.api].websocket
        if settings is None:
            return Refusal(Fault.RPC_UNKNOWN, message="the API is not offered over WebSocket")
        refusal = _page_refusal(opening, target) or resolve(
            opening, target, deadline_from_route=not is_streaming(target)
        )
        return refusal or _accepted(opening, target, match, settings)

    def refused(self, opening: Opening, refusal: Refusal) -> Answer:
        """google.rpc.Status as JSON, for those who look; browsers show scripts nothing of it."""
        answer = refusal_answer(refusal)
        if refusal.fault is not Fault.UPGRADE_REQUIRED:
            return answer
        fields: list[Header] = [
            *answer.headers,
            (b"upgrade", b"websocket"),
            (b"connection", b"Upgrade"),
            (b"sec-websocket-version", b"13"),
        ]
        return answer._replace(headers=fields)


def _match(routes: RouteTable, path: str) -> Match | None:
    """The binding of a path: of a streaming RPC before a unary one's, then in the methods' order."""
    found = [match for method in _METHODS if not isinstance(match := routes.lookup(method, path), Missing)]
    return min(found, key=lambda match: not is_streaming(match.value), default=None)


def _page_refusal(opening: Opening, target: Target) -> Refusal | None:
    """
    Why the page that asks may not open it.

    A listed page without credentials may, but not as the user: the cookies its browser added go no further.
    """
    page = opening.head.get(b"origin")
    if not page or _is_own(page, opening.client.origin.host):
        return None
    rules = opening.serving.apis[target.api].cors
    # `*` lists nobody: it says "without credentials", and here they always come along.
    if rules is None or not rules.lists(page):
        return Refusal(Fault.ORIGIN_REFUSED)
    if not rules.credentials:
        headers = [field for field in opening.head.headers if field[0] not in (b"cookie", b"authorization")]
        opening.head = opening.head.with_headers(headers)
    return None


def _is_own(page: str, host: str) -> bool:
    """Whether a page is of the host that was asked. The scheme is not compared: TLS may end before us."""
    scheme, _, authority = without_default_port(page.lower()).partition("://")
    return bool(authority) and f"{scheme}://{authority}" == without_default_port(f"{scheme}://{host.lower()}")


def _accepted(
    opening: Opening, target: Target, match: Match | None, settings: WebSocketSettings
) -> StreamCall | Refusal:
    on_stream = bool(opening.head.protocol)
    try:
        given = handshake(opening.head.headers, keyed=not on_stream)
        subprotocol = accepted(given, list(Subprotocol) if match is None else [Subprotocol.JSON])
    except HandshakeError as error:
        fault = Fault.UPGRADE_REQUIRED if error.version else Fault.MALFORMED_REQUEST
        return Refusal(fault, message=str(error))
    awaits = _awaits(target)
    speech = WebSocketSpeech(opening, _form(opening, target, match, subprotocol), awaits)
    terms = WebSocketTerms(
        _fields(given, subprotocol, opening),
        text=subprotocol is Subprotocol.JSON,
        max_messages=awaits,
        max_message_bytes=opening.serving.max_body_bytes,
        ping_interval_s=settings.ping_interval_s,
    )
    call = StreamingCall(opening, speech, by_message=True)
    if on_stream:
        return WebSocketOnStream(call, terms, opening.head, settings.write_timeout_s)
    return Upgrade(call, partial(take_over, terms))


def _awaits(target: Target) -> int | None:
    """How many messages the client sends; none where the rule has no body, since the handshake then says everything."""
    if target.rpc.client_streaming:
        return None
    return 0 if isinstance(target, Route) and not target.binding.body else 1


def _form(opening: Opening, target: Target, match: Match | None, subprotocol: Subprotocol) -> FrameForm:
    if match is not None:
        return RouteFrames(match.value, match.captures, opening.head.query)
    form = form_of(subprotocol.value.removeprefix("edge."), target)
    assert form is not None
    return RpcFrames(form)


def _fields(given: Handshake, subprotocol: Subprotocol, opening: Opening) -> list[Header]:
    return [*response_fields(given, subprotocol), opening.id_field]
