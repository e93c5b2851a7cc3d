"""The limits a connection keeps to are the configured ones."""

from __future__ import annotations

from edge.config.models import Limits
from edge.ingress.http1_limits import Http1Limits


def test_defaults_agree_with_the_configuration() -> None:
    """Whoever builds a listener without a file gets what an empty `limits:` section gives."""
    assert Http1Limits.of(Limits()) == Http1Limits()


def test_a_head_at_every_limit_fits_the_wire_bound() -> None:
    limits = Http1Limits(max_uri_bytes=10, max_header_bytes=20, max_header_count=5)
    line = b"POST " + 10 * b"x" + b" HTTP/1.1\r\n"
    fields = 5 * b"a: bcd\r\n"
    assert len(line + fields + b"\r\n") <= limits.max_head_wire_bytes
