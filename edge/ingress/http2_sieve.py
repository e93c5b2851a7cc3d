"""
Which events of one read are worth acting on.

Owns the cheapest answer to a rapid reset: a stream that is opened and reset within one read is never looked at, for beginning a call
and cancelling it costs a hundred times what sending it did. Nor is one opened by the read that ends the connection. Where a read is
looked at in pieces (`http2_inlet`), the last head of a piece waits for the next one, which may bring its reset.
Source: CVE-2023-44487; reliability.md A1, A2.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.wire.session import ConnectionFailed, H2Event, HeadersReceived, StreamReset


class Sieve:
    """Keeps back, between the pieces of a read, what it cannot judge yet."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: list[H2Event] = []

    def sift(self, events: list[H2Event], *, more: bool) -> Sequence[H2Event]:
        """What is worth acting on now; `more` when another piece of the read follows."""
        if self._kept:
            events = self._kept + events
            self._kept = []
        if more and events and events[-1].__class__ is not ConnectionFailed:
            last = next((at for at in range(len(events) - 1, -1, -1) if events[at].__class__ is HeadersReceived), None)
            if last is not None:
                events, self._kept = events[:last], events[last:]
        return worthwhile(events)


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
