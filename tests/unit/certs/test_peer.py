"""Who a peer is: names, trust domains and anchors, decided on DER."""

from __future__ import annotations

import time

import pytest

from certs.leaf import Check, LeafFault, Side
from certs.peer import Peer, PeerRules, anchor_fault, examine
from certs.spiffe import SpiffeId
from tests.unit.certs.mint import EDGE, SHOP, TD, mint, root

CA = root()
SHOP_ID = SpiffeId.parse(SHOP)
ONLY_SHOP = PeerRules(Side.UPSTREAM, frozenset({SHOP_ID}))
OTHER_SHOP = SHOP.replace(TD, "other.test")


def check(uri: str, rules: PeerRules, held: frozenset[str] = frozenset({TD})) -> Check | None:
    found = examine(mint(CA, uri).der, rules, rules.domains(held), time.time())
    return found.check if isinstance(found, LeafFault) else None


def test_the_service_meant() -> None:
    """Its ID, until when, and its serial number, which Consul's authorize asks for."""
    leaf = mint(CA, SHOP)
    found = examine(leaf.der, ONLY_SHOP, frozenset({TD}), time.time())
    assert found == Peer(SHOP_ID, leaf.certificate.not_valid_after_utc.timestamp(), leaf.certificate.serial_number)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (EDGE, Check.IDENTITY),
        (SHOP + "2", Check.IDENTITY),
        (SHOP[:-1], Check.IDENTITY),
        (SHOP.replace("shop", "Shop"), Check.IDENTITY),
        (SHOP.replace("dc1", "dc2"), Check.IDENTITY),
        (OTHER_SHOP, Check.TRUST_DOMAIN),
        (SHOP.upper(), Check.SPIFFE_ID),
    ],
)
def test_anyone_else(uri: str, expected: Check) -> None:
    """Refused, byte for byte."""
    assert check(uri, ONLY_SHOP) is expected
    assert check(SHOP, ONLY_SHOP) is None


def test_one_of_several() -> None:
    """A mesh gateway, or a service of several subsets, may be one of a few."""
    rules = PeerRules(Side.UPSTREAM, frozenset({SHOP_ID, SpiffeId.parse(EDGE)}))
    assert check(SHOP, rules) is None
    assert check(EDGE, rules) is None
    assert check(SHOP + "2", rules) is Check.IDENTITY


def test_anyone_of_the_trust_domains() -> None:
    """A listener takes callers of those it holds roots of, or of the ones named."""
    both = frozenset({TD, "other.test"})
    anyone = PeerRules(Side.DOWNSTREAM)
    assert check(SHOP, anyone) is None
    assert check(OTHER_SHOP, anyone) is Check.TRUST_DOMAIN
    assert check(OTHER_SHOP, anyone, both) is None
    ours_only = PeerRules(Side.DOWNSTREAM, trust_domains=frozenset({TD}))
    assert check(OTHER_SHOP, ours_only, both) is Check.TRUST_DOMAIN
    assert (
        check(OTHER_SHOP, PeerRules(Side.DOWNSTREAM, trust_domains=frozenset({TD}), strict=False), both)
        is Check.TRUST_DOMAIN
    )


def test_lenient_as_consul_is() -> None:
    """The expected path in any trust domain and case; another path never."""
    lenient = PeerRules(Side.UPSTREAM, frozenset({SHOP_ID}), strict=False)
    assert check(OTHER_SHOP, lenient) is None
    assert check(SHOP.replace("shop", "SHOP"), lenient) is None
    assert check(EDGE, lenient) is Check.IDENTITY
    assert check(SHOP + "2", lenient) is Check.IDENTITY


def test_only_roots_of_whom_we_expect_are_trusted() -> None:
    """The roots for a dial are those of the expected trust domain, whatever else we hold."""
    held = frozenset({TD, "other.test"})
    assert ONLY_SHOP.domains(held) == {TD}
    assert ONLY_SHOP.domains(frozenset({"other.test"})) == frozenset()
    assert PeerRules(Side.UPSTREAM, frozenset({SHOP_ID}), strict=False).domains(held) == held
    assert PeerRules(Side.DOWNSTREAM).domains(held) == held


def test_no_certificate_and_no_der() -> None:
    """Absence is a fault of its own."""
    for der, expected in ((None, Check.PRESENCE), (b"", Check.PRESENCE), (b"x", Check.ENCODING)):
        found = examine(der, ONLY_SHOP, frozenset({TD}), time.time())
        assert isinstance(found, LeafFault)
        assert found.check is expected


def test_the_anchor_must_be_of_the_peers_trust_domain() -> None:
    """Another trust domain's root cannot vouch for ours, though OpenSSL holds both in one store."""
    other = root("other.test")
    leaf = mint(CA, SHOP)
    peer = Peer(SHOP_ID, 0, 1)
    bundles = {TD: frozenset({CA.der}), "other.test": frozenset({other.der})}
    assert anchor_fault((leaf.der, CA.der), peer, bundles) is None
    for chain in ((leaf.der, other.der), (leaf.der,), ()):
        found = anchor_fault(chain, peer, bundles)
        assert found is not None
        assert found.check is Check.ANCHOR
    assert anchor_fault((leaf.der, CA.der), peer, {}) is not None
