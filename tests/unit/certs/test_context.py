"""TLS contexts of an identity, in handshakes with each other."""

from __future__ import annotations

import ssl
from dataclasses import replace

import pytest

from certs.context import make_context, verified_chain
from certs.identity import IdentityError
from certs.leaf import Side
from certs.peer import PeerRules
from certs.secret_file import load_pair
from certs.spiffe import SpiffeId
from tests.unit.certs.handshake import shake
from tests.unit.certs.mint import EDGE, SHOP, TD, identity, mint, root

CA, OTHER = root(), root("other.test")
TO_SHOP = PeerRules(Side.UPSTREAM, frozenset({SpiffeId.parse(SHOP)}))
CALLERS = PeerRules(Side.DOWNSTREAM)
EDGE_ID, SHOP_IDENTITY = identity(mint(CA, EDGE), CA), identity(mint(CA, SHOP), CA)


def test_both_sides_of_a_mesh_connection() -> None:
    """TLS 1.3, h2 by ALPN, each end with the other's leaf and the chain to the root."""
    ours, theirs = shake(make_context(EDGE_ID, TO_SHOP), make_context(SHOP_IDENTITY, CALLERS), "shop.internal")
    assert (ours.version(), ours.selected_alpn_protocol()) == ("TLSv1.3", "h2")
    assert ours.getpeercert(binary_form=True) == SHOP_IDENTITY.chain[0]
    assert theirs.getpeercert(binary_form=True) == EDGE_ID.chain[0]
    assert verified_chain(ours) == (SHOP_IDENTITY.chain[0], CA.der)
    assert verified_chain(theirs) == (EDGE_ID.chain[0], CA.der)


def test_no_alpn_where_the_mesh_speaks_tcp() -> None:
    """A tcp service's sidecar offers none, and demands none."""
    ours, _ = shake(make_context(EDGE_ID, TO_SHOP, ()), make_context(SHOP_IDENTITY, CALLERS, ()))
    assert ours.selected_alpn_protocol() is None


def test_tls_1_2_and_nothing_older() -> None:
    """The oldest peer we talk to."""
    for newest in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        peer = make_context(SHOP_IDENTITY, CALLERS)
        peer.maximum_version = newest
        ours, _ = shake(make_context(EDGE_ID, TO_SHOP), peer)
        assert ours.version() == newest.name.replace("_", ".")
    assert make_context(EDGE_ID, TO_SHOP).minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_caller_without_a_certificate_is_refused() -> None:
    """Both ends prove themselves."""
    naked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    naked.check_hostname = False
    naked.load_verify_locations(cadata=CA.der)
    with pytest.raises(ssl.SSLError, match="PEER_DID_NOT_RETURN_A_CERTIFICATE"):
        shake(naked, make_context(SHOP_IDENTITY, CALLERS))


def test_an_intermediate_is_sent_and_may_be_an_anchor() -> None:
    """The whole chain goes out; a bundle may end in the middle of it."""
    middle = mint(CA, f"spiffe://{TD}", ca=True, name="middle")
    leaf = mint(middle, SHOP)
    for anchor in (CA, middle):
        ours, _ = shake(
            make_context(identity(mint(anchor, EDGE), anchor), TO_SHOP),
            make_context(identity(leaf, CA, middle), CALLERS),
        )
        assert verified_chain(ours)[-1] == anchor.der


def test_a_dial_trusts_the_roots_of_the_expected_trust_domain_only() -> None:
    """Another's root is held, and not loaded."""
    ours = identity(mint(CA, EDGE), CA, federated={"other.test": [OTHER]})
    assert len(make_context(ours, TO_SHOP).get_ca_certs(binary_form=True)) == 1
    assert len(make_context(ours, CALLERS).get_ca_certs(binary_form=True)) == 2
    theirs = identity(mint(CA, EDGE), CA)
    elsewhere = PeerRules(Side.UPSTREAM, frozenset({SpiffeId("nowhere.test", "/a")}))
    with pytest.raises(IdentityError, match=r"roots: none of nowhere\.test"):
        make_context(theirs, elsewhere)


def test_strict_is_rfc_5280_to_the_letter() -> None:
    """keyCertSign on a leaf is refused by OpenSSL already; leniently it is left to us."""
    odd = mint(CA, SHOP, usages=("digital_signature", "key_cert_sign"))
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    load_pair(theirs, odd.chain_pem, odd.key_pem)
    with pytest.raises(ssl.SSLCertVerificationError, match="keyCertSign"):
        shake(make_context(EDGE_ID, TO_SHOP), theirs)
    shake(make_context(EDGE_ID, PeerRules(Side.UPSTREAM, TO_SHOP.expected, strict=False)), theirs)


def test_a_mesh_whose_intermediates_have_no_subject() -> None:
    """Consul's of a second datacenter: their leaves verify where chains are not held to the letter, and only there."""
    leaf = mint(mint(CA, f"spiffe://{TD}", ca=True, name=None), SHOP)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    load_pair(theirs, leaf.chain_pem, leaf.key_pem)
    with pytest.raises(ssl.SSLCertVerificationError, match="Issuer name empty"):
        shake(make_context(EDGE_ID, TO_SHOP), theirs)
    shake(make_context(replace(EDGE_ID, to_the_letter=False), TO_SHOP), theirs)


def test_no_session_outlives_its_verdict() -> None:
    """No ticket is handed out, whatever the version; a caller proves itself each time."""
    for newest in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        upstream = make_context(SHOP_IDENTITY, CALLERS)
        upstream.maximum_version = newest
        downstream = make_context(EDGE_ID, TO_SHOP)
        ours, _ = shake(downstream, upstream)
        assert ours.session is None or not ours.session.has_ticket
