"""Streams of answers over REST: their form, when they begin, how they end."""

from __future__ import annotations

import asyncio
import gzip
import json

import pytest

from edge.core.stream_inflate import Inflater
from edge.ingress.serving import StreamSettings
from edge.outcome import Fault, Refusal
from edge.upstream.call import UnaryReply
from edge.wire.codec import ResponseBody
from tests.unit.ingress.doubles import run
from tests.unit.ingress.rest_scenes import JoiningMethod, RestScene, field, get, post, text
from tests.unit.ingress.rpc_scenes import Pieces, Sink

LINES, EVENTS = "application/x-ndjson", "text/event-stream"


@pytest.mark.parametrize(
    ("accept", "media_type", "written"),
    [
        ("", "application/json", ["[1", ",2", "]"]),
        (LINES, LINES, ["1\n", "2\n"]),
        (EVENTS, EVENTS, ["id: 1\ndata: 1\n\n", "id: 2\ndata: 2\n\n"]),
    ],
)
async def test_each_message_is_written_as_it_comes(accept: str, media_type: str, written: list[str]) -> None:
    """S1, S2: nothing waits for the next."""
    scene = RestScene()
    scene.upstream.answers = (b"1", b"2")
    sink = await scene.ask(get("/down/a", "q", accept=accept))
    assert [piece.decode() for piece in sink.written if piece] == written
    assert (sink.status, field(sink, "content-type"), field(sink, "vary")) == (200, media_type, "accept")
    assert (sink.trailers, sink.aborted) == ([], False)
    assert scene.sent == [b"a|q||"]
    (x,) = scene.ended
    assert (x.status, x.grpc_code, x.refusal) == (200, 0, None)


@pytest.mark.parametrize("accept", ["", LINES, EVENTS])
async def test_messages_that_are_there_at_once_are_one_write(accept: str) -> None:
    """Of the same bytes; but no more than 64 of them, or 4 KiB and the last."""
    messages = (b"1", b"2") * 40 + (b'"%b"' % (b"x" * 1500),) * 5
    texts = []
    for at_once in (False, True):
        scene = RestScene()
        scene.upstream.answers, scene.upstream.at_once = messages, at_once
        sink = await scene.ask(get("/down/a", "q", accept=accept))
        texts.append(text(sink))
    assert texts[0] == texts[1]
    assert [piece.count(b"x") for piece in sink.written if piece][:3] == [0, 3 * 1500, 2 * 1500]


async def test_what_came_before_a_message_that_cannot_be_said_is_written() -> None:
    scene = RestScene()
    scene.upstream.answers, scene.upstream.at_once = (b"1", b"unprintable", b"3"), True
    sink = await scene.ask(get("/down/a", accept=LINES))
    first, error = text(sink).splitlines()
    assert (first, json.loads(error)["error"]["code"], sink.status) == ("1", 13, 200)
    assert scene.upstream.streams[0].cancelled


@pytest.mark.parametrize(("accept", "written"), [("", "[]"), (LINES, ""), (EVENTS, "")])
async def test_no_messages(accept: str, written: str) -> None:
    """S3."""
    scene = RestScene()
    sink = await scene.ask(get("/down/a", accept=accept))
    assert (sink.status, text(sink)) == (200, written)
    assert sink.trailers == []


@pytest.mark.parametrize("accept", ["", LINES, EVENTS])
@pytest.mark.parametrize("headers", [None, ((b"a", b"b"),)])
async def test_an_error_before_the_first_message_has_its_status(
    accept: str, headers: tuple[tuple[bytes, bytes]] | None
) -> None:
    """S4: even if initial metadata came, for that says nothing yet."""
    scene = RestScene()
    scene.upstream.headers = headers
    scene.upstream.outcome = UnaryReply(5, None, "no such shelf")
    sink = await scene.ask(get("/down/a", accept=accept))
    assert (sink.status, field(sink, "content-type")) == (404, "application/json")
    assert json.loads(text(sink)) == {"code": 5, "message": "no such shelf", "details": []}
    assert field(sink, "content-length") == str(len(text(sink)))
    (x,) = scene.ended
    assert (x.status, x.grpc_code) == (404, 5)


