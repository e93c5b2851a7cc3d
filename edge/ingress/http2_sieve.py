"""
Which events of one read are worth acting on.

Owns the cheapest answer to a rapid reset: a stream that is opened and reset within one read is never looked at, for beginning a call
and cancelling it costs a hundred times what sending it did. Nor is one opened by the read that ends the connection.
Source: CVE-2023-44487; reliability.md A1, A2.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.wire.session import ConnectionFailed, H2Event, HeadersReceived, StreamReset


def worthwhile(events: Sequence[H2Event]) -> Sequence[H2Event]:
    """The events without the heads of streams that are over before the read is; what else these bring finds no stream."""
    if not events:
        return events
    if events[-1].__class__ is ConnectionFailed:
        return [event for event in events if event.__class__ is not HeadersReceived]
    over = {event.stream for event in events if isinstance(event, StreamReset)}
    if not over:
        return events
    return [event for event in events if not isinstance(event, HeadersReceived) or event.stream not in over]
