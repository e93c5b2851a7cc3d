"""
The Exchange: one call, whatever its dialect, as typed facts that policies decide on and the access log reports.

Owns what is known of a call. Each fact is set once, by the stage that learns it; nothing above reads raw HTTP again.
Times are monotonic seconds (the event loop's clock).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge.outcome import Refusal
from edge.routes import Target


class Dialect(StrEnum):
    """The protocol a downstream speaks. Strings, whose hash costs nothing: every call is looked up by it."""

    REST = "rest"
    GRPC = "grpc"
    GRPC_WEB = "grpc-web"
    CONNECT = "connect"
    WEBSOCKET = "websocket"


@dataclass(slots=True, eq=False)
class Exchange:
    """
    One call from its head to its last byte.

    `path` is the request target's path as received (for logs; routing has been done). `deadline` is absolute. `caller` is the SPIFFE ID
    that the connection has proved, empty outside the mesh.
    """

    dialect: Dialect
    http_method: str
    path: str
    http_version: str
    peer: str
    request_id: str
    started: float
    user_agent: str = ""
    caller: str = ""
    target: Target | None = None
    deadline: float | None = None
    # What became of it, for settle and the access log.
    status: int = 0
    grpc_code: int = 0
    refusal: Refusal | None = None
    request_bytes: int = 0
    response_bytes: int = 0
    upstream_address: str = ""
    upstream_s: float = 0.0
    upstream_via: str = ""