@pytest.mark.parametrize(
    ("accept", "end"),
    [
        ("", None),
        (LINES, '{"error":{"code":8,"message":"full","details":[]}}\n'),
        (EVENTS, 'event: error\ndata: {"code":8,"message":"full","details":[]}\n\n'),
    ],
)
async def test_an_error_after_a_message_is_seen(accept: str, end: str | None) -> None:
    """S5: never a clean end."""
    scene = RestScene()
    scene.upstream.answers = (b"1",)
    scene.upstream.outcome = UnaryReply(8, None, "full")
    sink = await scene.ask(get("/down/a", accept=accept))
    assert sink.status == 200
    if end is None:
        assert (text(sink), sink.aborted, sink.trailers) == ("[1", True, None)
    else:
        assert (sink.written[-1].decode(), sink.aborted) == (end, False)
    (x,) = scene.ended
    assert (x.status, x.grpc_code) == (200, 8)


@pytest.mark.parametrize("first", [True, False])
async def test_a_message_that_cannot_be_printed(first: bool) -> None:
    """An error like any other of the service's."""
    scene = RestScene()
    scene.upstream.answers = (b"unprintable",) if first else (b"1", b"unprintable")
    sink = await scene.ask(get("/down/a", accept=LINES))
    assert sink.status == (500 if first else 200)
    assert "UPSTREAM_MALFORMED" in text(sink)
    assert scene.upstream.streams[0].cancelled
    (x,) = scene.ended
    assert x.refusal is not None
    assert x.refusal.fault is Fault.UPSTREAM_MALFORMED


async def test_raw_bytes() -> None:
    """R4: the type is the first message's; Accept has no say; an error cuts the body short."""
    scene = RestScene()
    scene.upstream.answers = (b"a,b\n", b"1,2\n")
    sink = await scene.ask(get("/raw", accept=EVENTS))
    assert (text(sink), field(sink, "content-type"), field(sink, "vary")) == ("a,b\n1,2\n", "text/csv", None)
    scene.upstream.outcome = UnaryReply(13, None)
    sink = await scene.ask(get("/raw"))
    assert (text(sink), sink.aborted) == ("a,b\n1,2\n", True)
    scene.upstream.answers, scene.upstream.outcome = (), UnaryReply(0, None)
    sink = await scene.ask(get("/raw"))
    assert (sink.status, text(sink), field(sink, "content-type")) == (200, "", None)


async def test_metadata() -> None:
    """H3: initial metadata as headers, trailing as trailers; `x-http-code` sets the status."""
    scene = RestScene()
    scene.upstream.answers = (b"1",)
    scene.upstream.headers = ((b"etag", b'"1"'), (b"x-a", b"1"), (b"x-http-code", b"206"))
    scene.upstream.outcome = UnaryReply(0, None, trailers=((b"x-t", b"2"), (b"set-cookie", b"a=b")))
    sink = await scene.ask(get("/down/a"))
    assert (sink.status, field(sink, "etag"), field(sink, "grpc-metadata-x-a")) == (206, '"1"', "1")
    assert field(sink, "x-request-id") == "new-id"
    assert sink.trailers == [(b"grpc-trailer-x-t", b"2")]
    assert scene.ended[0].status == 206


@pytest.mark.parametrize("accept", ["", LINES, EVENTS])
async def test_indented_only_where_it_can_be(accept: str) -> None:
    """A line is a message in the other forms."""
    scene = RestScene()
    scene.upstream.answers = (b'{"a":1}',)
    sink = await scene.ask(get("/down/a", "pretty", accept=accept))
    assert ("\n " in text(sink)) == (accept == "")


async def test_an_api_may_prefer_lines() -> None:
    scene = RestScene(streaming=StreamSettings(format="ndjson"))
    scene.upstream.answers = (b"1",)
    assert text(await scene.ask(get("/down/a"))) == "1\n"
    assert text(await scene.ask(get("/down/a", accept="application/json"))) == "[1]"


async def test_who_talks_in_lines_is_answered_in_lines() -> None:
    scene = RestScene()
    scene.upstream.answers = (b"1",)
    assert text(await scene.ask(post("/both", content_type=LINES), b"1\n2\n")) == "1\n"
    assert text(await scene.ask(post("/both", content_type=LINES, accept="application/json"), b"1\n2\n")) == "[1]"
    assert text(await scene.ask(post("/both"), b"[1,2]")) == "[1]"


