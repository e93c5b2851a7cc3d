"""
The dialects spoken on every listener, in one table.

Owns which there are. How a head is told apart is `ingress.choosing`'s decision.
"""

from __future__ import annotations

from collections.abc import Callable

from edge.exchange import Dialect
from edge.ingress.choosing import choose
from edge.ingress.connect import ConnectFront
from edge.ingress.front import Front
from edge.ingress.grpc import GrpcFront
from edge.ingress.grpcweb import GrpcWebFront
from edge.ingress.opening import DialectFront
from edge.ingress.rest import RestFront
from edge.ingress.serving import Serving
from edge.ingress.websocket import WebSocketFront
from edge.pipeline import Pipeline

DIALECTS: dict[Dialect, DialectFront] = {
    Dialect.REST: RestFront(),
    Dialect.GRPC: GrpcFront(),
    Dialect.GRPC_WEB: GrpcWebFront(),
    Dialect.CONNECT: ConnectFront(),
    Dialect.WEBSOCKET: WebSocketFront(),
}


def front(
    current: Callable[[], Serving], pipeline: Pipeline, now: Callable[[], float], new_id: Callable[[], str]
) -> Front:
    """The service behind every listener."""
    return Front(DIALECTS, choose, current, pipeline, now, new_id)
