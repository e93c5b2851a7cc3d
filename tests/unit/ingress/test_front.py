"""The front: one port, the dialect a head names, and ends that are told like any other's."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from edge.exchange import Dialect
from edge.ingress.choosing import choose
from edge.ingress.service import Answer
from edge.outcome import Fault, Refusal
from tests.unit.ingress.scenes import Scene, head
from tests.unit.keeping import FEW, LONG, kept_bytes


def answered(scene: Scene, taken: object) -> Answer:
    assert isinstance(taken, Answer)
    return taken


def test_a_refusal_is_said_in_the_dialect_of_its_head() -> None:
    """An unknown RPC is 404 in JSON to REST, and a gRPC status to gRPC."""
    scene = Scene()
    rest = answered(scene, scene.begin(head(path="/no/such")))
    assert (rest.status, json.loads(rest.body)["code"]) == (404, 5)
    grpc = answered(
        scene, scene.begin(replace(head("POST", "/no.Such/Rpc", content_type="application/grpc"), version="2"))
    )
    assert grpc.status == 404
    assert dict((*grpc.headers, *grpc.trailers))[b"grpc-status"] == b"12"
    assert [x.dialect for x in scene.ended] == [Dialect.REST, Dialect.GRPC]


def test_a_head_that_was_never_read_is_refused_as_rest() -> None:
    scene = Scene()
    answer = scene.service.refuse(None, Refusal(Fault.MALFORMED_REQUEST))
    assert (answer.status, answer.close, len(scene.ended)) == (400, True, 1)


def test_every_exchange_has_an_id_that_the_answer_tells() -> None:
    scene = Scene()
    answer = answered(scene, scene.begin(head(path="/no/such", x_request_id="mine")))
    assert (b"x-request-id", b"mine") in answer.headers
    assert scene.ended[0].request_id == "mine"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_document_is_served_where_no_route_is(method: str) -> None:
    """It ends as an exchange that was answered, not refused; other methods do not find it."""
    scene = Scene(documents={"/openapi.json": b"{}", "/v1/a/x": b"hidden"})
    answer = answered(scene, scene.begin(head(method, "/openapi.json")))
    assert (answer.status, answer.body, scene.ended[0].refusal) == (200, b"{}", None)
    assert answered(scene, scene.begin(head("POST", "/openapi.json"))).status == 404


def test_a_route_wins_over_a_document() -> None:
    scene = Scene(documents={"/v1/a/x": b"hidden"})
    assert not isinstance(scene.begin(head(path="/v1/a/x")), Answer)


def test_the_content_type_names_the_dialect() -> None:
    """What names none is REST on a REST path, and Connect on an RPC's own, if no route has that."""
    serving = Scene().serving
    assert choose(head("POST", "/v1/a", content_type="application/json"), serving) is Dialect.REST
    for content_type, dialect in (
        ("application/json", Dialect.CONNECT),
        ("application/grpc+proto", Dialect.GRPC),
        ("application/grpc-web-text", Dialect.GRPC_WEB),
        ("application/connect+json", Dialect.CONNECT),
    ):
        assert choose(head("POST", "/pkg.Svc/M1", content_type=content_type), serving) is dialect


def test_long_hosts_are_not_remembered() -> None:
    """A head that is refused may bring any."""
    scene = Scene()

    def refuse(number: int) -> None:
        scene.service.refuse(head(host=f"{number}" + "a" * LONG), Refusal(Fault.MALFORMED_REQUEST))
        scene.ended.clear()

    assert kept_bytes(refuse) < FEW
