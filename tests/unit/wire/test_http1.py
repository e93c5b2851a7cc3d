"""The interface's promises, on every engine: boundaries, limits, what a refusal says, and answers that stay in their lines."""

from __future__ import annotations

import pytest

from edge.core.http1_head import FlawKind
from edge.ingress.http1_limits import Http1Limits
from edge.wire.http1 import WHOLE_BYTES, RenderAnswer
from tests.unit.wire.http1_engines import READERS, RENDERERS, MakeReader, read_all

every_reader = pytest.mark.parametrize("make", READERS)


@every_reader
def test_nothing_past_a_message_is_consumed(make: MakeReader) -> None:
    reader = make(Http1Limits())
    first = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    assert reader.feed(first + b"junk that is no request", 0) == len(first)
    assert reader.complete


@every_reader
def test_the_head_comes_before_its_body(make: MakeReader) -> None:
    """So that the service can refuse it before a body byte is read."""
    reader = make(Http1Limits())
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n"
    assert reader.feed(head + b"hi", 0) == len(head)
    assert reader.head_complete
    assert not reader.complete


WITH_BODY = b"POST /a?b HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n%s\r\n%s"


@every_reader
@pytest.mark.parametrize("body", [b"", b"hi", bytes(WHOLE_BYTES)], ids=len)
def test_a_request_that_came_whole_is_read_at_once(make: MakeReader, body: bytes) -> None:
    """Its head and its body; and another may follow."""
    reader = make(Http1Limits())
    data = b"junk" + WITH_BODY % (len(body), b"", body)
    head = (b"host", b"h"), (b"content-length", b"%d" % len(body))
    for _ in range(2):
        read = reader.read(data, 4)
        assert isinstance(read, tuple)
        assert read[:4] == ("POST", "/a", "b", "1.1")
        assert (tuple(read[4]), read[5:]) == (head, (bool(body), len(body), dict(head)))
        assert (reader.complete, reader.keep_alive, reader.flaw) == (True, True, None)
        assert (reader.held_bytes, reader.take_body()) == (len(body), body)
        reader.reset()


HEAD = len(WITH_BODY % (9, b"", b""))


@every_reader
@pytest.mark.parametrize(
    ("data", "stopped"),
    [
        (b"GET / HTTP/1.1\r\nHost: h\r\n\r\nGET", len(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")),
        (b"GET / HTTP/1.1\r\nHost: h\r\n", len(b"GET / HTTP/1.1\r\nHost: h\r\n")),
        (WITH_BODY % (9, b"", b"12345678"), HEAD),
        (WITH_BODY % (9, b"", b"1234567890"), HEAD),
        (WITH_BODY % (9, b"Connection: close\r\n", b"123456789"), HEAD + len(b"Connection: close\r\n")),
        (WITH_BODY % (9, b"Expect: 100-continue\r\n", b"123456789"), HEAD + len(b"Expect: 100-continue\r\n")),
        (
            WITH_BODY % (9, b"Connection: upgrade\r\nUpgrade: x\r\n", b"123456789"),
            HEAD + len(b"Connection: upgrade\r\nUpgrade: x\r\n"),
        ),
        (WITH_BODY % (WHOLE_BYTES + 1, b"", bytes(WHOLE_BYTES + 1)), HEAD + 4),
    ],
    ids=["more behind it", "half a head", "half a body", "more behind its body", "the last", "waits for 100", "upgrade", "large"],
)  # fmt: skip
def test_any_other_is_read_step_by_step(make: MakeReader, data: bytes, stopped: int) -> None:
    """`read` stops where `feed` does, and has taken no more."""
    reader = make(Http1Limits())
    assert reader.read(data, 0) == stopped
    assert reader.take_body() == b""


@every_reader
def test_no_flaw_is_read_as_a_request(make: MakeReader) -> None:
    reader = make(Http1Limits())
    data = b"GET / HTTP/1.1\r\n\r\n"
    assert reader.read(data, 0) == len(data)
    assert reader.flaw is not None


@every_reader
def test_the_reason_names_no_value(make: MakeReader) -> None:
    """A refused head's secrets stay out of the log; its method and path are told."""
    reader = make(Http1Limits())
    reader.feed(b"GET /a?b HTTP/1.1\r\nHost: secret@a\r\n\r\n", 0)
    assert reader.flaw is not None
    assert "secret" not in reader.flaw.detail
    assert reader.parts[:3] == ("GET", "/a", "b")


@every_reader
@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"GET /%b HTTP/1.1\r\nHost: h\r\n\r\n" % (b"a" * 40), FlawKind.URI_TOO_LONG),
        (b"GET / HTTP/1.1\r\nHost: h\r\nx: %b\r\n\r\n" % (b"a" * 80), FlawKind.HEADERS_TOO_LARGE),
        (b"GET / HTTP/1.1\r\nHost: h\r\n%b\r\n" % (b"x: y\r\n" * 4), FlawKind.HEADERS_TOO_LARGE),
        (b"GET / HTTP/1.1\r\nHost: h\r\nx:%b\r\n\r\n" % (b" " * 300), FlawKind.HEADERS_TOO_LARGE),
        (b"\r\n" * 200, FlawKind.HEADERS_TOO_LARGE),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n123456789", FlawKind.BODY_TOO_LARGE),
    ],
)
def test_limits(make: MakeReader, data: bytes, kind: FlawKind) -> None:
    """However it comes."""
    tight = Http1Limits(max_uri_bytes=32, max_header_bytes=64, max_header_count=4)
    for cuts in ([], list(range(len(data)))):
        assert read_all(make, data, cuts, tight, max_body=8, stepwise=True).flaw is kind


