"""X-Forwarded-*: believed only behind trusted hops."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from edge.core.forwarded import Forwarded, forwarded, is_trusted

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def decide(peer: str, chain: str, proto: str = "", host: str = "") -> Forwarded:
    return forwarded(peer, chain=chain, proto=proto, host=host, secure=False, own_host="edge.example", trusted=PROXIES)


def test_an_untrusted_peer_speaks_only_for_itself() -> None:
    """H2: a spoofed chain, scheme and host are replaced."""
    assert decide("203.0.113.9", "1.2.3.4", "https", "evil.example") == Forwarded(
        "203.0.113.9", "203.0.113.9", "http", "edge.example"
    )


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 10.2.2.2", "203.0.113.9"),
        ("10.3.3.3, 10.2.2.2", "10.3.3.3"),
        ("203.0.113.9, nonsense, 10.2.2.2", "10.2.2.2"),
        ("", "10.1.1.1"),
        (" , ", "10.1.1.1"),
    ],
)
def test_the_client_is_the_rightmost_hop_no_trusted_proxy_answers_for(chain: str, client: str) -> None:
    assert decide("10.1.1.1", chain).client == client


def test_a_trusted_peer_is_appended_and_its_scheme_and_host_kept() -> None:
    assert decide("10.1.1.1", "203.0.113.9", "https", "shop.example") == Forwarded(
        "203.0.113.9", "203.0.113.9, 10.1.1.1", "https", "shop.example"
    )


def test_a_scheme_that_is_none_is_not_believed() -> None:
    assert decide("10.1.1.1", "", "gopher").proto == "http"


@pytest.mark.parametrize(
    ("address", "expected"),
    [("10.0.0.1", True), ("::ffff:10.0.0.1", True), ("fd00::1", True), ("11.0.0.1", False), ("", False), ("x", False)],
)
def test_addresses_are_trusted_by_network(address: str, expected: bool) -> None:
    assert is_trusted(address, PROXIES) is expected
