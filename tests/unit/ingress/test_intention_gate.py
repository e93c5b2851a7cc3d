"""The gate of one connection: what is decided of each request, and that nothing else sees one that is refused."""

from __future__ import annotations

from collections import Counter

import pytest

from edge.core.consul_identity import MeshService
from edge.core.intention_http import Permission, TextMatch
from edge.core.intentions import Intention, Intentions, Source
from edge.core.mesh_caller import Caller
from edge.ingress.intention_gate import IntentionGate, Verdict
from edge.ingress.service import Answer, Head
from edge.outcome import Fault, Refusal
from tests.unit.ingress.doubles import Recorder

WEB = Caller("spiffe://td.test/ns/default/dc/dc1/svc/web", MeshService("web", "dc1"))


def head(path: str = "/a") -> Head:
    return Head("GET", path, "", "1.1", (), "192.0.2.1", secure=True, started=0.0)


class Closing(Recorder):
    """Whose refusals end the connection, as the front's do."""

    def refuse(self, head: Head | None, refusal: Refusal) -> Answer:
        return super().refuse(head, refusal)._replace(close=True)


class Scene:
    """A gate, and the intentions it asks for."""

    def __init__(self, known: Intentions | None) -> None:
        self.known = known
        self.service = Closing()
        self.verdicts: Counter[Verdict] = Counter()
        self.gate = IntentionGate(self.service, WEB, lambda: self.known, self.count)

    def count(self, verdict: Verdict) -> None:
        self.verdicts[verdict] += 1

    def refused(self, path: str = "/a") -> Fault | None:
        taken = self.gate.begin(head(path))
        if isinstance(taken, Answer):
            assert not taken.close, "another path may be allowed"
            return self.service.refusals[-1].fault
        return None


def intentions(*permissions: Permission, allows: bool = False) -> Intentions:
    return Intentions("edge", (Intention(Source("web"), "edge", 9, allows, permissions),), default_allow=False)


def test_the_service_knows_the_caller() -> None:
    """Of what it begins, and of what it refuses itself."""
    scene = Scene(intentions(allows=True))
    assert scene.refused() is None
    assert scene.service.heads[0].caller is WEB
    scene.gate.refuse(head(), Refusal(Fault.MALFORMED_REQUEST))
    refused = scene.service.refused_heads[-1]
    assert refused is not None
    assert refused.caller is WEB
    scene.gate.refuse(None, Refusal(Fault.MALFORMED_REQUEST))
    assert scene.verdicts == {Verdict.ALLOWED: 1}


def test_each_request_is_decided_on_the_intentions_of_its_moment() -> None:
    """Withdrawn, given again, withdrawn: on one connection."""
    scene = Scene(intentions(allows=True))
    for allows in (True, False, True, False):
        scene.known = intentions(allows=allows)
        assert (scene.refused() is None) is allows
    assert scene.verdicts == {Verdict.ALLOWED: 2, Verdict.DENIED: 2}
    assert len(scene.service.heads) == 2


def test_nothing_known_is_nobody_allowed() -> None:
    """Unavailable, to be tried again."""
    scene = Scene(None)
    assert scene.refused() is Fault.INTENTIONS_UNKNOWN
    assert scene.service.refusals[0].retry_after_s == 1.0
    assert scene.service.heads == []
    assert scene.verdicts == {Verdict.UNKNOWN: 1}


@pytest.mark.parametrize(("path", "expected"), [("/a", None), ("/b", Fault.INTENTION_DENIED), ("/a/../b", None)])
def test_permissions_are_asked_of_each_request(path: str, expected: Fault | None) -> None:
    """Of its path as it was sent; the reason is for the log."""
    scene = Scene(intentions(Permission(allows=True, path=TextMatch("prefix", "/a"))))
    assert scene.refused(path) is expected
    if expected is not None:
        assert scene.service.refusals[0].detail.startswith("no permission of the intention web => edge speaks of it")