async def test_event_ids() -> None:
    """S7: a field of the message where the API names one; a client that comes back is counted on."""
    scene = RestScene(streaming=StreamSettings(event_id="n"))
    scene.upstream.answers = (b'{"n":"x7"}', b'{"n":8}', b'{"m":1}', b"[]", b'{"n":true}', b'{"n":"a\\nb"}')
    sink = await scene.ask(get("/down/a", accept=EVENTS, last_event_id="40"))
    ids = [event.decode().partition("data")[0].strip() for event in sink.written if event]
    assert ids == ["id: x7", "id: 8", "id: 43", "id: 44", "id: 45", ""]


async def test_event_ids_are_of_events_alone() -> None:
    """An API that names a field has answers that are no JSON, too."""
    scene = RestScene(streaming=StreamSettings(event_id="n"))
    scene.upstream.answers = (b"a,b\n",)
    sink = await scene.ask(get("/raw", accept=EVENTS))
    assert (sink.status, text(sink)) == (200, "a,b\n")


async def test_a_type_that_no_field_can_carry_is_the_services_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a unary answer, and before a byte of it has left."""
    monkeypatch.setattr(
        JoiningMethod, "response", lambda self, message, render: ResponseBody("text/csv\r\nx: y", message)
    )
    scene = RestScene()
    scene.upstream.answers = (b"a,b\n",)
    sink = await scene.ask(get("/raw"))
    assert (sink.status, field(sink, "content-type")) == (500, "application/json")
    assert scene.ended[0].refusal is not None
    assert scene.ended[0].refusal.fault is Fault.UPSTREAM_MALFORMED


async def test_events_are_not_buffered_on_their_way() -> None:
    scene = RestScene()
    scene.upstream.answers = (b"1",)
    sink = await scene.ask(get("/down/a", accept=EVENTS))
    assert (field(sink, "cache-control"), field(sink, "x-accel-buffering")) == ("no-store", "no")
    scene.upstream.headers = ((b"cache-control", b"private"),)
    sink = await scene.ask(get("/down/a", accept=EVENTS))
    assert [value for name, value in sink.headers if name == b"cache-control"] == [b"private"]


@pytest.mark.parametrize(("accept", "beats"), [(EVENTS, 3), ("", 0)])
def test_heartbeats(accept: str, beats: int) -> None:
    """S7: silence is filled, for events only; the answer begins with the first, and an error comes as an event then."""

    async def scenario() -> None:
        scene = RestScene(streaming=StreamSettings(heartbeat_s=15.0))
        scene.upstream.outcome = UnaryReply(8, None, "full")
        scene.upstream.quiet_s = 46.0
        call = asyncio.create_task(scene.run(get("/down/a", accept=accept), Pieces(), sink := Sink()))
        await asyncio.sleep(45.5)
        assert sink.written == [b":\n\n"] * beats
        await call
        assert sink.status == (200 if beats else 429)
        assert text(sink).count("full") == 1

    run(scenario())


async def test_a_refusal_is_an_error_too() -> None:
    scene = RestScene()
    scene.upstream.headers = None
    scene.upstream.outcome = Refusal(Fault.UPSTREAM_UNAVAILABLE)
    sink = await scene.ask(get("/down/a"))
    assert (sink.status, field(sink, "retry-after")) == (503, "1")


ENVELOPE = StreamSettings(format="envelope")
FAILED = {"code": 5, "message": "no", "details": []}


async def test_an_api_may_answer_in_envelopes() -> None:
    """S8: lines whose type is JSON's, for clients of grpc-gateway; who talks in lines is no exception."""
    scene = RestScene(streaming=ENVELOPE)
    scene.upstream.answers = (b"1", b"2")
    for sink in (await scene.ask(get("/down/a", "pretty")), await scene.ask(post("/both", content_type=LINES), b"1\n")):
        assert (text(sink), field(sink, "content-type")) == ('{"result":1}\n{"result":2}\n', "application/json")


