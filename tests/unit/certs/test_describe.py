"""Certificates as facts for people."""

from __future__ import annotations

import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.x509.oid import ExtensionOID, ObjectIdentifier

from certs.describe import CertificateFacts, _key, chain_facts, span
from tests.unit.certs.mint import EDGE, SHOP, TD, Minted, mint, root

CA = root()


def facts(*chain: Minted, now: float | None = None) -> list[CertificateFacts]:
    return chain_facts([one.certificate for one in chain], time.time() if now is None else now)


def test_a_chain() -> None:
    """A leaf and what signed it, without a warning."""
    leaf, signer = facts(mint(CA, SHOP, name=None, dns=["shop.test"]), CA)
    assert (leaf.kind, signer.kind) == ("leaf", "CA")
    assert (leaf.subject, leaf.issuer, signer.subject) == ("(empty)", "CN=ca", "CN=ca")
    assert (leaf.spiffe_id, leaf.uris, leaf.dns_names) == (SHOP, (SHOP,), ("shop.test",))
    assert (signer.spiffe_id, signer.uris) == (None, (f"spiffe://{TD}",))
    assert leaf.usage == ("digitalSignature", "serverAuth", "clientAuth")
    assert signer.usage == ("keyCertSign", "cRLSign")
    assert leaf.key == "EC secp256r1"
    assert leaf.validity.startswith("expires in 11 h 59 min")
    assert leaf.not_after.endswith("Z")
    assert (len(leaf.sha256), leaf.warnings, signer.warnings) == (95, (), ())


@pytest.mark.parametrize(
    ("leaf", "warning"),
    [
        (mint(CA, SHOP, begins_s=-7200, ends_s=-3600), "validity: expired at"),
        (mint(CA, SHOP, EDGE), "uri-san: 2 URI SANs"),
        (mint(CA, SHOP, signing=False), "key-usage: no key usage"),
        (mint(CA, dns=["shop.test"]), "uri-san: 0 URI SANs"),
    ],
)
def test_the_strict_check_speaks(leaf: Minted, warning: str) -> None:
    """In the words of the gateway's log."""
    assert facts(leaf)[0].warnings[0].startswith(warning)


def test_cas_are_judged_as_cas() -> None:
    """Expired is said; what only leaves need is not; a leaf among signers is."""
    assert facts(mint(ca=True))[0].warnings == ()
    assert facts(root(begins_s=-7200, ends_s=-3600))[0].warnings == ("validity: expired 1 h ago",)
    assert "not-a-ca: it stands where only signers do" in facts(mint(CA, SHOP), mint(CA, EDGE))[1].warnings


def test_validity_in_words() -> None:
    """To the two largest units, past and to come."""
    leaf = mint(CA, SHOP, begins_s=-100_000, ends_s=100_000)
    begins, ends = leaf.certificate.not_valid_before_utc.timestamp(), leaf.certificate.not_valid_after_utc.timestamp()
    assert facts(leaf, now=ends - 90_000)[0].validity == "expires in 1 d 1 h"
    assert facts(leaf, now=ends + 65)[0].validity == "expired 1 min 5 s ago"
    assert facts(leaf, now=begins - 3600)[0].validity == "not valid for another 1 h"
    for seconds, expected in ((0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3661, "1 h 1 min"), (86400 * 3 + 59, "3 d")):
        assert span(seconds) == expected


def test_a_stranger_cannot_forge_a_line() -> None:
    """Line breaks and terminal escapes in names come out escaped."""
    odd = facts(mint(CA, SHOP + "\nkind  CA\x1b[31m", name="evil\nwarning none\x1b[2J"))[0]
    for text in (odd.subject, *odd.uris, *odd.warnings):
        assert text.isprintable(), text


def test_what_cannot_be_read_is_a_warning() -> None:
    """A SAN of an unknown kind; the rest of the certificate is shown all the same."""
    san = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, bytes.fromhex("3007a505a1030c0161"))
    found = facts(mint(CA, more=[san]))[0]
    assert found.warnings[0].startswith("encoding: its extensions cannot be read")
    assert found.subject == "CN=leaf"


def test_other_keys_and_purposes() -> None:
    """RSA with its size, Ed25519 by name, a purpose nobody knows by its number."""
    purpose = ObjectIdentifier("1.3.6.1.4.1.99999.1")
    assert "1.3.6.1.4.1.99999.1" in facts(mint(CA, SHOP, purposes=[purpose]))[0].usage
    for key, expected in (
        (rsa.generate_private_key(65537, 2048), "RSA 2048"),
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519"),
    ):
        assert _key(_self_signed(key)) == expected


def _self_signed(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> x509.Certificate:
    template = CA.certificate
    builder = x509.CertificateBuilder(
        template.subject,
        template.subject,
        key.public_key(),
        5,
        template.not_valid_before_utc,
        template.not_valid_after_utc,
    )
    return builder.sign(key, hashes.SHA256() if isinstance(key, rsa.RSAPrivateKey) else None)
