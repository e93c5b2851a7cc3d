"""
The bounds an HTTP/2 connection keeps to beside those of its requests, which are HTTP/1.1's.

Owns the few that are not configured because no operator should have to choose them, and what of all bounds the client is told.
"""

from __future__ import annotations

from edge.ingress.http1_limits import Http1Limits
from edge.wire.session import SessionSettings

MAX_STREAMS = 100
"""Requests at once on a connection (RFC 9113 6.5.2 recommends no less); past it REFUSED_STREAM, which a client may retry."""

STREAM_WINDOW_BYTES = 256 * 1024
"""Of a body nobody has read yet, per stream."""

CONNECTION_WINDOW_BYTES = 1024 * 1024
"""The same for all streams of a connection together."""

GATHERED_BYTES = 16 * 1024 * 1024
"""Of bodies of unary calls still coming, per connection; where a single body may be larger, that much."""

CHUNK_BYTES = 32 * 1024
"""What one stream may send before the next one's turn."""

MIN_PROGRESS_BYTES = 1024
"""What a reader must take of an answer within the write timeout; less is a reader that only holds us (CVE-2019-9517)."""

DRAIN_NOTICE_S = 1.0
"""Between the two GOAWAYs of a drain, when the client answers no ping: requests on their way may still arrive."""

KEEPALIVE_S = 30.0
"""A connection with open streams on which nothing was heard for so long is pinged, and cut when that is not answered in time."""

KEEPALIVE_TIMEOUT_S = 10.0

TICK_S = 0.5
"""How often streams that someone waits for are looked at: what is late is seen within a second, be the loop as busy as it may."""

_FIELD_OVERHEAD_BYTES = 32  # RFC 9113 6.5.2: each field counts so much more than its name and value


def session_settings(limits: Http1Limits, *, connect_protocol: bool = False) -> SessionSettings:
    """What the client is told, and held to; `connect_protocol`: that it may open WebSockets on streams."""
    return SessionSettings(
        max_concurrent_streams=MAX_STREAMS,
        stream_window_bytes=STREAM_WINDOW_BYTES,
        connection_window_bytes=CONNECTION_WINDOW_BYTES,
        max_header_list_bytes=limits.max_uri_bytes
        + limits.max_header_bytes
        + _FIELD_OVERHEAD_BYTES * (limits.max_header_count + 4),
        connect_protocol=connect_protocol,
    )