@pytest.mark.parametrize(("headers", "told"), [(None, FAILED), ((), {"error": FAILED})])
async def test_an_early_error_is_an_item_once_the_service_has_spoken(
    headers: tuple[()] | None, told: dict[str, object]
) -> None:
    """To grpc-gateway the stream begins with the service's metadata; the status is the real one either way."""
    scene = RestScene(streaming=ENVELOPE)
    scene.upstream.headers = headers
    scene.upstream.outcome = UnaryReply(5, None, "no")
    sink = await scene.ask(get("/down/a"))
    assert (sink.status, json.loads(text(sink))) == (404, told)
    assert field(sink, "content-length") == str(len(text(sink)))


async def test_an_error_after_an_envelope() -> None:
    scene = RestScene(streaming=ENVELOPE)
    scene.upstream.answers = (b"1",)
    scene.upstream.outcome = UnaryReply(5, None, "no")
    assert [json.loads(line) for line in text(await scene.ask(get("/down/a"))).splitlines()] == [
        {"result": 1},
        {"error": FAILED},
    ]


@pytest.mark.parametrize(
    ("accept", "accepted", "coding"),
    [
        ("", "gzip", "gzip"),
        (LINES, "gzip, br", "gzip"),
        (LINES, "br", "br"),
        (EVENTS, "gzip, deflate, br, zstd", "zstd"),
        (EVENTS, "gzip;q=0.5, br;q=0.6", "br"),
    ],
)
async def test_a_stream_is_compressed_message_by_message(accept: str, accepted: str, coding: str) -> None:
    """Each piece tells all that was said up to it, and the end ends the coding; caches are told."""
    scene = RestScene(compression=True)
    scene.upstream.headers = ((b"etag", b'"1"'),)
    scene.upstream.answers = (b"1", b"2")
    plain = await scene.ask(get("/down/a", accept=accept))
    sink = await scene.ask(get("/down/a", accept=accept, accept_encoding=accepted))
    assert field(sink, "content-encoding") == coding
    assert (field(sink, "etag"), field(plain, "etag")) == ('W/"1"', '"1"')
    inflater = Inflater(coding)
    said = [b"".join(inflater.feed(piece)) for piece in sink.written]
    inflater.end()
    assert said[:2] == plain.written[:2]
    assert b"".join(said) == b"".join(plain.written)
    for each in (sink, plain):
        assert [value for name, value in each.headers if name == b"vary"] == [b"accept", b"accept-encoding"]


async def test_an_error_after_messages_is_compressed_with_them() -> None:
    """The client's decoder is in the middle of a body."""
    scene = RestScene(compression=True)
    scene.upstream.answers = (b"1",)
    scene.upstream.outcome = UnaryReply(13, None, "stop")
    sink = await scene.ask(get("/down/a", accept=LINES, accept_encoding="gzip"))
    first, second = gzip.decompress(b"".join(sink.written)).splitlines()
    assert (first, json.loads(second)["error"]["message"]) == (b"1", "stop")
    assert sink.trailers == ()


def test_a_heartbeat_is_compressed_like_an_event() -> None:
    """And reaches the client at once."""
    scene = RestScene(streaming=StreamSettings(heartbeat_s=2.0), compression=True)
    scene.upstream.quiet_s = 5.0
    scene.upstream.answers = (b"1",)
    sink = Sink()
    head = get("/down/a", accept=EVENTS, accept_encoding="gzip")
    run(scene.run(head, Pieces(), sink))
    inflater = Inflater("gzip")
    assert [b"".join(inflater.feed(piece)) for piece in sink.written[:2]] == [b":\n\n", b":\n\n"]


@pytest.mark.parametrize(
    ("path", "accepted"), [("/down/a", ""), ("/down/a", "identity"), ("/down/a", "lzma"), ("/down/a", "*;q=0")]
)
async def test_a_stream_stays_as_it_is_for_a_client_that_takes_no_coding(path: str, accepted: str) -> None:
    """Or one that refuses all there are: bytes are better than none."""
    scene = RestScene(compression=True)
    scene.upstream.answers = (b"1",)
    sink = await scene.ask(get(path, accept_encoding=accepted))
    assert (text(sink), field(sink, "content-encoding")) == ("[1]", None)


async def test_a_stream_is_not_compressed_where_the_api_says_so() -> None:
    scene = RestScene(compression=False)
    scene.upstream.answers = (b"1",)
    sink = await scene.ask(get("/down/a", accept_encoding="gzip"))
    assert (text(sink), field(sink, "content-encoding"), field(sink, "vary")) == ("[1]", None, "accept")
