"""A handshake that fails is heard of, whatever loop runs it; all callers at once: tests/consul/test_hostile_callers.py."""

from __future__ import annotations

import ssl

import pytest

from certs.handshake import handshake_fault, reporting
from certs.leaf import Side
from certs.peer import PeerRules
from certs.rotation import RotatingContexts
from certs.secret_file import load_pair
from tests.unit.certs.fixed_source import FixedSource
from tests.unit.certs.handshake import shake
from tests.unit.certs.mint import EDGE, SHOP, Minted, identity, mint, root

CA = root()


def caller(leaf: Minted | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if leaf is not None:
        load_pair(context, leaf.chain_pem, leaf.key_pem)
    return context


def heard_of(leaf: Minted | None, *, known: bool = True) -> list[str]:
    """What is told of a caller with this certificate."""
    told: list[str] = []
    source = FixedSource(identity(mint(CA, EDGE), CA) if known else None)
    contexts = RotatingContexts(source, PeerRules(Side.DOWNSTREAM), refused=told.append)
    try:
        shake(caller(leaf), contexts.context)
    except ssl.SSLError:
        assert told
    return told


@pytest.mark.parametrize(
    ("leaf", "reason"),
    [
        (None, "peer did not return a certificate"),
        (mint(root(), SHOP), "unable to get local issuer certificate"),
        (mint(CA, SHOP, begins_s=-7200, ends_s=-60), "certificate has expired"),
    ],
    ids=["none", "another root", "expired"],
)
def test_why_a_caller_was_refused(leaf: Minted | None, reason: str) -> None:
    """OpenSSL's words, once."""
    assert heard_of(leaf) == [reason]


def test_nothing_is_told_of_one_who_was_not() -> None:
    """Nor of a handshake that waits for the other end."""
    assert heard_of(mint(CA, SHOP)) == []


def test_without_an_identity_it_is_told_too() -> None:
    """The handshake fails cleanly, and not in silence."""
    assert heard_of(mint(CA, SHOP), known=False) == ["no shared cipher"]


def test_a_caller_that_is_gone_was_not_refused() -> None:
    """The end of its bytes is no verdict of ours."""
    told: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslobject_class = reporting(told.append)
    incoming = ssl.MemoryBIO()
    session = context.wrap_bio(incoming, ssl.MemoryBIO(), server_side=True)
    with pytest.raises(ssl.SSLWantReadError):
        session.do_handshake()
    incoming.write_eof()
    with pytest.raises(ssl.SSLError):
        session.do_handshake()
    assert told == []


def test_faults_without_source_lines() -> None:
    """Nor shouting."""
    error = ssl.SSLError(1, "[SSL: NO_SHARED_CIPHER] no shared cipher (_ssl.c:1006)")
    error.reason = "NO_SHARED_CIPHER"
    assert handshake_fault(error) == "no shared cipher"
