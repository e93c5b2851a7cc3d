"""Request bodies of streaming methods, as the messages their service gets."""

from __future__ import annotations

import gzip
import json

import pytest

from edge.exchange import Exchange
from edge.ingress.rest_messages import CUT_BYTES, is_lines
from edge.outcome import Fault, Refusal
from edge.pipeline import Admission
from tests.unit.core.test_stream_inflate import coded
from tests.unit.ingress.rest_scenes import RestScene, get, post, text
from tests.unit.ingress.rpc_scenes import LIMIT, Pieces, Sink

LINES = "application/x-ndjson"
JSON = b"application/json"


def status(sink: Sink) -> tuple[int, str]:
    """HTTP status and message of an error."""
    return sink.status, json.loads(text(sink))["message"]


@pytest.mark.parametrize(
    ("content_type", "pieces", "given"),
    [
        ("application/json", (b"[1,2,3]",), JSON),
        ("application/json", (b"1 2", b"\n3"), JSON),
        ("application/json; charset=utf-8", (b"[1,", b"2", b",3", b"]"), b"application/json; charset=utf-8"),
        (LINES, (b"1\n2\n3\n",), JSON),
        ("application/jsonl", (b"1\n2\n3",), JSON),
        ("", (b"[1,2,3]",), b""),
    ],
)
async def test_a_body_of_many_messages(content_type: str, pieces: tuple[bytes, ...], given: bytes) -> None:
    """B10: an array, lines, or one after the other; each bound with the query, its type JSON or what the client says."""
    scene = RestScene()
    scene.upstream.answers = (b'"ok"',)
    sink = await scene.ask(post("/up", "q", content_type=content_type), *pieces)
    assert (sink.status, text(sink)) == (200, '"ok"')
    assert scene.sent == [b"q|%b|%d" % (given, number) for number in (1, 2, 3)]


@pytest.mark.parametrize("pieces", [(), (b"[]",), (b"[ ", b"] "), (b" \n",)])
async def test_no_messages(pieces: tuple[bytes, ...]) -> None:
    scene = RestScene()
    scene.upstream.answers = (b'"ok"',)
    sink = await scene.ask(post("/up"), *pieces)
    assert (sink.status, scene.sent) == (200, [])


async def test_lines_whose_messages_are_arrays() -> None:
    """Said to be lines, a `[` at the beginning opens the first message."""
    scene = RestScene()
    scene.upstream.answers = (b"1",)
    await scene.ask(post("/up", content_type=LINES), b"[1]\n[2]\n")
    assert scene.sent == [b"|application/json|[1]", b"|application/json|[2]"]


@pytest.mark.parametrize(
    ("pieces", "code", "why"),
    [
        ((b'[1,"misfit",3]',), 400, "message 2: a.b: is not a number"),
        ((b"[1,", b"2"), 400, "message 2 of the body is cut short"),
        ((b"[1 2]",), 400, "message 2 of the body follows another without a comma"),
        ((b'1"' + bytes(LIMIT),), 413, f"message 2 of the body is larger than {LIMIT} bytes"),
        ((b"1" + b"[" * 200,), 400, "message 2 of the body is nested too deep"),
    ],
)
async def test_an_error_after_a_message(pieces: tuple[bytes, ...], code: int, why: str) -> None:
    """The call ends there; the service is told by a reset, not by a half-close."""
    scene = RestScene()
    sink = await scene.ask(post("/up"), *pieces)
    assert status(sink) == (code, why)
    (stream,) = scene.upstream.streams
    assert stream.sent[:1] == [b"|application/json|1"][: len(stream.sent)]
    assert stream.cancelled
    (x,) = scene.ended
    assert x.refusal is not None
    assert x.status == code


async def test_a_body_that_breaks_off() -> None:
    scene = RestScene()
    sink = Sink()
    await scene.run(post("/up"), Pieces(b"[1,2", broken=Refusal(Fault.REQUEST_TIMEOUT)), sink)
    assert sink.status == 408
    assert scene.upstream.streams[0].cancelled


async def test_another_media_type() -> None:
    scene = RestScene()
    assert status(await scene.ask(post("/up", content_type="text/plain"), b"1")) == (
        415,
        "the body must be application/json",
    )


async def test_a_wrong_query_is_refused_before_the_service_hears_of_it() -> None:
    """What all messages have in common needs none of them."""
    scene = RestScene()
    for request in (post("/up", "bad"), get("/down/a", "bad"), post("/both", "bad")):
        assert (await scene.ask(request)).status == 400
    assert scene.upstream.streams == []


