"""What of the limits a client is told."""

from __future__ import annotations

from edge.ingress.http1_limits import Http1Limits
from edge.ingress.http2_limits import MAX_STREAMS, session_settings


def test_a_request_within_the_limits_is_within_what_is_announced() -> None:
    """RFC 9113 6.5.2 counts 32 bytes more for each field, the four pseudo-fields included."""
    limits = Http1Limits(max_uri_bytes=10, max_header_bytes=100, max_header_count=3)
    settings = session_settings(limits)
    assert settings.max_header_list_bytes == 10 + 100 + 32 * (3 + 4)
    assert settings.max_concurrent_streams == MAX_STREAMS
    assert settings.stream_window_bytes < settings.connection_window_bytes


def test_websockets_are_offered_where_there_are_some() -> None:
    assert not session_settings(Http1Limits()).connect_protocol
    assert session_settings(Http1Limits(), connect_protocol=True).connect_protocol
