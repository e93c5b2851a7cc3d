"""
Who the client is when proxies stand before us: X-Forwarded-For read from the right, through trusted hops only.

Owns the rule that an address is believed only as far as an unbroken chain of trusted proxies vouches for it; anything a client
claims further left is passed on only behind a trusted hop, and is replaced otherwise. Source: RFC 7239 section 8.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple

Network = IPv4Network | IPv6Network


class Forwarded(NamedTuple):
    """What we believe, and what we say upstream: the client's address, the X-Forwarded-For list, scheme and host."""

    client: str
    chain: str
    proto: str
    host: str


def forwarded(
    peer: str, *, chain: str, proto: str, host: str, secure: bool, own_host: str, trusted: Sequence[Network]
) -> Forwarded:
    """
    Decide from the peer's address and the X-Forwarded-For, -Proto and -Host it sent (empty when absent).

    An untrusted peer's claims are dropped: the chain starts anew with the peer. A trusted peer's are kept and the peer appended.
    """
    scheme = "https" if secure else "http"
    if not is_trusted(peer, trusted):
        return Forwarded(peer, peer, scheme, own_host)
    hops = [hop.strip() for hop in chain.split(",") if hop.strip()]
    return Forwarded(
        _client(peer, hops, trusted),
        ", ".join([*hops, peer]),
        proto if proto in ("http", "https") else scheme,
        host or own_host,
    )


def _client(peer: str, hops: Sequence[str], trusted: Sequence[Network]) -> str:
    """The rightmost hop that is not a trusted proxy; the leftmost when all are; the last good one before garbage."""
    client = peer
    for hop in reversed(hops):
        if not _is_address(hop):
            return client
        client = hop
        if not is_trusted(hop, trusted):
            return client
    return client


def is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    """Whether an address lies in one of the networks; an IPv4-mapped IPv6 address counts as its IPv4 address."""
    if not trusted or not _is_address(address):
        return False
    ip = ip_address(address)
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return any(ip.version == network.version and ip in network for network in trusted)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
