"""
Where an HTTP/1.1 connection stands.

Owns the order of the states, which says what becomes of bytes that come: up to STREAM they go to the reader, up to READY they are kept,
then they are dropped. Plain integers: an Enum member costs 80 ns each time it is named, and a request names a dozen.
"""

from __future__ import annotations

IDLE = 0  # between requests
HEAD = 1  # a request's first byte was seen
BODY = 2  # the service took the call on
DISCARD = 3  # answered already; the rest of a small body passes by
STREAM = 4  # a streaming call runs, and its body still comes
CALL = 5  # the call runs; its body is whole
FLUSH = 6  # the answer waits for a slow reader
READY = 7  # the next pipelined request is due in the next turn of the loop
DEAF = 8  # a streaming call runs, and its body broke off
LINGER = 9  # the answer was the last; the client's remaining bytes are dropped so that it can read it
CLOSED = 10  # closing or gone
