"""An identity is used when it has shaken hands with itself."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from certs.identity import Identity, IdentityError, make_identity
from certs.pem import key_pem
from certs.rehearsal import rehearse
from tests.unit.certs.mint import EDGE, TD, identity, mint, root

CA = root()
MIDDLE = mint(CA, f"spiffe://{TD}", ca=True, name="middle")


def test_good_identities_pass() -> None:
    """Signed by the root, or through an intermediate that is sent along."""
    rehearse(identity(mint(CA, EDGE), CA))
    rehearse(identity(mint(MIDDLE, EDGE), CA))
    rehearse(identity(mint(CA, EDGE, name=None), CA, root()))


def lenient() -> Identity:
    leaf = mint(CA, EDGE, purposes=None, signing=False)
    return make_identity(leaf.chain, leaf.key, {TD: [CA.certificate]}, time.time(), strict=False)


def test_lenient_identities_pass_leniently() -> None:
    """What is missing is forgiven in ourselves too."""
    rehearse(lenient(), strict=False)


def test_what_our_peers_would_refuse() -> None:
    """Another root of the same name, an intermediate left out, a root that may not sign for us: in OpenSSL's words."""
    broken = identity(mint(MIDDLE, EDGE), CA)
    constrained = root(permitted="elsewhere.test")
    for bad, reason in (
        (identity(mint(CA, EDGE), root()), "chain: unable to get local issuer"),
        (replace(broken, chain=broken.chain[:1]), "chain: unable to get local issuer"),
        (identity(mint(constrained, EDGE), constrained), "chain: permitted subtree violation"),
        (replace(identity(mint(CA, EDGE), CA), bundles={}), "roots: none of td.test"),
    ):
        with pytest.raises(IdentityError, match=reason):
            rehearse(bad)


def test_a_key_that_is_not_the_leafs() -> None:
    """Seen by OpenSSL too."""
    other = key_pem(ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(IdentityError, match="key or chain"):
        rehearse(replace(identity(mint(CA, EDGE), CA), key=other))
