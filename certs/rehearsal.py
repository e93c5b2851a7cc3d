"""
Proof that an identity works: it shakes hands with itself, in memory, as both sides at once.

Owns the last check before an identity is used: what OpenSSL would tell our peers (chain not complete, roots that did not sign it,
purposes) it tells us first, and the last good identity stays. Consul's `Ready()` has the same rule; a handshake of EC keys costs
about a millisecond, once per rotation.
"""

from __future__ import annotations

import ssl

from certs.context import H2, make_context
from certs.identity import Identity, IdentityError
from certs.leaf import Side
from certs.peer import PeerRules
from certs.spiffe import SpiffeId

_TURNS = 8  # a TLS 1.3 handshake with client certificates needs three


def rehearse(identity: Identity, *, strict: bool = True) -> None:
    """Raise IdentityError when no peer that trusts our roots would accept the identity."""
    ours = frozenset({identity.spiffe_id})
    try:
        downstream = _side(identity, Side.UPSTREAM, ours, strict=strict)
        upstream = _side(identity, Side.DOWNSTREAM, ours, strict=strict)
    except (ssl.SSLError, OSError) as error:
        raise IdentityError(f"key or chain: {error}") from error
    to_up, to_down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [downstream.wrap_bio(to_down, to_up), upstream.wrap_bio(to_up, to_down, server_side=True)]
    try:
        for _ in range(_TURNS):
            ends = [end for end in ends if not _shaken(end)]
    except ssl.SSLCertVerificationError as error:
        raise IdentityError(f"chain: {error.verify_message}") from error
    except ssl.SSLError as error:
        raise IdentityError(f"handshake: {error.reason or error}") from error
    if ends:
        raise IdentityError("handshake: it did not end")


def _side(identity: Identity, side: Side, ours: frozenset[SpiffeId], *, strict: bool) -> ssl.SSLContext:
    return make_context(identity, PeerRules(side, expected=ours, strict=strict), H2)


def _shaken(end: ssl.SSLObject) -> bool:
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True
