"""One identity in use: who its peers are, and until when it may be."""

from __future__ import annotations

import ssl
import time

import pytest

from certs import generation as module
from certs.context import fill_context, make_context, protocol
from certs.generation import DRAIN_SHARE, Generation, GenerationContext, generation_of
from certs.identity import Identity
from certs.leaf import Check, LeafFault, Side
from certs.peer import Peer, PeerRules
from certs.secret_file import load_pair
from certs.spiffe import SpiffeId
from tests.unit.certs.handshake import complete, shake
from tests.unit.certs.mint import EDGE, SHOP, Minted, identity, mint, root

CA, OTHER = root(), root("other.test")
CALLERS = PeerRules(Side.DOWNSTREAM)
FEDERATED = identity(mint(CA, SHOP), CA, federated={"other.test": [OTHER]})


def generation(ours: Identity, rules: PeerRules = CALLERS) -> GenerationContext:
    context = GenerationContext(protocol(rules.side))
    fill_context(context, ours, rules, ())
    context.generation = Generation(1, ours, rules)
    return context


def caller(leaf: Minted) -> ssl.SSLContext:
    """Presents whatever it is told to, and trusts our root."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(cadata=CA.der)
    load_pair(context, leaf.chain_pem, leaf.key_pem)
    return context


def verdict(context: GenerationContext, theirs: ssl.SSLContext) -> Peer | LeafFault:
    _, session = shake(theirs, context)
    found = generation_of(session)
    assert found is not None
    return found.verify(session, time.time())


def test_a_connection_knows_its_generation() -> None:
    """Through its context; a stranger's has none."""
    context = generation(identity(mint(CA, SHOP), CA))
    _, session = shake(caller(mint(CA, EDGE)), context)
    assert generation_of(session) is context.generation
    plain = make_context(identity(mint(CA, SHOP), CA), CALLERS, ())
    assert generation_of(shake(caller(mint(CA, EDGE)), plain)[1]) is None


def test_callers_of_two_trust_domains() -> None:
    """Each verified with its own roots."""
    context = generation(FEDERATED)
    ours = verdict(context, caller(mint(CA, EDGE)))
    theirs = verdict(context, caller(mint(OTHER, "spiffe://other.test/billing")))
    assert isinstance(ours, Peer)
    assert ours.spiffe_id == SpiffeId.parse(EDGE)
    assert isinstance(theirs, Peer)
    assert str(theirs.spiffe_id) == "spiffe://other.test/billing"


def test_a_federated_root_cannot_sign_for_our_trust_domain() -> None:
    """OpenSSL lets it through, one store holds both; we do not (SPIFFE Workload API section 4.6)."""
    found = verdict(generation(FEDERATED), caller(mint(OTHER, EDGE)))
    assert isinstance(found, LeafFault)
    assert found.check is Check.ANCHOR
    assert "root of another trust domain" in str(found)


def test_a_resumed_session_is_looked_up_not_believed() -> None:
    """
    TLS 1.2 resumes by session id, without tickets and without a chain.

    The leaf was anchored when the session was made; one that was not is refused.
    """
    context = generation(FEDERATED)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    downstream = caller(mint(CA, EDGE))
    ours, _ = shake(downstream, context)
    again = _resume(downstream, context, ours.session)
    assert again.session_reused
    found = context.generation
    assert found is not None
    assert isinstance(found.verify(again, time.time()), LeafFault)  # the first verdict was never asked for
    ours, theirs = shake(downstream, context)
    assert isinstance(found.verify(theirs, time.time()), Peer)
    again = _resume(downstream, context, ours.session)
    assert again.session_reused
    assert isinstance(found.verify(again, time.time()), Peer)


def _resume(downstream: ssl.SSLContext, upstream: ssl.SSLContext, session: ssl.SSLSession | None) -> ssl.SSLObject:
    to_up, to_down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = downstream.wrap_bio(to_down, to_up, session=session)
    return complete(ours, upstream.wrap_bio(to_up, to_down, server_side=True))[1]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes; it is verified anew when it comes back."""
    monkeypatch.setattr(module, "MAX_ANCHORED", 3)
    context = generation(FEDERATED)
    found = context.generation
    assert found is not None
    callers = [caller(mint(CA, EDGE)) for _ in range(5)]
    for one in [*callers, callers[0]]:
        assert isinstance(verdict(context, one), Peer)
    assert len(found._anchored) == 3


def test_validity_is_looked_at_at_the_time_given() -> None:
    """A leaf that expired since the handshake was made is no peer any more."""
    context = generation(identity(mint(CA, SHOP), CA))
    _, session = shake(caller(mint(CA, EDGE, ends_s=60)), context)
    found = context.generation
    assert found is not None
    assert isinstance(found.verify(session, time.time()), Peer)
    late = found.verify(session, time.time() + 61)
    assert isinstance(late, LeafFault)
    assert late.check is Check.VALIDITY


def test_when_to_drain() -> None:
    """With a twentieth of the leaf's lifetime left."""
    ours = identity(mint(CA, SHOP, begins_s=-100, ends_s=900), CA)
    assert Generation(1, ours, CALLERS).drain_at == pytest.approx(ours.not_after - DRAIN_SHARE * 1000, abs=0.1)
    assert Generation(1, FEDERATED, CALLERS).roots == {CA.der, OTHER.der}
