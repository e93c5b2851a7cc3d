"""The check of a leaf: each rule of X509-SVID, on the certificate alone."""

from __future__ import annotations

import time

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from certs.leaf import Check, LeafFault, Side, leaf_faults, parse, spiffe_id_of
from certs.spiffe import SpiffeId
from tests.unit.certs.mint import EDGE, SHOP, Minted, mint, root

SERVER, CLIENT = (ExtendedKeyUsageOID.SERVER_AUTH,), (ExtendedKeyUsageOID.CLIENT_AUTH,)
CA = root()


def faults(leaf: Minted, *sides: Side, strict: bool = True) -> list[Check]:
    return [fault.check for fault in leaf_faults(leaf.certificate, sides or tuple(Side), time.time(), strict=strict)]


def test_a_good_leaf_has_no_fault() -> None:
    """As Consul makes them (empty subject, critical SAN) and as SPIRE does (a DNS name beside)."""
    assert faults(mint(CA, SHOP)) == []
    assert faults(mint(CA, SHOP, name=None)) == []
    assert faults(mint(CA, SHOP, dns=["shop.test"])) == []
    consul = ("digital_signature", "key_encipherment", "data_encipherment", "key_agreement")
    assert faults(mint(CA, SHOP, usages=consul)) == []


@pytest.mark.parametrize(
    ("leaf", "expected"),
    [
        (mint(CA, SHOP, begins_s=-7200, ends_s=-1), [Check.VALIDITY]),
        (mint(CA, SHOP, begins_s=36_000), [Check.VALIDITY]),
        (mint(CA, SHOP, ca=True, usages=("digital_signature",), purposes=[*SERVER, *CLIENT]), [Check.NOT_A_CA]),
        (mint(CA, SHOP, usages=("digital_signature", "key_cert_sign")), [Check.KEY_USAGE]),
        (mint(CA, SHOP, usages=("digital_signature", "crl_sign")), [Check.KEY_USAGE]),
        (mint(CA, SHOP, usages=("key_encipherment",)), [Check.KEY_USAGE]),
        (mint(CA, SHOP, signing=False), [Check.KEY_USAGE]),
        (mint(CA, SHOP, purposes=None), [Check.EXTENDED_KEY_USAGE, Check.EXTENDED_KEY_USAGE]),
        (mint(CA, SHOP, purposes=[ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]), [Check.EXTENDED_KEY_USAGE] * 2),
        (mint(CA), [Check.URI_SAN]),
        (mint(CA, dns=["shop.test"]), [Check.URI_SAN]),
        (mint(CA, SHOP, EDGE), [Check.URI_SAN]),
        (mint(CA, SHOP, SHOP), [Check.URI_SAN]),
        (mint(CA, SHOP, "https://shop.test"), [Check.URI_SAN]),
        (mint(CA, SHOP + "\0.evil"), [Check.SPIFFE_ID]),
        (mint(CA, SHOP + "\r\nx: y"), [Check.SPIFFE_ID]),
        (mint(CA, "https://td.test/shop"), [Check.SPIFFE_ID]),
        (mint(CA, "spiffe://td.test"), [Check.SPIFFE_ID]),
        (mint(CA, "spiffe://td.test/a/../b"), [Check.SPIFFE_ID]),
        (mint(CA, "spiffe://td.test/%73hop"), [Check.SPIFFE_ID]),
    ],
)
def test_each_rule_names_its_check(leaf: Minted, expected: list[Check]) -> None:
    """One fault, of the check that found it."""
    assert faults(leaf) == expected


def test_the_purpose_depends_on_the_side() -> None:
    """A service must be good for serverAuth, a caller for clientAuth."""
    assert faults(mint(CA, SHOP, purposes=SERVER), Side.UPSTREAM) == []
    assert faults(mint(CA, SHOP, purposes=SERVER), Side.DOWNSTREAM) == [Check.EXTENDED_KEY_USAGE]
    assert faults(mint(CA, SHOP, purposes=CLIENT), Side.DOWNSTREAM) == []
    assert faults(mint(CA, SHOP, purposes=CLIENT), Side.UPSTREAM) == [Check.EXTENDED_KEY_USAGE]


def test_lenient_forgives_what_is_missing_not_what_is_wrong() -> None:
    """Usages may be left out, and the case of scheme and trust domain; the rest stands."""
    for forgiven in (
        mint(CA, SHOP, signing=False),
        mint(CA, SHOP, purposes=None),
        mint(CA, "SPIFFE://TD.test/ns/default/dc/dc1/svc/shop"),
    ):
        assert faults(forgiven)
        assert faults(forgiven, strict=False) == []
    for wrong in (
        mint(CA, SHOP, usages=("digital_signature", "key_cert_sign")),
        mint(CA, SHOP, purposes=SERVER),
        mint(CA, SHOP, EDGE),
        mint(CA, SHOP + "\0.evil"),
        mint(CA, SHOP, ca=True, usages=("digital_signature",), purposes=[*SERVER, *CLIENT]),
        mint(CA, SHOP, begins_s=-7200, ends_s=-1),
    ):
        assert faults(wrong, strict=False)


def test_all_faults_are_told() -> None:
    """Not only the first: somebody has to repair the certificate."""
    found = faults(mint(CA, begins_s=-7200, ends_s=-1, ca=True))
    assert {Check.VALIDITY, Check.NOT_A_CA, Check.KEY_USAGE, Check.URI_SAN} <= set(found)


def test_the_edges_of_the_validity() -> None:
    """Valid from the first second to the last."""
    leaf = mint(CA, SHOP).certificate
    begins, ends = leaf.not_valid_before_utc.timestamp(), leaf.not_valid_after_utc.timestamp()
    for now, valid in ((begins - 1, False), (begins, True), (ends, True), (ends + 1, False)):
        assert (not list(leaf_faults(leaf, (), now))) is valid


def test_the_message_is_one_harmless_line() -> None:
    """A SAN cannot write into a log (GHSA-w5w5-487h-qv8q is the same in headers)."""
    found = spiffe_id_of(mint(CA, SHOP + "\r\nlevel=info").certificate)
    assert isinstance(found, LeafFault)
    assert str(found).isprintable()
    assert spiffe_id_of(mint(CA, SHOP).certificate) == SpiffeId.parse(SHOP)


def test_what_cannot_be_read() -> None:
    """Not DER, an extension twice, a name of an unknown kind, a URI that is not ASCII: a fault, never a crash."""
    odd = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, bytes.fromhex("3007a505a1030c0161"))
    latin = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, b"\x30\x06\x86\x04s\xe9:x")
    broken = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, b"\xff")
    for der in (
        b"",
        b"not DER",
        mint(CA, more=[broken]).der,
        mint(CA, SHOP).der[:-1],
        mint(CA, more=[odd]).der,
        mint(CA, more=[latin]).der,
    ):
        found = parse(der)
        assert isinstance(found, LeafFault), der
        assert found.check is Check.ENCODING
