"""
One identity in use on one side of our connections: until when, and who the peers of those connections are.

Owns the verdict on a peer and the date by which its connections must be gone. A connection knows its generation through its TLS
context (`generation_of`), so nothing has to be remembered per connection, and a generation lives as long as one of them does.
"""

from __future__ import annotations

import hashlib
import ssl
from collections import OrderedDict
from dataclasses import dataclass, field

from certs.context import verified_chain
from certs.identity import Identity
from certs.leaf import LeafFault
from certs.peer import Peer, PeerRules, anchor_fault, examine

DRAIN_SHARE = 0.05
"""Of a leaf's lifetime, left when its connections begin to drain: 3.6 h of Consul's 72 h, which it renews at 90 % at the latest."""
MAX_ANCHORED = 4096
"""
Leaves remembered per generation as anchored in their trust domain. Whoever presents more is verified anew each time: nothing is won.
"""


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Generation:
    """One identity in use on one side. Compared by identity."""

    number: int
    identity: Identity
    rules: PeerRules
    _anchored: OrderedDict[bytes, None] = field(default_factory=OrderedDict, repr=False)

    @property
    def drain_at(self) -> float:
        """When its connections must begin to drain, in Unix seconds."""
        return self.identity.not_after - DRAIN_SHARE * self.identity.lifetime_s

    @property
    def roots(self) -> frozenset[bytes]:
        """What its peers were verified with."""
        return self.identity.roots(self.rules.domains(self.identity.trust_domains))

    def verify(self, session: ssl.SSLObject, now: float) -> Peer | LeafFault:
        """Who the other end of a finished handshake is."""
        der = session.getpeercert(binary_form=True)
        domains = self.rules.domains(self.identity.trust_domains)
        peer = examine(der, self.rules, domains, now)
        if isinstance(peer, LeafFault) or der is None or self.rules.any_trust_domain or len(domains) == 1:
            return peer
        return self._anchor_fault(session, peer, hashlib.sha256(der).digest()) or peer

    def _anchor_fault(self, session: ssl.SSLObject, peer: Peer, leaf: bytes) -> LeafFault | None:
        """A resumed session has no chain; but its leaf was looked at when the session was made, by this same generation."""
        if leaf in self._anchored:
            self._anchored.move_to_end(leaf)
            return None
        fault = anchor_fault(verified_chain(session), peer, self.identity.bundles)
        if fault is None:
            self._anchored[leaf] = None
            if len(self._anchored) > MAX_ANCHORED:
                self._anchored.popitem(last=False)
        return fault


class GenerationContext(ssl.SSLContext):
    """A context that knows its generation."""

    generation: Generation | None = None


def generation_of(session: ssl.SSLObject) -> Generation | None:
    """The generation a connection was made with; None for connections that are none of ours."""
    context = session.context
    return context.generation if isinstance(context, GenerationContext) else None
