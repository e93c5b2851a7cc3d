"""
The bounds an HTTP/1.1 connection keeps to, as plain numbers.

Owns their names and the few that are not configured because no operator should have to choose them.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.config.models import Limits

QUEUE_BYTES = 64 * 1024
"""Pipelined bytes kept while a request runs before the socket is no longer read; one read (256 KiB in uvloop) may come on top."""

DISCARD_BYTES = 64 * 1024
"""A refused request's body up to this size is read and thrown away to keep the connection; a larger one ends it."""

BODY_BYTES = 64 * 1024
"""What is held of a streaming call's body before the socket is no longer read; one read may come on top."""

DRAIN_GRACE_S = 1.0
"""How long a connection accepted just before a drain may take to begin its one request."""


@dataclass(frozen=True, slots=True)
class Http1Limits:
    """Sizes in bytes, times in seconds. See edge.config.models.Limits for what happens past each."""

    max_uri_bytes: int = 8 * 1024
    max_header_bytes: int = 64 * 1024
    max_header_count: int = 100
    header_timeout_s: float = 10.0
    body_timeout_s: float = 30.0
    idle_timeout_s: float = 60.0
    write_timeout_s: float = 30.0
    linger_s: float = 5.0

    @classmethod
    def of(cls, limits: Limits) -> Http1Limits:
        """The configured limits as plain values."""
        return cls(
            max_uri_bytes=int(limits.max_uri_bytes),
            max_header_bytes=int(limits.max_header_bytes),
            max_header_count=limits.max_header_count,
            header_timeout_s=float(limits.header_timeout),
            body_timeout_s=float(limits.body_timeout),
            idle_timeout_s=float(limits.idle_timeout),
            write_timeout_s=float(limits.write_timeout),
        )

    @property
    def max_head_wire_bytes(self) -> int:
        """A whole head as sent: target, fields, `: ` and CRLF of each, the request line's rest; bounds padding white space."""
        return self.max_uri_bytes + self.max_header_bytes + 4 * self.max_header_count + 64
