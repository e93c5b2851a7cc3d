"""Transcripts of HTTP/1.1 connections: what is sent, what is answered, and what the service was told."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.ingress.http1_limits import QUEUE_BYTES, Http1Limits
from edge.ingress.service import Answer, Head
from tests.unit.ingress.doubles import Recorder, Wire, run, turns
from tests.unit.ingress.http1_wire import CHUNKED, CLOSE, GET, MALFORMED, POST, VERSION, early, ok, refused

# name, >> bytes, << bytes, is the connection kept?
TRANSCRIPTS = [
    ("get", GET, ok(b"GET /a?b "), True),
    ("post with a length", POST, ok(b"POST /p? hello"), True),
    ("chunked, with an extension and a trailer", CHUNKED, ok(b"POST /c? abcde"), True),
    ("an empty body", b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", ok(b"POST /p? "), True),
    ("blank lines before a request", b"\r\n\r\n" + GET, ok(b"GET /a?b "), True),
    ("two requests in one packet", GET + POST, ok(b"GET /a?b ") + ok(b"POST /p? hello"), True),
    ("a request after a chunked one", CHUNKED + GET, ok(b"POST /c? abcde") + ok(b"GET /a?b "), True),
    (
        "close, asked by the client",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        ok(b"GET /? ", CLOSE),
        False,
    ),
    ("nothing is read after close", b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + GET, ok(b"GET /? ", CLOSE), False),
    ("HTTP/1.0 closes", b"GET / HTTP/1.0\r\n\r\n", ok(b"GET /? ", CLOSE), False),
    (
        "HTTP/1.0 with keep-alive is kept",
        b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        ok(b"GET /? ", b"connection: keep-alive\r\n"),
        True,
    ),
    ("HEAD has the length but no body", b"HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", True),
    (
        "absolute-form: the path is taken",
        b"GET http://b:80/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
        ok(b"GET /x?y "),
        True,
    ),
    (
        "100 Continue is sent when the body is wanted",
        b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nhi",
        b"HTTP/1.1 100 Continue\r\n\r\n" + ok(b"POST /p? hi"),
        True,
    ),
    (
        "no 100 Continue without a body",
        b"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
        ok(b"GET /? "),
        True,
    ),
    (
        "another expectation",
        b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: more\r\n\r\n",
        refused(b"417 Expectation Failed", b"EXPECTATION_FAILED"),
        False,
    ),
    (
        "a length over the limit is refused before the body, without 100",
        b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n",
        refused(b"413 Request Entity Too Large", b"BODY_TOO_LARGE"),
        False,
    ),
    (
        "a chunked body over the limit",
        b"POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + 1001 * b"x",
        refused(b"413 Request Entity Too Large", b"BODY_TOO_LARGE"),
        False,
    ),
    (
        "an upgrade is ignored and nothing after it becomes a request",
        b"GET /u HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n" + GET,
        ok(b"GET /u? ", CLOSE),
        False,
    ),
    (
        "an upgrade with a body: the body is the request's",
        b"POST /u HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\nhello" + GET,
        ok(b"POST /u? hello", CLOSE),
        False,
    ),
    (
        "an upgrade with a chunked body",
        b"POST /u HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        ok(b"POST /u? hi", CLOSE),
        False,
    ),
    ("the HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", VERSION, False),
    ("HTTP/3.0", b"GET / HTTP/3.0\r\n\r\n", VERSION, False),
    ("HTTP/2.0 without a preface", b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", VERSION, False),
    ("HTTP/0.9", b"GET /\r\n\r\n", VERSION, False),
    ("CONNECT", b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", refused(b"404 Not Found", b"ROUTE_NOT_FOUND"), False),
    ("OPTIONS *", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", refused(b"404 Not Found", b"ROUTE_NOT_FOUND"), False),
    ("TLS on a plain port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", MALFORMED, False),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "answered", "kept"), [t[1:] for t in TRANSCRIPTS], ids=[t[0] for t in TRANSCRIPTS])
@pytest.mark.parametrize("split", [False, True], ids=["whole", "byte by byte"])
def test_transcript(sent: bytes, answered: bytes, kept: bool, split: bool) -> None:
    """The answer does not depend on how the bytes arrive."""

    async def scenario() -> None:
        wire = Wire()
        await wire.send(*([sent[i : i + 1] for i in range(len(sent))] if split else [sent]))
        assert wire.out == answered
        assert (not (wire.transport.closed or wire.transport.eof)) == kept
        assert all(sum("sent" in event for event in call.events) == 1 for call in wire.service.calls)
        await wire.hang_up()
        assert len(wire.connections) == 0

    run(scenario())


_POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
SMUGGLING = {
    "length and chunked": _POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and length": _POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two equal lengths": _POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "two lengths": _POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "a list of lengths": _POST + b"Content-Length: 5, 5\r\n\r\nhello",
    "a signed length": _POST + b"Content-Length: +5\r\n\r\nhello",
    "a hexadecimal length": _POST + b"Content-Length: 0x5\r\n\r\nhello",
    "an endless length": _POST + b"Content-Length: 9999999999999999999\r\n\r\nhello",
    "gzip, chunked": _POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    ",chunked": _POST + b"Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n",
    "chunked,": _POST + b"Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n",
    "identity": _POST + b"Transfer-Encoding: identity\r\n\r\n",
    "chunked twice": _POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "vertical tab before chunked": _POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "0x85 after chunked": _POST + b"Transfer-Encoding: chunked\x85\r\n\r\n0\r\n\r\n",
    "nbsp before chunked": _POST + b"Transfer-Encoding: \xa0chunked\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunk size 0x": _POST + b"Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
    "chunk size _": _POST + b"Transfer-Encoding: chunked\r\n\r\n1_0\r\nabc\r\n0\r\n\r\n",
    "chunk size +": _POST + b"Transfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n",
    "chunk size -": _POST + b"Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n",
    "chunk size empty": _POST + b"Transfer-Encoding: chunked\r\n\r\n\r\nabc\r\n0\r\n\r\n",
    "chunk size overflow": _POST + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
    "bare LF after a chunk size": _POST + b"Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n",
    "junk as a chunk's end": _POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcXX0\r\n\r\n",
    "bare LF in a chunk extension": _POST + b"Transfer-Encoding: chunked\r\n\r\n3;a\nb\r\nabc\r\n0\r\n\r\n",
    "NUL in a value": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
    "CR in a value": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
    "bare LF": b"GET / HTTP/1.1\nHost: a\n\n",
    "line folding": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
    "space before the colon": b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "an empty name": b"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
    "a non-ASCII name": b"GET / HTTP/1.1\r\nHost: a\r\nX\xe9: b\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "an empty host": b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "a host with user information": b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
    "a host with a path": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "a list of hosts": b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
    "a fragment": b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET *": b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    "a relative target": b"GET a HTTP/1.1\r\nHost: a\r\n\r\n",
    "a backslash in the path": b"GET /a\\..\\b HTTP/1.1\r\nHost: a\r\n\r\n",
    "an unknown method": b"FROB / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a lower-case method": b"get / HTTP/1.1\r\nHost: a\r\n\r\n",
}


@pytest.mark.parametrize("sent", SMUGGLING.values(), ids=SMUGGLING.keys())
def test_ambiguous_requests_are_refused_and_the_connection_ends(sent: bytes) -> None:
    """What two parsers could read differently is answered once with 400; nothing after it is read."""

    async def scenario() -> None:
        wire = await Wire().send(sent + GET, GET)
        assert wire.out == MALFORMED
        assert wire.transport.eof
        assert all(call.events[:1] == ["abandon MALFORMED_REQUEST"] for call in wire.service.calls)
        await wire.hang_up()

    run(scenario())


def test_facts_reach_the_service() -> None:
    """Names are lower case, values stripped, the authority of an absolute target replaces Host."""

    async def scenario() -> None:
        wire = Wire(tls=True)
        await wire.send(
            b"POST https://B:8443/%C3%A9?q=%20 HTTP/1.1\r\nHOST: a\r\nX-Y: \t v w \t\r\nContent-Length: 2\r\n\r\nhi"
        )
        head = wire.service.heads[0]
        assert (head.method, head.path, head.query, head.version) == ("POST", "/%C3%A9", "q=%20", "1.1")
        assert sorted(head.headers) == [(b"content-length", b"2"), (b"host", b"B:8443"), (b"x-y", b"v w")]
        assert (head.peer, head.secure, head.has_body, head.content_length) == ("192.0.2.1", True, True, 2)
        assert head.started == asyncio.get_running_loop().time()
        await wire.hang_up()

    run(scenario())


LIMITS = Http1Limits(max_uri_bytes=50, max_header_bytes=100, max_header_count=4)


@pytest.mark.parametrize(
    ("sent", "status", "fault"),
    [
        (b"GET /" + 50 * b"x" + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"414 Request-URI Too Long", b"URI_TOO_LONG"),
        (b"GET /" + 5000 * b"x", b"414 Request-URI Too Long", b"URI_TOO_LONG"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + 100 * b"x" + b"\r\n\r\n", b"431 Request Header Fields Too Large", b"HEADERS_TOO_LARGE"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + 5000 * b"x", b"431 Request Header Fields Too Large", b"HEADERS_TOO_LARGE"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + 4 * b"X: x\r\n" + b"\r\n", b"431 Request Header Fields Too Large", b"HEADERS_TOO_LARGE"),
        (b"\r\n" * 5000, b"431 Request Header Fields Too Large", b"HEADERS_TOO_LARGE"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("split", [False, True], ids=["whole", "byte by byte"])
def test_head_limits(sent: bytes, status: bytes, fault: bytes, split: bool) -> None:
    """A head over a limit is refused, as soon as that is known."""

    async def scenario() -> None:
        wire = Wire(limits=LIMITS)
        for piece in [sent[i : i + 1] for i in range(len(sent))] if split else [sent]:
            wire.protocol.data_received(piece)
        assert wire.out == refused(status, fault)
        assert wire.service.heads == []
        await wire.hang_up()

    run(scenario())


def test_a_head_exactly_at_the_limits_is_served() -> None:
    async def scenario() -> None:
        filler = 100 - len(b"hosta") - len(b"x") - len(b"y") - len(b"z")
        head = b"GET /" + 49 * b"x" + b" HTTP/1.1\r\nHost: a\r\nX: " + filler * b"v" + b"\r\nY:\r\nZ:\r\n\r\n"
        wire = await Wire(limits=LIMITS).send(head)
        assert wire.out.startswith(b"HTTP/1.1 200 OK")
        await wire.hang_up()

    run(scenario())


def test_chunk_extensions_out_of_proportion_are_refused() -> None:
    """A body of extensions costs the sender as much as real data but never ends: bounded by what it brings."""

    async def scenario() -> None:
        wire = await Wire(limits=LIMITS).send(_POST + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(100):
            wire.protocol.data_received(b"1;" + 100 * b"x" + b"\r\na\r\n")
        assert wire.out == MALFORMED
        assert wire.service.calls[0].events == ["abandon MALFORMED_REQUEST", "sent 17"]
        await wire.hang_up()

    run(scenario())


def test_one_byte_chunks_are_served() -> None:
    async def scenario() -> None:
        wire = await Wire(limits=LIMITS).send(
            _POST + b"Transfer-Encoding: chunked\r\n\r\n" + 900 * b"1\r\nx\r\n" + b"0\r\n\r\n"
        )
        assert wire.service.calls[0].body == 900 * b"x"
        await wire.hang_up()

    run(scenario())


def test_pipelined_requests_are_begun_in_their_turn() -> None:
    """The second request is not looked at while the first runs."""

    async def scenario() -> None:
        gate = asyncio.Event()

        async def finish(head: Head, body: bytes) -> Answer:
            await gate.wait()
            return Answer(200, (), head.path.encode())

        wire = Wire(Recorder(finish_with=finish))
        await wire.send(
            b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTT",
            b"P/1.1\r\nHost: a\r\n\r\n",
        )
        assert [head.path for head in wire.service.heads] == ["/1"]
        gate.set()
        await turns(30)
        assert wire.out == ok(b"/1") + ok(b"/2") + ok(b"/3")
        await wire.hang_up()

    run(scenario())


def test_a_flood_of_pipelined_requests_is_not_read() -> None:
    """While a call runs, at most the queue is kept; then the socket is left alone until it is empty again."""

    async def scenario() -> None:
        gate = asyncio.Event()

        async def finish(head: Head, body: bytes) -> Answer:
            await gate.wait()
            return Answer(200)

        wire = Wire(Recorder(finish_with=finish))
        await wire.send(GET)
        request, sent = b"GET / HTTP/1.1\r\nHost: a\r\nX: " + 1000 * b"x" + b"\r\n\r\n", 0
        while not wire.transport.reading_paused:
            wire.protocol.data_received(request)
            sent += len(request)
        assert QUEUE_BYTES < sent <= QUEUE_BYTES + len(request)
        gate.set()
        await turns(1000)
        assert not wire.transport.reading_paused
        assert len(wire.service.calls) == sent // len(request) + 1
        await wire.hang_up()

    run(scenario())


def test_many_small_requests_in_one_packet_let_others_run_in_between() -> None:
    async def scenario() -> None:
        wire = Wire(Recorder(begin_with=early()))
        wire.protocol.data_received(GET * 100)
        assert len(wire.service.heads) == 1
        await turns(100)
        assert len(wire.service.heads) == 100
        await wire.hang_up()

    run(scenario())


FRAGMENTS = [
    GET,
    POST,
    CHUNKED,
    SMUGGLING["gzip, chunked"],
    b"\r\n",
    b"\0",
    b"GET ",
    b"Connection: close\r\n",
    b"0\r\n\r\n",
]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=6).map(b"".join),
    st.lists(st.tuples(st.integers(1, 200), st.integers(0, 3)), max_size=10),
    st.booleans(),
)
def test_every_call_is_kept_its_promises(data: bytes, steps: list[tuple[int, int]], stuck: bool) -> None:
    """Whatever is sent, however cut, whenever the client leaves: one of finish and abandon, then `sent`, once each."""

    async def scenario() -> None:
        wire = Wire(stuck=stuck)
        rest = data
        for size, pause in [*steps, (len(data), 0)]:
            if rest and not wire.transport.lost:
                wire.protocol.data_received(rest[:size])
            rest = rest[size:]
            await turns(pause)
        await wire.hang_up()
        assert len(wire.connections) == 0
        for call in wire.service.calls:
            began, *more = (event for event in call.events if not event.startswith("cancel"))
            assert began == "finish" or began.startswith("abandon")
            assert len(more) == 1
            assert more[0].startswith("sent")

    run(scenario())