@pytest.mark.parametrize(("path", "sent"), [("/up", [b"1", b"22"]), ("/raw", [b"[1,", b"22]"])])
@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate", "GZIP, identity"])
async def test_a_coded_stream_is_inflated_as_it_comes(coding: str, path: str, sent: list[bytes]) -> None:
    """Each piece gives what it holds; the end must be there."""
    pieces = coded(coding.partition(",")[0].lower(), b"[1,", b"22]")
    scene = RestScene()
    scene.upstream.answers = (b"1",)
    assert (await scene.ask(post(path, content_encoding=coding), *pieces)).status == 200
    assert [message.rpartition(b"|")[2] for message in scene.sent] == sent
    cut = await scene.ask(post(path, content_encoding=coding), *pieces[:-1])
    assert status(cut) == (400, f"the request body is not valid {coding.partition(',')[0].lower()}: it is cut short")


@pytest.mark.parametrize("coding", ["sponge", "gzip, br"])
async def test_a_coding_that_is_not_known_is_refused(coding: str) -> None:
    """Before the service hears of the call."""
    scene = RestScene()
    assert (await scene.ask(post("/up", content_encoding=coding), b"x")).status == 415
    assert scene.upstream.streams == []


async def test_the_bound_on_a_message_holds_for_what_it_inflates_to() -> None:
    """However little it was on the wire; the upload as a whole may be larger."""
    scene = RestScene()
    scene.upstream.answers = (b"1",)
    many = json.dumps(["x" * (LIMIT // 2)] * 10).encode()
    assert (await scene.ask(post("/up", content_encoding="gzip"), gzip.compress(many))).status == 200
    large = json.dumps(["x" * (LIMIT * 2)]).encode()
    assert (await scene.ask(post("/up", content_encoding="gzip"), gzip.compress(large))).status == 413


async def test_what_only_a_body_makes_right_waits_for_it() -> None:
    """A required field is missing in a message without a body."""
    scene = RestScene()
    scene.upstream.answers = (b"1",)
    assert (await scene.ask(post("/up", "required"), b"[1]")).status == 200


async def test_a_rule_without_a_body_has_one_message() -> None:
    scene = RestScene()
    scene.upstream.answers = (b"1",)
    await scene.ask(get("/up/a", "q"))
    assert scene.sent == [b"a|q||"]


async def test_unknown_parameters_are_handed_on() -> None:
    """As metadata, for APIs that capture them."""
    scene = RestScene()
    for request in (post("/up", "odd"), get("/down/a", "odd")):
        await scene.ask(request)
        assert (b"edge-unknown-query", b"odd=1") in scene.upstream.metadata[-1]


async def test_an_upload_in_pieces() -> None:
    """B11: as they come, none larger than a message may be; each says what path and query say."""
    scene = RestScene()
    scene.upstream.answers = (b"1",)
    large = bytes(2 * CUT_BYTES + 1)
    await scene.ask(post("/raw", "q", content_type="image/png"), b"ab", large)
    sizes = [len(message.removeprefix(b"q|image/png|")) for message in scene.sent]
    assert sizes == [2, CUT_BYTES, CUT_BYTES, 1]


async def test_an_empty_upload_is_one_empty_message() -> None:
    scene = RestScene()
    scene.upstream.answers = (b"1",)
    await scene.ask(post("/raw", "q", content_type="image/png"))
    assert scene.sent == [b"q|image/png|"]


async def test_one_message_is_the_whole_body() -> None:
    scene = RestScene()
    await scene.ask(post("/down"), b'{"a"', b":1}")
    assert scene.sent == [b'|application/json|{"a":1}']


async def test_one_message_is_bounded_by_the_connection_many_by_themselves() -> None:
    scene = RestScene()
    assert scene.begin(post("/down")).max_body_bytes == LIMIT
    assert scene.begin(post("/up")).max_body_bytes is None
    scene.upstream.answers = (b"1",)
    text_ = b'"' + b"x" * (LIMIT - 2) + b'"'
    await scene.ask(post("/up"), *[text_ + b"\n"] * 5)
    assert len(scene.sent) == 5


class Refuse:
    """A policy that refuses."""

    name = "refuse"

    def admit(self, x: Exchange) -> Admission:
        return Refusal(Fault.OVERLOADED)


async def test_a_body_is_not_read_before_the_call_is_admitted() -> None:
    scene = RestScene(Refuse())
    body = Pieces(b"1")
    await scene.run(post("/down"), body, sink := Sink())
    assert sink.status == 503
    assert await body.read() == b"1"


@pytest.mark.parametrize(
    ("content_type", "lines"),
    [(LINES, True), ("Application/NDJSON ; charset=utf-8", True), ("application/json", False), ("", False)],
)
def test_what_counts_as_lines(content_type: str, lines: bool) -> None:
    assert is_lines(content_type) == lines
