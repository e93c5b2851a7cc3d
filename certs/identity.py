"""
Our identity in the mesh at one moment: leaf, chain, private key, and the roots of every trust domain we trust.

Owns that an `Identity` is consistent: the key is the leaf's, the leaf is an X509-SVID good for both sides of a connection and valid
now, and its trust domain's roots are there. (`certs.rehearsal` proves the rest with a handshake.) It never prints its key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cryptography import x509

from certs.leaf import LeafFault, Side, leaf_faults, spiffe_id_of
from certs.peer import Bundles
from certs.pem import PrivateKey, certificate_der, key_pem
from certs.spiffe import SpiffeId, trust_domain_fault


class IdentityError(ValueError):
    """Certificates, key and roots do not make an identity that can be used; says which check failed."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Identity:
    """A leaf to present and roots to verify peers with. Times are Unix seconds; `chain` is DER, the leaf first."""

    spiffe_id: SpiffeId
    chain: tuple[bytes, ...] = field(repr=False)
    key: bytes = field(repr=False)
    bundles: Bundles = field(repr=False)
    not_before: float
    not_after: float
    serial: int
    to_the_letter: bool = True
    """
    Whether chains of this mesh keep RFC 5280 to the letter. Consul's do not: the intermediate of a secondary datacenter has no
    subject, and a strict OpenSSL refuses every leaf of it for its empty issuer. Envoy and Go verify as this does when False.
    """

    @property
    def lifetime_s(self) -> float:
        """From the first to the last second of the leaf."""
        return self.not_after - self.not_before

    @property
    def trust_domains(self) -> frozenset[str]:
        """Those whose roots we hold."""
        return frozenset(self.bundles)

    def roots(self, trust_domains: frozenset[str]) -> frozenset[bytes]:
        """The roots of these trust domains."""
        return frozenset().union(*(roots for name, roots in self.bundles.items() if name in trust_domains))


def make_identity(
    chain: Sequence[x509.Certificate],
    key: PrivateKey,
    bundles: Mapping[str, Sequence[x509.Certificate]],
    now: float,
    *,
    strict: bool = True,
    to_the_letter: bool = True,
) -> Identity:
    """Put together what a source gave. Raises IdentityError naming the check that failed."""
    if not chain:
        raise IdentityError("there is no certificate")
    leaf = chain[0]
    if leaf.public_key() != key.public_key():
        raise IdentityError("key: it is not the key of the certificate")
    for fault in leaf_faults(leaf, (Side.UPSTREAM, Side.DOWNSTREAM), now, strict=strict):
        raise IdentityError(str(fault))
    found = spiffe_id_of(leaf, strict=strict)
    if isinstance(found, LeafFault):  # leaf_faults has looked; kept for the type
        raise IdentityError(str(found))
    return Identity(
        spiffe_id=found,
        chain=tuple(map(certificate_der, chain)),
        key=key_pem(key),
        bundles=_bundles(bundles, found.trust_domain),
        not_before=leaf.not_valid_before_utc.timestamp(),
        not_after=leaf.not_valid_after_utc.timestamp(),
        serial=leaf.serial_number,
        to_the_letter=to_the_letter,
    )


def trust_domain_of(leaf: x509.Certificate, *, strict: bool = True) -> str:
    """The trust domain a leaf is of. Raises IdentityError."""
    found = spiffe_id_of(leaf, strict=strict)
    if isinstance(found, LeafFault):
        raise IdentityError(str(found))
    return found.trust_domain


def _bundles(given: Mapping[str, Sequence[x509.Certificate]], ours: str) -> Bundles:
    for name, roots in given.items():
        if fault := trust_domain_fault(name):
            raise IdentityError(f"roots: {fault}")
        for root in roots:
            if not _is_ca(root):
                raise IdentityError(f"roots: {name} holds a certificate that is not a CA's")
    held = {name: frozenset(map(certificate_der, roots)) for name, roots in given.items() if roots}
    if ours not in held:
        raise IdentityError(f"roots: none of {ours}, the trust domain of the certificate")
    return held


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return False
