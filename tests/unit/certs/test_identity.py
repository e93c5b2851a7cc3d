"""An identity is consistent or does not exist."""

from __future__ import annotations

import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from certs.identity import IdentityError, make_identity, trust_domain_of
from certs.pem import certificate_der
from certs.spiffe import SpiffeId
from tests.unit.certs.mint import EDGE, SHOP, TD, identity, mint, root

CA = root()
OTHER = root("other.test")


def test_what_it_is_made_of() -> None:
    """Leaf first, roots by trust domain, dates in Unix seconds."""
    middle = mint(CA, "spiffe://td.test", ca=True, name="middle")
    leaf = mint(middle, EDGE)
    found = identity(leaf, CA, federated={"other.test": [OTHER], "empty.test": []})
    assert found.spiffe_id == SpiffeId.parse(EDGE)
    assert found.chain == (leaf.der, middle.der)
    assert found.trust_domains == {TD, "other.test"}
    assert found.roots(frozenset({"other.test", "unknown.test"})) == {certificate_der(OTHER.certificate)}
    assert found.not_after - time.time() == pytest.approx(43_200, abs=60)
    assert found.lifetime_s == pytest.approx(46_800, abs=1)


def test_it_does_not_print_its_key() -> None:
    """Neither the key nor a page of DER in a log or a traceback."""
    text = repr(identity(mint(CA, EDGE), CA))
    assert "PRIVATE" not in text
    assert len(text) < 400


@pytest.mark.parametrize(
    ("leaf", "reason"),
    [
        (mint(CA, EDGE, ends_s=-1), "validity: expired"),
        (mint(CA, EDGE, begins_s=36_000), "validity: not valid before"),
        (mint(CA, EDGE, ca=True, usages=("digital_signature",)), "not-a-ca"),
        (mint(CA, EDGE, purposes=None), "extended-key-usage"),
        (mint(CA, dns=["edge.test"]), "uri-san: 0"),
        (mint(CA, EDGE, SHOP), "uri-san: 2"),
        (mint(CA, "spiffe://td.test"), "spiffe-id"),
        (mint(CA, "spiffe://strange.test/edge"), "roots: none of strange.test"),
    ],
)
def test_a_leaf_no_peer_should_accept_is_not_presented(leaf: object, reason: str) -> None:
    """The strict check applies to ourselves first."""
    with pytest.raises(IdentityError, match=reason):
        identity(leaf, CA)  # type: ignore[arg-type]  # parametrized


def test_the_pair_must_be_a_pair() -> None:
    """Another key, as between two writes of a renewal."""
    leaf = mint(CA, EDGE)
    with pytest.raises(IdentityError, match="key: it is not the key"):
        make_identity(leaf.chain, ec.generate_private_key(ec.SECP256R1()), {TD: [CA.certificate]}, time.time())
    with pytest.raises(IdentityError, match="no certificate"):
        make_identity((), leaf.key, {TD: [CA.certificate]}, time.time())


def test_roots_are_cas_of_named_trust_domains() -> None:
    """A leaf among the roots would be trusted as itself by OpenSSL, whatever it may do."""
    leaf = mint(CA, EDGE)
    for bundles, reason in (
        ({TD: [leaf.certificate]}, "not a CA's"),
        ({TD: [CA.certificate, mint(None, SHOP).certificate]}, "not a CA's"),
        ({TD: []}, "none of td.test"),
        ({}, "none of td.test"),
        ({TD: [CA.certificate], "Other.test": [OTHER.certificate]}, "a trust domain is made of"),
    ):
        with pytest.raises(IdentityError, match=reason):
            make_identity(leaf.chain, leaf.key, bundles, time.time())


def test_the_trust_domain_of_a_leaf() -> None:
    """As it says itself; nothing without an ID."""
    assert trust_domain_of(mint(CA, EDGE).certificate) == TD
    with pytest.raises(IdentityError, match="uri-san"):
        trust_domain_of(mint(CA).certificate)
