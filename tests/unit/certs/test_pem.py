"""PEM in: whole or not at all."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa, x25519

from certs.pem import PemError, certificate_der, certificate_pem, key_pem, read_certificates, read_key
from tests.unit.certs.mint import SHOP, mint, root

CA = root()
LEAF = mint(CA, SHOP)


def test_certificates_in_order() -> None:
    """A chain, and what is written around it passed over."""
    text = b"subject=leaf\n" + LEAF.pem + b"\n# the root\n" + CA.pem
    assert read_certificates(text) == (LEAF.certificate, CA.certificate)
    assert read_certificates(LEAF.key_pem + LEAF.pem) == (LEAF.certificate,)


def test_every_cut_is_noticed() -> None:
    """Wherever a text breaks off, it is refused or holds the same as before (only white space was lost)."""
    whole = LEAF.pem + CA.pem
    for length in range(len(whole)):
        try:
            found = read_certificates(whole[:length])
        except PemError:
            continue
        assert found in ((LEAF.certificate,), (LEAF.certificate, CA.certificate))
        rest = whole[length:].strip()
        assert not rest or rest == CA.pem.strip(), length


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "no PEM certificate"),
        (b"\xff\xfe", "no PEM certificate"),
        (LEAF.key_pem, "no PEM certificate"),
        (LEAF.der, "no PEM certificate"),
        (LEAF.pem + b"-----BEGIN CERTIFICATE-----\n", "cut off"),
        (LEAF.pem + b"-----BEGIN CERT", "cut off"),
        (LEAF.pem + LEAF.key_pem[:60], "cut off"),
        (LEAF.pem + CA.pem[:200] + CA.pem, "cut off|cannot be read"),
        (LEAF.pem.replace(b"\nMII", b"\nAAA"), "cannot be read"),
        (LEAF.pem + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be read"),
    ],
)
def test_what_holds_no_certificates(text: bytes, reason: str) -> None:
    """The reason in a word."""
    with pytest.raises(PemError, match=reason):
        read_certificates(text)


def test_keys() -> None:
    """EC, RSA and Ed25519, alone or beside a certificate, survive being written."""
    for key in (LEAF.key, rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate()):
        again = read_key(LEAF.pem + key_pem(key))
        assert again.public_key() == key.public_key()


def test_what_is_no_key() -> None:
    """Encrypted, of another use, or none at all. The text of an encrypted one is not asked for on a terminal."""
    cipher = serialization.BestAvailableEncryption(b"secret")
    encrypted = LEAF.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, cipher)
    exchange = x25519.X25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for text, reason in (
        (encrypted, "encrypted"),
        (exchange, "kind"),
        (b"", "no usable"),
        (LEAF.pem, "no usable"),
        (LEAF.key_pem[:-40], "no usable"),
    ):
        with pytest.raises(PemError, match=reason) as refused:
            read_key(text)
        assert "MI" not in str(refused.value)


def test_pem_and_der_say_the_same() -> None:
    """Two forms of one certificate."""
    assert read_certificates(certificate_pem(LEAF.certificate))[0] == LEAF.certificate
    assert certificate_der(LEAF.certificate) in LEAF.der
