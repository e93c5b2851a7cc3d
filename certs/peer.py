"""
Who a peer is: the check of its leaf after OpenSSL has verified the chain, against whom we meant to talk to.

Owns the verdict. A peer is a `Peer` only when its leaf is an X509-SVID (certs.leaf), its trust domain is one whose roots we hold, the
name is one we expect, and the chain ended in a root of that very trust domain: roots of several trust domains stand in one store
of OpenSSL's, and it would let one sign for another. Source: SPIFFE Workload API section 4.6, X509-SVID section 5.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from certs.leaf import Check, LeafFault, Side, leaf_faults, parse, spiffe_id_of
from certs.spiffe import SpiffeId

Bundles = Mapping[str, frozenset[bytes]]
"""Roots (DER) by trust domain."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who a certificate proves the peer to be, and until when (Unix seconds)."""

    spiffe_id: SpiffeId
    not_after: float
    serial: int


@dataclass(frozen=True, slots=True)
class PeerRules:
    """
    Whom we talk to.

    `expected`: one of these, or with None anyone of `trust_domains`; `trust_domains` None: of all we hold roots of.
    Not `strict`, as Consul's Go package: an expected ID is met in any trust domain we hold roots of and in any case, usages may be
    missing (not wrong). Two URIs, a CA or an invalid ID are refused either way.
    """

    side: Side
    expected: frozenset[SpiffeId] | None = None
    trust_domains: frozenset[str] | None = None
    strict: bool = True

    def domains(self, held: frozenset[str]) -> frozenset[str]:
        """Of the trust domains we hold roots of, those a peer may be of."""
        if self.trust_domains is not None:
            held &= self.trust_domains
        if self.expected is not None and self.strict:
            held &= {wanted.trust_domain for wanted in self.expected}
        return held

    @property
    def any_trust_domain(self) -> bool:
        """Whether the path alone names the peer: it is then enough that some root of ours signed for it."""
        return self.expected is not None and not self.strict


def examine(der: bytes | None, rules: PeerRules, domains: frozenset[str], now: float) -> Peer | LeafFault:
    """The identity a leaf proves under `rules`, `domains` being those whose roots it may have been verified with."""
    if not der:
        return LeafFault(Check.PRESENCE, "the peer presented no certificate")
    parsed = parse(der)
    if isinstance(parsed, LeafFault):
        return parsed
    for fault in leaf_faults(parsed, (rules.side,), now, strict=rules.strict):
        return fault
    found = spiffe_id_of(parsed, strict=rules.strict)
    if isinstance(found, LeafFault):  # leaf_faults has looked; kept for the type
        return found
    fault_of_name = _name_fault(found, rules, domains)
    return fault_of_name or Peer(found, parsed.not_valid_after_utc.timestamp(), parsed.serial_number)


def _name_fault(found: SpiffeId, rules: PeerRules, domains: frozenset[str]) -> LeafFault | None:
    if not rules.any_trust_domain and found.trust_domain not in domains:
        trusted = ", ".join(sorted(domains)) or "none"
        return LeafFault(Check.TRUST_DOMAIN, f"{found} is of trust domain {found.trust_domain}, not of {trusted}")
    if rules.expected is None or found in rules.expected:
        return None
    if not rules.strict and any(found.same_path(wanted) for wanted in rules.expected):
        return None
    wanted = " or ".join(sorted(map(str, rules.expected)))
    return LeafFault(Check.IDENTITY, f"the peer is {found}, not {wanted}")


def anchor_fault(chain: Sequence[bytes], peer: Peer, bundles: Bundles) -> LeafFault | None:
    """Whether a verified chain (DER, leaf first) ended in a root of another trust domain than the peer's."""
    if chain and chain[-1] in bundles.get(peer.spiffe_id.trust_domain, ()):
        return None
    reason = "its chain ends in a root of another trust domain" if chain else "its chain is not known"
    return LeafFault(Check.ANCHOR, f"the peer says it is {peer.spiffe_id}, but {reason}")
