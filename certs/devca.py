"""
A certificate authority for development: roots and leaves with SPIFFE IDs, as a mesh's own would issue them.

Owns their profile: EC P-256, leaves as X509-SVID wants them (also in what Consul and SPIRE do: both purposes, no CA, a short life), a
root that may sign for its own trust domain only. It keeps nothing: no serial numbers, no revocation. Not for production.
Source: X509-SVID appendix A; RFC 5280 section 4.2.1.10 (name constraints).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from certs.pem import PemError, PrivateKey, certificate_pem, key_pem, read_certificates, read_key
from certs.spiffe import SpiffeId

BACKDATED_S = 300.0
"""How long before now a certificate is valid: clocks differ."""

_HOST_NAME = re.compile(r"(?=.*[a-z])[a-z0-9-]+(\.[a-z0-9-]+)*", re.ASCII)
_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
    "encipher_only", "decipher_only",
)  # fmt: skip


class DevCaError(ValueError):
    """The authority cannot be used, or not for this."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: PrivateKey

    @property
    def certificate_pem(self) -> bytes:
        """For the certificate's file."""
        return certificate_pem(self.certificate)

    @property
    def key_pem(self) -> bytes:
        """For the key's file."""
        return key_pem(self.key)


@dataclass(frozen=True, slots=True)
class Authority:
    """A root that signs leaves of its trust domain."""

    root: Issued
    trust_domain: str

    def issue(self, spiffe_id: SpiffeId, now: float, ttl_s: float, dns: Sequence[str] = ()) -> Issued:
        """A leaf with a new key, valid for `ttl_s` from `now` (Unix seconds). Raises DevCaError."""
        if not spiffe_id.path:
            raise DevCaError(f"{spiffe_id} has no path: it is the trust domain's own ID")
        if spiffe_id.trust_domain != self.trust_domain:
            raise DevCaError(f"{spiffe_id} is not of {self.trust_domain}, the authority's trust domain")
        if now + ttl_s > self.root.certificate.not_valid_after_utc.timestamp():
            raise DevCaError(
                f"the authority itself ends at {self.root.certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
            )
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, spiffe_id.path.rpartition("/")[2][:64])])
        names = [x509.UniformResourceIdentifier(str(spiffe_id)), *map(x509.DNSName, dns)]
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = _builder(subject, self.root.certificate.subject, key, self.root.key, now, ttl_s)
        builder = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage("digital_signature"), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
        )
        return Issued(_signed(builder, self.root.key), key)


def new_authority(trust_domain: str, now: float, ttl_s: float, *, constrained: bool = True) -> Authority:
    """
    A self-signed root for a trust domain. Raises SpiffeIdError.

    `constrained`: verifiers refuse leaves of another trust domain under it. Left out for a name that is no host name, where verifiers
    disagree about what a constraint means.
    """
    own_id = SpiffeId(trust_domain)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "edge development CA"),
            x509.NameAttribute(NameOID.COMMON_NAME, trust_domain[:64]),
        ]
    )
    builder = (
        _builder(subject, subject, key, key, now, ttl_s)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(str(own_id))]), critical=False)
    )
    if constrained and _HOST_NAME.fullmatch(trust_domain):
        permitted = [x509.UniformResourceIdentifier(trust_domain)]
        builder = builder.add_extension(x509.NameConstraints(permitted, None), critical=True)
    return Authority(Issued(_signed(builder, key), key), trust_domain)


def read_authority(certificate: bytes, key: bytes) -> Authority:
    """An authority from its two PEMs. Raises DevCaError."""
    try:
        root = Issued(read_certificates(certificate)[0], read_key(key))
        constraints = root.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        names = root.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        (own_id,) = names.get_values_for_type(x509.UniformResourceIdentifier)
        trust_domain = SpiffeId.parse(own_id).trust_domain
    except (PemError, ValueError, x509.ExtensionNotFound) as error:
        raise DevCaError(f"it is no CA with a SPIFFE ID: {error}") from error
    if not constraints.ca:
        raise DevCaError("it is no CA's certificate")
    if root.certificate.public_key() != root.key.public_key():
        raise DevCaError("the key is not the certificate's")
    return Authority(root, trust_domain)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, signer: PrivateKey, now: float, ttl_s: float
) -> x509.CertificateBuilder:
    begins = datetime.fromtimestamp(now, UTC).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins - timedelta(seconds=BACKDATED_S))
        .not_valid_after(begins + timedelta(seconds=ttl_s))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )


def _signed(builder: x509.CertificateBuilder, signer: PrivateKey) -> x509.Certificate:
    hashes_itself = isinstance(signer, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    return builder.sign(signer, None if hashes_itself else hashes.SHA256())


def _usage(*names: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: name in names for name in _USAGES})
