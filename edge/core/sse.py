"""
Server-sent events: messages as events, silence as comments.

Owns the form: an id where there is one, one `data` line per line of text, the blank line that sends the event off.
Source: https://html.spec.whatwg.org/multipage/server-sent-events.html (9.2.5, 9.2.6).
"""

from __future__ import annotations

import re

MEDIA_TYPE = "text/event-stream"
HEARTBEAT = b":\n\n"
"""A comment: clients skip it, proxies see that the connection lives."""

_LINE_END = re.compile(rb"\r\n|\r|\n")
_ID_STOPS = re.compile(r"[\r\n\0]")


def event(data: bytes, *, id_: str = "", name: str = "") -> bytes:
    """One event. An id that no client would take back (it has a line break or NUL) is left out."""
    out = b""
    if id_ and not _ID_STOPS.search(id_):
        out += b"id: %b\n" % id_.encode()
    if name:
        out += b"event: %b\n" % name.encode()
    if b"\n" in data or b"\r" in data:
        data = b"\ndata: ".join(_LINE_END.split(data))
    return b"%bdata: %b\n\n" % (out, data)
