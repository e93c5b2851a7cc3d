"""What a head alone decides."""

from __future__ import annotations

import json
from ipaddress import ip_network

import pytest

from edge.ingress.service import Answer
from edge.ingress.serving import ApiSettings
from edge.ingress.unary_call import UnaryCall
from edge.outcome import Fault, Refusal
from tests.unit.ingress.scenes import Scene, head


def refused(scene: Scene, answer: object) -> tuple[int, str, Answer]:
    """A refusal on the head: status, reason; it ended one exchange."""
    assert isinstance(answer, Answer)
    (x,) = scene.ended
    assert x.status == answer.status
    assert x.refusal is not None
    return answer.status, x.refusal.fault.name, answer


def test_a_known_path_becomes_a_call_with_a_deadline() -> None:
    """D2: without a client's word, the route's own timeout."""
    scene = Scene()
    assert isinstance(scene.begin(head()), UnaryCall)
    assert scene.ended == []


def test_an_unknown_path_is_404() -> None:
    """P8."""
    scene = Scene()
    assert refused(scene, scene.begin(head(path="/v2")))[:2] == (404, "ROUTE_NOT_FOUND")


def test_an_unknown_path_is_503_while_an_api_is_still_loading() -> None:
    """C1: nobody knows yet what the path is."""
    scene = Scene(loading=("late",))
    status, reason, answer = refused(scene, scene.begin(head(path="/v2")))
    assert (status, reason) == (503, "NOT_READY")
    assert (b"retry-after", b"1") in answer.headers


def test_a_wrong_method_is_405_and_says_what_is_allowed() -> None:
    """P8."""
    scene = Scene()
    status, _, answer = refused(scene, scene.begin(head("DELETE", "/v1/a")))
    assert status == 405
    assert (b"allow", b"POST") in answer.headers


def test_a_wrong_method_is_501_where_the_api_says_so() -> None:
    """As grpc-gateway answers; what is allowed is told all the same."""
    scene = Scene(settings=ApiSettings(unimplemented=True))
    status, reason, answer = refused(scene, scene.begin(head("DELETE", "/v1/a")))
    assert (status, reason) == (501, "METHOD_NOT_ALLOWED")
    assert (b"allow", b"POST") in answer.headers


@pytest.mark.parametrize("path", ["/v1/a/%zz", "/v1/a/..", "/v1/a/%00", "/v1/a/%c3%28"])
def test_a_malformed_path_is_400(path: str) -> None:
    """P5, X2."""
    scene = Scene()
    assert refused(scene, scene.begin(head(path=path)))[:2] == (400, "MALFORMED_REQUEST")


@pytest.mark.parametrize("given", ["soon", "1", "123456789S", "-1S", "1X"])
def test_a_bad_timeout_is_400(given: str) -> None:
    """D1."""
    scene = Scene()
    status, reason, answer = refused(scene, scene.begin(head(grpc_timeout=given)))
    assert (status, reason) == (400, "INVALID_ARGUMENT")
    assert json.loads(answer.body)["details"][1]["fieldViolations"][0]["field"] == "grpc-timeout"


@pytest.mark.parametrize(("given", "deadline"), [("2S", 101.0), ("500m", 99.5), ("1H", 114.0)])
async def test_the_nearer_of_both_deadlines_holds(given: str, deadline: float) -> None:
    """D2: 15 s are the route's."""
    scene = Scene()
    await scene.ask(head(grpc_timeout=given))
    assert scene.upstream.asked[0].deadline == deadline


def test_a_refusal_carries_a_request_id_and_a_harmless_one_is_kept() -> None:
    scene = Scene()
    _, _, answer = refused(scene, scene.begin(head(path="/v2", x_request_id="abc-1")))
    assert (b"x-request-id", b"abc-1") in answer.headers


def test_what_was_never_a_request_is_shaped_logged_and_closed() -> None:
    """E4: a head that broke off."""
    scene = Scene()
    answer = scene.service.refuse(None, Refusal(Fault.HEADERS_TOO_LARGE))
    assert (refused(scene, answer)[0], answer.close) == (431, True)


async def test_forwarding_headers_are_ours_unless_a_trusted_proxy_sent_them() -> None:
    """H2."""
    plain, behind = Scene(), Scene(trusted=(ip_network("192.0.2.0/24"),))
    request = head(x_forwarded_for="203.0.113.5", x_forwarded_proto="https", host="edge.example")
    for scene, chain, proto, peer in (
        (plain, b"192.0.2.1", b"http", "192.0.2.1"),
        (behind, b"203.0.113.5, 192.0.2.1", b"https", "203.0.113.5"),
    ):
        await scene.ask(request)
        assert dict(scene.metadata)[b"x-forwarded-for"] == chain
        assert dict(scene.metadata)[b"x-forwarded-proto"] == proto
        assert scene.ended[0].peer == peer
