"""Many messages in, one answer out."""

from __future__ import annotations

import json

import pytest

from edge.outcome import Fault, Refusal
from edge.upstream.call import UnaryReply
from tests.unit.ingress.rest_scenes import RestScene, field, post, text


async def test_the_answer_is_whole() -> None:
    """With its length and its metadata, like a unary one."""
    scene = RestScene()
    scene.upstream.answers = (b'{"n":2}',)
    scene.upstream.outcome = UnaryReply(0, None, headers=((b"x-a", b"1"),))
    sink = await scene.ask(post("/up"), b"[1,2]")
    assert (sink.status, text(sink)) == (200, '{"n":2}')
    assert (field(sink, "content-length"), field(sink, "grpc-metadata-x-a")) == ("7", "1")
    assert field(sink, "x-request-id") == "new-id"
    assert (scene.ended[0].status, scene.ended[0].grpc_code) == (200, 0)


@pytest.mark.parametrize(
    ("outcome", "status", "message"),
    [
        (UnaryReply(6, None, "there already"), 409, "there already"),
        (Refusal(Fault.UPSTREAM_RESET), 503, "the service ended the call before it answered"),
    ],
)
async def test_an_error_has_its_status_even_after_the_message(
    outcome: UnaryReply | Refusal, status: int, message: str
) -> None:
    scene = RestScene()
    scene.upstream.answers = (b"1",)
    scene.upstream.outcome = outcome
    sink = await scene.ask(post("/up"), b"[1]")
    assert (sink.status, json.loads(text(sink))["message"]) == (status, message)


@pytest.mark.parametrize("answers", [(), (b"1", b"2"), (b"unprintable",)])
async def test_anything_but_one_message_is_the_services_fault(answers: tuple[bytes, ...]) -> None:
    scene = RestScene()
    scene.upstream.answers = answers
    sink = await scene.ask(post("/up"), b"[1]")
    assert sink.status == 500
    (x,) = scene.ended
    assert x.refusal is not None
    assert (x.refusal.fault, x.grpc_code, x.status) == (Fault.UPSTREAM_MALFORMED, 13, 500)
