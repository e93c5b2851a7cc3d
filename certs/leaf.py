"""
The check of a leaf certificate: is it an X509-SVID that may be used now?

Owns what OpenSSL's verification of a chain does not look at (measured, docs/certificates.md): exactly one URI SAN that is a SPIFFE
ID, not a CA, usages present and right. Each fault names the check that failed. Pure: a certificate and a time in, faults out.
Source: X509-SVID sections 2 to 5, https://github.com/spiffe/spiffe/blob/main/standards/X509-SVID.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TypeVar

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs.spiffe import SpiffeId, SpiffeIdError, shown

T = TypeVar("T", bound=x509.ExtensionType)


class Check(StrEnum):
    """What is looked at, in this order; the name stands in logs."""

    PRESENCE = "presence"
    ENCODING = "encoding"
    VALIDITY = "validity"
    NOT_A_CA = "not-a-ca"
    KEY_USAGE = "key-usage"
    EXTENDED_KEY_USAGE = "extended-key-usage"
    URI_SAN = "uri-san"
    SPIFFE_ID = "spiffe-id"
    TRUST_DOMAIN = "trust-domain"
    IDENTITY = "identity"
    ANCHOR = "anchor"


class Side(Enum):
    """Where the peer is, seen from us."""

    UPSTREAM = "upstream"
    """A service we dialled: its leaf must allow serverAuth."""
    DOWNSTREAM = "downstream"
    """A caller: its leaf must allow clientAuth."""


_PURPOSE = {
    Side.UPSTREAM: (ExtendedKeyUsageOID.SERVER_AUTH, "serverAuth"),
    Side.DOWNSTREAM: (ExtendedKeyUsageOID.CLIENT_AUTH, "clientAuth"),
}


@dataclass(frozen=True, slots=True)
class LeafFault:
    """Why a certificate proves nothing."""

    check: Check
    detail: str

    def __str__(self) -> str:
        return f"{self.check}: {self.detail}"


def parse(der: bytes) -> x509.Certificate | LeafFault:
    """A certificate whose extensions can be read; cryptography reads them only when asked."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        _ = certificate.extensions, certificate.not_valid_after_utc, certificate.not_valid_before_utc
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, x509.InvalidVersion) as error:
        return LeafFault(Check.ENCODING, f"the certificate cannot be read: {shown(str(error))}")
    return certificate


def leaf_faults(
    certificate: x509.Certificate, sides: tuple[Side, ...], now: float, *, strict: bool = True
) -> Iterator[LeafFault]:
    """All that is wrong with a leaf whoever it names, in the order of `Check`."""
    yield from _validity(certificate, now)
    yield from _not_a_ca(certificate)
    yield from _key_usage(certificate, strict)
    for side in sides:
        yield from _extended_key_usage(certificate, side, strict)
    found = spiffe_id_of(certificate, strict=strict)
    if isinstance(found, LeafFault):
        yield found


def spiffe_id_of(certificate: x509.Certificate, *, strict: bool = True) -> SpiffeId | LeafFault:
    """The ID a leaf names: its only URI SAN, with a path."""
    names = _extension(certificate, x509.SubjectAlternativeName)
    uris = names.get_values_for_type(x509.UniformResourceIdentifier) if names else []
    if len(uris) != 1:
        return LeafFault(Check.URI_SAN, f"{len(uris)} URI SANs; exactly one is allowed")
    try:
        found = SpiffeId.parse(uris[0], lenient=not strict)
    except SpiffeIdError as error:
        return LeafFault(Check.SPIFFE_ID, str(error))
    if not found.path:
        return LeafFault(Check.SPIFFE_ID, f"{found} is a trust domain's own ID, which only a CA may carry")
    return found


def _validity(certificate: x509.Certificate, now: float) -> Iterator[LeafFault]:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < begins.timestamp():
        yield LeafFault(Check.VALIDITY, f"not valid before {begins:%Y-%m-%d %H:%M:%S} UTC")
    if now > ends.timestamp():
        yield LeafFault(Check.VALIDITY, f"expired at {ends:%Y-%m-%d %H:%M:%S} UTC")


def _not_a_ca(certificate: x509.Certificate) -> Iterator[LeafFault]:
    constraints = _extension(certificate, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        yield LeafFault(Check.NOT_A_CA, "the certificate is a CA's; a signing certificate is nobody's identity")


_FORBIDDEN: tuple[tuple[Callable[[x509.KeyUsage], bool], str], ...] = (
    (lambda usage: usage.key_cert_sign, "keyCertSign"),
    (lambda usage: usage.crl_sign, "cRLSign"),
)


def _key_usage(certificate: x509.Certificate, strict: bool) -> Iterator[LeafFault]:
    usage = _extension(certificate, x509.KeyUsage)
    if usage is None:
        if strict:
            yield LeafFault(Check.KEY_USAGE, "no key usage; digitalSignature is required")
        return
    if not usage.digital_signature:
        yield LeafFault(Check.KEY_USAGE, "digitalSignature is missing")
    for is_set, name in _FORBIDDEN:
        if is_set(usage):
            yield LeafFault(Check.KEY_USAGE, f"{name} is set, which only a CA may have")


def _extended_key_usage(certificate: x509.Certificate, side: Side, strict: bool) -> Iterator[LeafFault]:
    oid, name = _PURPOSE[side]
    usage = _extension(certificate, x509.ExtendedKeyUsage)
    if usage is None:
        if strict:
            yield LeafFault(Check.EXTENDED_KEY_USAGE, f"no extended key usage; {name} is required")
    elif oid not in usage:
        yield LeafFault(Check.EXTENDED_KEY_USAGE, f"{name} is missing")


def _extension(certificate: x509.Certificate, kind: type[T]) -> T | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
