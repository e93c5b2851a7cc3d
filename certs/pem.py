"""
PEM texts in: certificates and private keys, whole or not at all.

Owns that a text cut off in the middle is refused: a reader that skips the broken block would trust fewer roots than were written,
or send a chain without its intermediate. Source: RFC 7468.
"""

from __future__ import annotations

import re

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey

_BEGIN = b"-----BEGIN CERTIFICATE-----"
_MARKER = re.compile(rb"-----(BEGIN|END) ([A-Z0-9 ]+)-----[ \t\r]*", re.ASCII)


class PemError(ValueError):
    """A text does not hold what it should."""


def read_certificates(pem: bytes) -> tuple[x509.Certificate, ...]:
    """All certificates of a text, in order; at least one. A key beside them is passed over. Raises PemError."""
    if not _is_whole(pem):
        raise PemError("it is cut off, or damaged")
    begun = pem.count(_BEGIN)
    if not begun:
        raise PemError("no PEM certificate in it")
    try:
        found = tuple(x509.load_pem_x509_certificates(pem))
    except ValueError as error:
        raise PemError("a certificate in it cannot be read") from error
    if len(found) != begun:
        raise PemError("a certificate in it cannot be read")
    return found


def _is_whole(pem: bytes) -> bool:
    """Whether each line that begins like a marker is one, and the markers come in pairs."""
    expected: tuple[bytes, bytes] | None = None
    for line in pem.split(b"\n"):
        if not line.startswith(b"-"):
            continue
        marker = _MARKER.fullmatch(line)
        if marker is None:
            return False
        kind, label = marker.groups()
        if expected is None and kind == b"BEGIN":
            expected = (b"END", label)
        elif expected == (kind, label):
            expected = None
        else:
            return False
    return expected is None


def read_key(pem: bytes) -> PrivateKey:
    """The first private key of a text. Raises PemError."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise PemError("the private key is encrypted") from error
    except ValueError as error:
        raise PemError("no usable private key in it") from error
    if not isinstance(key, PrivateKey):
        raise PemError("the private key is of a kind TLS does not use")
    return key


def key_pem(key: PrivateKey) -> bytes:
    """A private key as unencrypted PKCS #8."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """One certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def certificate_der(certificate: x509.Certificate) -> bytes:
    """One certificate as DER."""
    return certificate.public_bytes(serialization.Encoding.DER)
