"""The development authority: its certificates pass our own strict check, OpenSSL's verification and the `spiffe` package's."""

from __future__ import annotations

import time

import pytest
from cryptography import x509
from spiffe import X509Svid

from certs.devca import BACKDATED_S, Authority, DevCaError, new_authority, read_authority
from certs.identity import Identity, IdentityError, make_identity
from certs.leaf import Side, leaf_faults
from certs.rehearsal import rehearse
from certs.spiffe import SpiffeId, SpiffeIdError
from tests.unit.certs.mint import SHOP, mint, root

NOW = time.time()
DAY_S = 86400.0
DOMAIN = "dev.example"
SHOP_ID = SpiffeId(DOMAIN, "/ns/default/dc/dc1/svc/shop")


def authority(trust_domain: str = DOMAIN, *, constrained: bool = True) -> Authority:
    return new_authority(trust_domain, NOW, 365 * DAY_S, constrained=constrained)


def identity(signer: Authority, of: SpiffeId) -> Identity:
    issued = signer.issue(of, NOW, DAY_S)
    roots = {of.trust_domain: [signer.root.certificate]}
    return make_identity([issued.certificate], issued.key, roots, NOW)


@pytest.mark.parametrize("trust_domain", [DOMAIN, "a.b-c.test", "under_score.test", "10.0.0.1", "x"])
def test_a_leaf_works(trust_domain: str) -> None:
    """No fault in the strict check, and a handshake with itself, with the name constraint or without."""
    for constrained in (True, False):
        rehearse(identity(authority(trust_domain, constrained=constrained), SpiffeId(trust_domain, "/svc/shop")))


def test_the_profile_of_a_leaf() -> None:
    """A day, backdated for clocks that differ; the ID first, DNS names beside it; both purposes."""
    issued = authority().issue(SHOP_ID, NOW, DAY_S, ["shop.test", "*.shop.test"])
    certificate = issued.certificate
    assert list(leaf_faults(certificate, tuple(Side), NOW)) == []
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [str(SHOP_ID)]
    assert names.get_values_for_type(x509.DNSName) == ["shop.test", "*.shop.test"]
    assert certificate.not_valid_before_utc.timestamp() == int(NOW) - BACKDATED_S
    assert certificate.not_valid_after_utc.timestamp() == int(NOW) + DAY_S
    assert certificate.extensions.get_extension_for_class(x509.KeyUsage).critical


def test_the_second_opinion_on_a_leaf() -> None:
    """The `spiffe` package takes it as an X509-SVID, and not the root."""
    signer = authority()
    issued = signer.issue(SHOP_ID, NOW, DAY_S)
    assert str(X509Svid.parse(issued.certificate_pem, issued.key_pem).spiffe_id) == str(SHOP_ID)
    with pytest.raises(Exception, match="CA flag"):
        X509Svid.parse(signer.root.certificate_pem, signer.root.key_pem)


def test_the_root_signs_for_its_own_trust_domain_only() -> None:
    """By our refusal to issue, and by a name constraint that OpenSSL holds whoever has the key to."""
    signer = authority()
    with pytest.raises(DevCaError, match=r"is not of dev\.example"):
        signer.issue(SpiffeId("other.test", "/shop"), NOW, DAY_S)
    forged = Authority(signer.root, "other.test")
    with pytest.raises(IdentityError, match="permitted subtree violation"):
        rehearse(identity(forged, SpiffeId("other.test", "/shop")))
    unconstrained = Authority(authority(constrained=False).root, "other.test")
    rehearse(identity(unconstrained, SpiffeId("other.test", "/shop")))


def test_what_is_not_issued() -> None:
    """The trust domain's own ID, and a leaf that outlives its root."""
    with pytest.raises(DevCaError, match="has no path"):
        authority().issue(SpiffeId(DOMAIN), NOW, DAY_S)
    with pytest.raises(DevCaError, match="the authority itself ends at"):
        authority().issue(SHOP_ID, NOW, 366 * DAY_S)
    with pytest.raises(SpiffeIdError, match="a trust domain is made of"):
        authority("Dev.Example")


def test_each_key_and_serial_is_new() -> None:
    """Two leaves for one ID share nothing but the name."""
    signer = authority()
    one, two = (signer.issue(SHOP_ID, NOW, DAY_S) for _ in range(2))
    assert one.certificate.serial_number != two.certificate.serial_number
    assert one.key_pem != two.key_pem


def test_written_and_read_again() -> None:
    """From its two PEMs, it goes on issuing."""
    signer = authority()
    again = read_authority(signer.root.certificate_pem, signer.root.key_pem)
    assert again.trust_domain == DOMAIN
    assert again.issue(SHOP_ID, NOW, DAY_S).certificate.issuer == signer.root.certificate.subject


def test_what_is_no_authority() -> None:
    """A leaf, a pair that is none, a CA without a SPIFFE ID, nothing at all."""
    signer, leaf, nameless = authority(), mint(root(), SHOP), mint(ca=True)
    for certificate, key, reason in (
        (leaf.pem, leaf.key_pem, "no CA's certificate"),
        (signer.root.certificate_pem, leaf.key_pem, "the key is not the certificate's"),
        (nameless.pem, nameless.key_pem, "no CA with a SPIFFE ID"),
        (b"", b"", "no PEM certificate"),
        (signer.root.certificate_pem, b"", "no usable private key"),
    ):
        with pytest.raises(DevCaError, match=reason):
            read_authority(certificate, key)