@every_reader
def test_chunks_that_are_mostly_framing_are_refused(make: MakeReader) -> None:
    """One byte of body in a line of extensions costs us the line (Go's CVE-2023-39326)."""
    head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    reading = read_all(make, head + (b"1;a=%b\r\nx\r\n" % (b"b" * 1000)) * 400, range(0, 500_000, 4096))
    assert reading.flaw is FlawKind.MALFORMED


@every_reader
@pytest.mark.parametrize(
    ("fields", "keeps"),
    [
        (b"", True),
        (b"Connection: close\r\n", False),
        (b"Connection: a, CLOSE\r\n", False),
        (b"Connection: keep-alive, close\r\n", False),
        (b"Proxy-Connection: close\r\n", False),
        (b"Connection: closed\r\n", True),
        (b"Upgrade: x\r\n", True),
        (b"Connection: upgrade\r\nUpgrade: x\r\n", False),
    ],
)
def test_who_may_send_another_request(make: MakeReader, fields: bytes, keeps: bool) -> None:
    for version, still in ((b"1.1", True), (b"1.0", False)):
        data = b"GET / HTTP/%b\r\nHost: h\r\n%b\r\n" % (version, fields)
        assert read_all(make, data).requests[0].keep_alive is (keeps and still)


@every_reader
def test_close_goes_before_an_old_peers_keep_alive(make: MakeReader) -> None:
    """RFC 9112 9.3; llhttp alone would keep it."""
    for options, keeps in ((b"keep-alive", True), (b"keep-alive, close", False)):
        data = b"GET / HTTP/1.0\r\nConnection: %b\r\n\r\n" % options
        assert read_all(make, data).requests[0].keep_alive is keeps


@every_reader
def test_an_upgrade_that_closes_has_its_body_read(make: MakeReader) -> None:
    """It once raised out of the connection's handler."""
    head = b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close, upgrade\r\nUpgrade: x\r\n"
    for framed in (b"Content-Length: 2\r\n\r\nhi", b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"):
        assert read_all(make, head + framed).requests[0].body == b"hi"


@every_reader
@pytest.mark.parametrize("line", [b"GET / RTSP/1.0", b"DESCRIBE / RTSP/1.0", b"SOURCE / ICE/1.0", b"SOURCE / HTTP/1.1"])
def test_other_protocols_are_not_taken_for_http(make: MakeReader, line: bytes) -> None:
    data = line + b"\r\nHost: h\r\n\r\n"
    for cuts in ([], list(range(len(data)))):
        assert read_all(make, data, cuts).flaw is FlawKind.MALFORMED


@every_reader
@pytest.mark.parametrize("name", [b"Content-Length", b"Transfer-Encoding", b"Host", b"Connection", b"Upgrade"])
def test_no_trailer_frames(make: MakeReader, name: bytes) -> None:
    """RFC 9110 6.5.1: another server might merge it into the head."""
    head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert read_all(make, head + b"0\r\nx: y\r\n\r\n").flaw is None
    assert read_all(make, head + b"0\r\n%b: 1\r\n\r\n" % name).flaw is FlawKind.MALFORMED


@pytest.mark.parametrize("render", RENDERERS)
def test_an_answer_in_one_piece(render: RenderAnswer) -> None:
    whole = render(
        b"HTTP/1.1 200 OK\r\n", [(b"a", b"b"), (b"c", b"")], 2, b"connection: close\r\n", b"date: x\r\n", b"hi"
    )
    assert whole == b"HTTP/1.1 200 OK\r\na: b\r\nc: \r\ncontent-length: 2\r\nconnection: close\r\ndate: x\r\n\r\nhi"
    assert render(b"HTTP/1.1 204 No Content\r\n", (), None, b"", b"", b"") == b"HTTP/1.1 204 No Content\r\n\r\n"


@pytest.mark.parametrize("render", RENDERERS)
@pytest.mark.parametrize("bad", [b"a\r\nb: c", b"a\nb", b"a\rb", b"a\0b", b"\n", b"a\r"])
def test_no_field_breaks_its_line(render: RenderAnswer, bad: bytes) -> None:
    """Whatever a service's metadata holds, the client reads one line per field."""
    for field in ((b"x", bad), (bad, b"v")):
        with pytest.raises(ValueError, match="CR, LF or NUL"):
            render(b"", [(b"ok", b"v"), field], 0, b"", b"", b"")


@pytest.mark.parametrize("render", RENDERERS)
def test_a_field_of_the_wrong_type_is_refused(render: RenderAnswer) -> None:
    with pytest.raises(TypeError):
        render(b"", [(b"x", "text")], 0, b"", b"", b"")  # type: ignore[list-item]  # the bug of a service
