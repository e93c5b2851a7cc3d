"""How a unary call is said over REST; what becomes of it otherwise is in test_unary_call and tests/matrix."""

from __future__ import annotations

import gzip

import pytest

from edge.core.metadata import MetadataRules
from edge.ingress.service import Answer
from edge.ingress.serving import ApiSettings
from edge.ingress.unary_call import UnaryCall
from edge.outcome import Fault, Refusal
from edge.upstream.call import UnaryReply
from edge.wire.codec import Render, RequestMessage
from tests.unit.ingress.scenes import Scene, head
from tests.unit.keeping import FEW, LONG, kept_bytes


async def test_a_body_is_bound_without_its_coding() -> None:
    scene = Scene()
    await scene.ask(head("POST", "/v1/a", content_encoding="gzip"), gzip.compress(b"body"))
    assert scene.upstream.asked[0].message == b"|body"


@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [("sponge", b"x", 415), ("gzip", b"x", 400), ("gzip", gzip.compress(bytes(5000), mtime=0), 413)],
    ids=["unknown", "damaged", "a bomb"],
)
async def test_a_coding_that_fails_is_refused(coding: str, body: bytes, status: int) -> None:
    scene = Scene()
    answer = await scene.ask(head("POST", "/v1/a", content_encoding=coding), body)
    assert answer.status == status
    assert scene.upstream.asked == []


@pytest.mark.parametrize(("te", "seen"), [("trailers", True), ("", False)])
async def test_trailing_metadata_is_for_who_asks(te: str, seen: bool) -> None:
    """H3: as headers, for a whole answer has no trailers."""
    scene = Scene()
    scene.upstream.reply = UnaryReply(0, b"yes", trailers=((b"x-cost", b"3"),))
    answer = await scene.ask(head(te=te))
    assert ((b"grpc-trailer-x-cost", b"3") in answer.headers) == seen


async def test_an_answer_that_cannot_be_printed_is_the_services_fault() -> None:
    scene = Scene()
    scene.api.codec.cannot_print = True
    answer = await scene.ask(head())
    assert answer.status == 500
    assert scene.ended[0].refusal is not None
    assert scene.ended[0].refusal.fault is Fault.UPSTREAM_MALFORMED


@pytest.mark.parametrize(
    ("reply", "fields"),
    [
        (UnaryReply(0, b"yes"), [(b"grpc-status", b"0"), (b"grpc-message", b"")]),
        (UnaryReply(5, None, "no such"), [(b"grpc-status", b"5"), (b"grpc-message", b"no such")]),
        (Refusal(Fault.UPSTREAM_RESET, message="gone"), [(b"grpc-status", b"14"), (b"grpc-message", b"gone")]),
    ],
)
async def test_the_status_stands_in_the_head_where_the_api_says_so(
    reply: UnaryReply | Refusal, fields: list[tuple[bytes, bytes]]
) -> None:
    """As Envoy has it, of answers, errors of the service and refusals alike; by default nowhere."""
    for settings, expected in ((ApiSettings(MetadataRules(grpc_status=True)), fields), (ApiSettings(), [])):
        scene = Scene(settings=settings)
        scene.upstream.reply = reply
        answer = await scene.ask(head())
        assert [field for field in answer.headers if field[0].startswith(b"grpc-")] == expected


async def test_response_metadata_is_named_as_the_api_says() -> None:
    """In answers and errors."""
    for reply in (
        UnaryReply(0, b"yes", headers=((b"x-cost", b"3"),)),
        UnaryReply(5, None, headers=((b"x-cost", b"3"),)),
    ):
        scene = Scene(settings=ApiSettings(MetadataRules(response="bare")))
        scene.upstream.reply = reply
        assert (b"x-cost", b"3") in (await scene.ask(head())).headers


async def test_long_content_types_are_not_remembered() -> None:
    """An HttpBody's may be what some client said; it is passed on all the same."""
    scene = Scene()

    def say(number: int) -> None:
        scene.api.codec.content_type = f"text/x{number}" + "a" * LONG
        call = scene.begin(head())
        assert isinstance(call, UnaryCall)
        answer = call._speech.replied(RequestMessage(b"", Render()), UnaryReply(0, b"yes"))
        assert isinstance(answer, Answer)
        assert (b"content-type", scene.api.codec.content_type.encode()) in answer.headers

    assert kept_bytes(say) < FEW
