"""A TLS handshake between two contexts, in memory."""

from __future__ import annotations

import ssl
from contextlib import suppress


def shake(
    downstream: ssl.SSLContext, upstream: ssl.SSLContext, name: str | None = None
) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Both ends of a finished handshake, ours first when we dial. Raises ssl.SSLError of the end that refused."""
    to_up, to_down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        downstream.wrap_bio(to_down, to_up, server_hostname=name),
        upstream.wrap_bio(to_up, to_down, server_side=True),
    )
    return complete(*ends)


def complete(*ends: ssl.SSLObject) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Run a handshake to its end, and read what TLS 1.3 says after it (a refusal among it)."""
    waiting = list(ends)
    for _ in range(8):
        waiting = [end for end in waiting if not _shaken(end)]
    assert not waiting
    for end in ends:
        with suppress(ssl.SSLWantReadError):
            end.read(1)
    return ends[0], ends[1]


def _shaken(end: ssl.SSLObject) -> bool:
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True
