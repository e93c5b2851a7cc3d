"""
Certificates as facts to print: what stands in one, how long it is good for, and what the strict check has against it.

Owns the words. Everything a stranger wrote into a certificate comes out escaped: a name with a line break in it must not forge a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from certs.leaf import LeafFault, Side, leaf_faults, spiffe_id_of

_USAGES = (
    ("digital_signature", "digitalSignature"), ("content_commitment", "contentCommitment"), ("key_encipherment", "keyEncipherment"),
    ("data_encipherment", "dataEncipherment"), ("key_agreement", "keyAgreement"), ("key_cert_sign", "keyCertSign"),
    ("crl_sign", "cRLSign"),
)  # fmt: skip
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """One certificate of a chain."""

    kind: str
    subject: str
    issuer: str
    spiffe_id: str | None
    uris: tuple[str, ...]
    dns_names: tuple[str, ...]
    not_before: str
    not_after: str
    validity: str
    key: str
    usage: tuple[str, ...]
    serial: str
    sha256: str
    warnings: tuple[str, ...]


def chain_facts(chain: Sequence[x509.Certificate], now: float) -> list[CertificateFacts]:
    """The facts of each, in their order. Only the first may be a leaf."""
    return [_facts(certificate, now, first=number == 0) for number, certificate in enumerate(chain)]


def _facts(certificate: x509.Certificate, now: float, *, first: bool) -> CertificateFacts:
    unreadable = _unreadable(certificate)
    readable = unreadable is None
    is_ca = readable and _is_ca(certificate)
    warnings = (
        [unreadable] if unreadable else _ca_warnings(certificate, now) if is_ca else _leaf_warnings(certificate, now)
    )
    if not first and readable and not is_ca:
        warnings.append("not-a-ca: it stands where only signers do")
    names = _names(certificate) if readable else None
    uris = names.get_values_for_type(x509.UniformResourceIdentifier) if names else []
    found = spiffe_id_of(certificate) if readable and not is_ca else None
    return CertificateFacts(
        kind="CA" if is_ca else "leaf",
        subject=_printable(certificate.subject.rfc4514_string()) or "(empty)",
        issuer=_printable(certificate.issuer.rfc4514_string()) or "(empty)",
        spiffe_id=None if found is None or isinstance(found, LeafFault) else str(found),
        uris=tuple(map(_printable, uris)),
        dns_names=tuple(map(_printable, names.get_values_for_type(x509.DNSName))) if names else (),
        not_before=_date(certificate.not_valid_before_utc),
        not_after=_date(certificate.not_valid_after_utc),
        validity=validity(certificate, now),
        key=_key(certificate),
        usage=_usage(certificate) if readable else (),
        serial=":".join(f"{byte:02x}" for byte in _bytes(certificate.serial_number)),
        sha256=":".join(f"{byte:02x}" for byte in certificate.fingerprint(hashes.SHA256())),
        warnings=tuple(warnings),
    )


def validity(certificate: x509.Certificate, now: float) -> str:
    """`expires in 2 d 3 h`, `expired 5 min ago`, `not valid for another 1 h`."""
    begins, ends = certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()
    if now > ends:
        return f"expired {span(now - ends)} ago"
    return f"not valid for another {span(begins - now)}" if now < begins else f"expires in {span(ends - now)}"


def span(seconds: float) -> str:
    """A duration in its two largest units."""
    rest = int(seconds)
    for number, (size, unit) in enumerate(_UNITS):
        if rest >= size:
            smaller = _UNITS[number + 1 : number + 2]
            more = [f"{rest % size // small} {name}" for small, name in smaller if rest % size // small]
            return " ".join([f"{rest // size} {unit}", *more])
    return "0 s"


def _leaf_warnings(certificate: x509.Certificate, now: float) -> list[str]:
    return [str(fault) for fault in leaf_faults(certificate, (Side.UPSTREAM, Side.DOWNSTREAM), now)]


def _ca_warnings(certificate: x509.Certificate, now: float) -> list[str]:
    text = validity(certificate, now)
    return [] if text.startswith("expires in") else [f"validity: {text}"]


def _unreadable(certificate: x509.Certificate) -> str | None:
    try:
        _ = certificate.extensions
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        return f"encoding: its extensions cannot be read: {_printable(str(error))}"
    return None


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _names(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None


def _usage(certificate: x509.Certificate) -> tuple[str, ...]:
    found: list[str] = []
    for extension in certificate.extensions:
        value = extension.value
        if isinstance(value, x509.KeyUsage):
            found += [name for attribute, name in _USAGES if getattr(value, attribute)]
        elif isinstance(value, x509.ExtendedKeyUsage):
            found += [oid._name if oid._name != "Unknown OID" else oid.dotted_string for oid in value]
    return tuple(found)


def _key(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    return f"RSA {key.key_size}" if isinstance(key, rsa.RSAPublicKey) else type(key).__name__.removesuffix("PublicKey")


def _bytes(number: int) -> bytes:
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")


def _date(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
