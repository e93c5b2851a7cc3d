"""
Which dialect a request's head is in.

Owns that decision, made once, on the head alone: the content type names gRPC, gRPC-Web and Connect; a Connect call may also name itself
by its protocol header, its query or, for lack of any other meaning, its path. A WebSocket asks for an Upgrade, or by an extended CONNECT.
Everything else is REST. Source: PROTOCOL-HTTP2.md, PROTOCOL-WEB.md, https://connectrpc.com/docs/protocol, RFC 6455 section 4, RFC 8441.
"""

from __future__ import annotations

from edge.core.connect_get import marked
from edge.core.websocket_handshake import WEBSOCKET, is_handshake
from edge.exchange import Dialect
from edge.ingress.service import Head
from edge.ingress.serving import Serving
from edge.routes import Missing

_GRPC = b"application/grpc"
_GRPC_WEB = b"application/grpc-web"
_CONNECT_STREAM = b"application/connect+"


# An Enum's member costs 80 ns each time it is named, a global of the module 5.
_TO_REST, _TO_GRPC, _TO_GRPC_WEB = Dialect.REST, Dialect.GRPC, Dialect.GRPC_WEB
_TO_CONNECT, _TO_WEBSOCKET = Dialect.CONNECT, Dialect.WEBSOCKET


def choose(head: Head, serving: Serving) -> Dialect:
    """The dialect of a head."""
    first = head.first
    if serving.has_websocket and _opens_websocket(head):
        return _TO_WEBSOCKET  # where no API offers it, the Upgrade is ignored (RFC 9110 7.8)
    if content_type := first.get(b"content-type"):
        content_type = content_type.lower()
        if content_type.startswith(_GRPC_WEB):
            return _TO_GRPC_WEB
        if content_type.startswith(_GRPC) and content_type[len(_GRPC) :][:1] in (b"", b"+", b";", b" "):
            return _TO_GRPC
        if content_type.startswith(_CONNECT_STREAM):
            return _TO_CONNECT
    if b"connect-protocol-version" in first:
        return _TO_CONNECT
    if head.path in serving.routes.targets and _is_connect_path(head, serving):
        return _TO_CONNECT
    return _TO_REST


def _opens_websocket(head: Head) -> bool:
    if head.protocol == WEBSOCKET:
        return True
    return b"upgrade" in head.first and not head.has_body and is_handshake(head.method, head.version, head.headers)


def _is_connect_path(head: Head, serving: Serving) -> bool:
    """An RPC's own path is Connect's when the query says so, or when no REST route claims it for the method."""
    return marked(head.query) or isinstance(serving.routes.lookup(head.method, head.path), Missing)
