"""
Who sent a request: its address as far as it is believed, what it says it is, and what the service is told of both.

Owns that the service hears of its client by our own word (X-Forwarded-*, replaced unless a trusted proxy said it), and that what is
remembered of clients stays small whatever they send. Source: docs/adr/0005-metadata.md; `core.forwarded` decides whom to believe.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from edge.core.forwarded import Forwarded, Network, forwarded
from edge.core.metadata import plain
from edge.ingress.service import Head, Header

_MAX_BYTES = 512
"""Of what is remembered, host and user agent: heads that are refused bring any, and what a client can make us hold is small."""


class Client(NamedTuple):
    """What is known of a request's sender; `metadata` is what its service is told of it."""

    origin: Forwarded
    user_agent: str
    metadata: Sequence[Header]


def client_of(head: Head, trusted: Sequence[Network]) -> Client:
    """The sender of a head. `trusted` are the proxies that are believed."""
    first = head.first
    host, agent = first.get(b"host", b""), first.get(b"user-agent", b"")
    if not trusted:  # the common case needs no parsing
        known = _direct if len(host) + len(agent) <= _MAX_BYTES else _direct.__wrapped__
        return known(head.peer, host, agent, head.secure)
    origin = forwarded(
        head.peer,
        chain=", ".join(value.decode("latin-1") for name, value in head.headers if name == b"x-forwarded-for"),
        proto=head.get(b"x-forwarded-proto"),
        host=head.get(b"x-forwarded-host"),
        secure=head.secure,
        own_host=host.decode("latin-1"),
        trusted=trusted,
    )
    return _told(origin, agent.decode("latin-1"))


@lru_cache(maxsize=1024)  # few clients make most calls; one that fills it makes others be written again
def _direct(peer: str, host: bytes, agent: bytes, secure: bool) -> Client:
    """A client that has no proxy before us."""
    origin = Forwarded(peer, peer, "https" if secure else "http", host.decode("latin-1"))
    return _told(origin, agent.decode("latin-1"))


def _told(origin: Forwarded, agent: str) -> Client:
    entries = (
        (b"x-forwarded-for", origin.chain),
        (b"x-forwarded-proto", origin.proto),
        (b"x-forwarded-host", origin.host),
        (b"x-forwarded-user-agent", agent),
    )
    return Client(origin, agent, plain(entries))
