"""Certificates of every kind, good and hostile, which no library that means well would make."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from certs.identity import Identity, make_identity
from certs.pem import certificate_der, certificate_pem, key_pem

TD = "td.test"
SHOP = f"spiffe://{TD}/ns/default/dc/dc1/svc/shop"
EDGE = f"spiffe://{TD}/ns/default/dc/dc1/svc/edge"
BOTH = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


@dataclass(frozen=True)
class Minted:
    """A certificate, its key, and the chain to send with it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    above: tuple[x509.Certificate, ...] = field(default=())

    @property
    def der(self) -> bytes:
        return certificate_der(self.certificate)

    @property
    def pem(self) -> bytes:
        return certificate_pem(self.certificate)

    @property
    def key_pem(self) -> bytes:
        return key_pem(self.key)

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        return (self.certificate, *self.above)

    @property
    def chain_pem(self) -> bytes:
        return b"".join(map(certificate_pem, self.chain))


def mint(
    issuer: Minted | None = None,
    *uris: str,
    ca: bool = False,
    name: str | None = "",
    begins_s: float = -3600,
    ends_s: float = 43_200,
    dns: Sequence[str] = (),
    signing: bool = True,
    usages: Sequence[str] | None = None,
    purposes: Sequence[ObjectIdentifier] | None = BOTH,
    constraints: bool = True,
    permitted: str | None = None,
    more: Sequence[x509.ExtensionType] = (),
) -> Minted:
    """
    A certificate signed by `issuer`, by itself without one; times are seconds from now.

    `usages` None leaves key usage out when `signing` is off; `purposes` None leaves the extended one out.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    common_name = name or ("ca" if ca else "leaf")
    subject = x509.Name([] if name is None else [x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    signer = issuer.key if issuer else key
    now = datetime.fromtimestamp(time.time(), UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(seconds=begins_s))
        .not_valid_after(now + timedelta(seconds=ends_s))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if constraints:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    wanted = usages if usages is not None else ("key_cert_sign", "crl_sign") if ca else ("digital_signature",)
    if signing:
        builder = builder.add_extension(_usage(wanted), critical=True)
    if purposes is not None and not (ca and purposes is BOTH):
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    names = [*map(x509.UniformResourceIdentifier, uris), *map(x509.DNSName, dns)]
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=name is None)
    if permitted is not None:
        subtrees = [x509.UniformResourceIdentifier(permitted)]
        builder = builder.add_extension(x509.NameConstraints(subtrees, None), critical=True)
    for extension in more:
        builder = builder.add_extension(extension, critical=False)
    signed_by_root = issuer is None or issuer.certificate.issuer == issuer.certificate.subject
    above = () if issuer is None or signed_by_root else (issuer.certificate, *issuer.above)
    return Minted(builder.sign(signer, hashes.SHA256()), key, above)


def _usage(names: Sequence[str]) -> x509.KeyUsage:
    every = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign",
        "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{one: one in names for one in every})


def root(trust_domain: str = TD, **more: object) -> Minted:
    """A mesh's root."""
    return mint(None, f"spiffe://{trust_domain}", ca=True, **more)  # type: ignore[arg-type]  # passed through


def identity(leaf: Minted, *roots: Minted, federated: dict[str, Sequence[Minted]] | None = None) -> Identity:
    """An identity of the test trust domain."""
    bundles = {TD: [one.certificate for one in roots]}
    for name, others in (federated or {}).items():
        bundles[name] = [one.certificate for one in others]
    return make_identity(leaf.chain, leaf.key, bundles, time.time())
