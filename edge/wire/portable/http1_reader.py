"""
Bytes to requests: llhttp behind an interface that stops at every boundary.

Owns the invariant that the parser never sees a byte past the end of the current message, so that a pipelined request is not
looked at before its turn and the bytes after an Upgrade never become one. llhttp cannot be stopped in mid-buffer from Python,
but where a head or a chunked body ends can be told beforehand (`core.message_end`; strict llhttp takes no bare LF), and a body
with a length ends where it says: the reader feeds exactly up to those points. Sans-IO: no socket, no clock.
"""

from __future__ import annotations

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from edge.core.http1_head import FlawKind, HeadFacts, HeadFlaw, examine, may_trail
from edge.core.message_end import BlankLine, ChunkedBody, ChunkSizeError
from edge.wire.http1 import WHOLE_BYTES, Header, Parts, ReadLimits

# llhttp's own words: an unknown version, and the HTTP/2 preface.
_VERSION_ERRORS = frozenset({"Invalid HTTP version", "Pause on PRI/Upgrade", "Expected HTTP/2 Connection Preface"})


class PortableRequestReader:
    """
    `edge.wire.http1.RequestReader` on llhttp.

    `facts` is there once the head is complete and sound.
    """

    __slots__ = (
        "_blank", "_body", "_body_bytes", "_end", "_head_wire_bytes", "_header_bytes", "_limits", "_line", "_max_head_wire_bytes",
        "_parser", "_trailer_bytes", "_trailers", "_upgrade", "complete", "expects_continue", "facts", "flaw", "head_complete", "headers",
        "keep_alive", "max_body_bytes", "method", "target", "version",
    )  # fmt: skip

    def __init__(self, limits: ReadLimits) -> None:
        self._limits = limits
        self._max_head_wire_bytes = limits.max_head_wire_bytes
        self._parser = HttpRequestParser(self)
        self._blank = BlankLine()  # serves every head: where it found the end, it begins anew
        self.reset()

    def reset(self) -> None:
        """Forget the request; the next byte starts a new one."""
        self.method = self.version = ""
        self.target = b""
        self.headers: list[Header] = []
        self.facts: HeadFacts | None = None
        self.keep_alive = self.head_complete = self.complete = self.expects_continue = self._upgrade = False
        self.flaw: HeadFlaw | None = None
        self.max_body_bytes: int | None = 0
        self._body: bytes | bytearray = b""
        self._body_bytes = self._head_wire_bytes = self._header_bytes = 0
        self._trailers = self._trailer_bytes = 0
        self._line: bytes | None = b""  # the request line, until it is whole
        self._end: BlankLine | ChunkedBody = self._blank

    def read(self, data: bytes, offset: int) -> Parts | int:
        """Begin a request: its head when it is sound and `data` ends with the request, else what `feed` says."""
        offset = self.feed(data, offset)
        if self.flaw is None and self.head_complete:
            rest = len(data) - offset
            goes_on = self.keep_alive and not self.expects_continue
            if rest and rest == self.content_length and rest <= WHOLE_BYTES and goes_on:
                self.max_body_bytes = rest
                offset = self.feed(data, offset)
            if self.complete and offset == len(data):
                return self.parts
        return offset

    def feed(self, data: bytes, offset: int) -> int:
        """Consume `data` from `offset` to the end of the head or of the message, whichever comes first; where it stopped."""
        size, facts = len(data), self.facts
        if facts is not None and facts.content_length is not None:
            cut = min(size, offset + facts.content_length - self._body_bytes)
        else:
            try:
                cut = self._end.end(data, offset)
            except ChunkSizeError as error:
                self.flaw = _malformed(str(error))
                return size
        piece = data if cut - offset == size else memoryview(data)[offset:cut]
        in_head = not self.head_complete
        if in_head:
            self._head_wire_bytes += cut - offset
        if self._line is not None:
            self._see_line(piece)
        try:
            self._parser.feed_data(piece)
        except HttpParserUpgrade:
            pass  # the piece ended with the head, so nothing of the body was skipped
        except HttpParserError as error:
            self.flaw = self.flaw or _parser_flaw(str(error))
            return cut
        if self.flaw is None:
            self.flaw = self._check_head() if in_head else self._check_body()
        return cut

    @property
    def begun(self) -> bool:
        """Some of the request's target was read."""
        return bool(self.target)

    @property
    def parts(self) -> Parts:
        """The head; of an unsound one, as much as can be told (for the log)."""
        facts, first = self.facts, dict(reversed(self.headers))
        if facts is None:
            path, _, query = self.target.decode("latin-1").partition("?")
            return self.method, path, query, self.version, self.headers, False, None, first
        length = facts.content_length
        return self.method, facts.path, facts.query, self.version, self.headers, facts.has_body, length, first

    @property
    def content_length(self) -> int | None:
        """The declared length of the body."""
        return None if self.facts is None else self.facts.content_length

    def close(self) -> None:
        """No more requests. The parser holds our methods: without this, each connection would be garbage for the collector."""
        del self._parser

    @property
    def held_bytes(self) -> int:
        """How much of the body was read and not taken."""
        return len(self._body)

    def take_body(self) -> bytes:
        """What was read of the body; the reader keeps none of it."""
        body, self._body = self._body, b""
        return body if isinstance(body, bytes) else bytes(body)

    # What llhttp calls. None of these may raise: an exception would be reported as a parser error.

    def on_url(self, piece: bytes) -> None:
        """A piece of the request target."""
        if self.complete:  # unreachable while the boundary rule holds; if llhttp's changes, refuse rather than guess
            self.flaw = _malformed("the parser went past the end of the request")
        elif not self.head_complete:
            self.target += piece

    def on_header(self, name: bytes, value: bytes) -> None:
        """A whole field. Trailer fields are read and dropped: no gRPC request metadata comes from them."""
        value = value.strip(b" \t")
        if self.head_complete:
            self._see_trailer(name, value)
            return
        self._header_bytes += len(name) + len(value)
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head has ended."""
        if self.head_complete:
            return
        parser = self._parser
        self.head_complete = True
        self.method = parser.get_method().decode("ascii")
        self.version = parser.get_http_version()
        self.keep_alive = parser.should_keep_alive()
        self._upgrade = parser.should_upgrade()

    def on_body(self, piece: bytes) -> None:
        """A piece of the body, framing removed. Many small pieces are joined at once: each as an object would cost 20 times its size."""
        self._body_bytes += len(piece)
        self.expects_continue = False  # it did not wait
        if not self._body:
            self._body = piece
        elif isinstance(self._body, bytearray):
            self._body += piece
        else:
            self._body = bytearray(self._body) + piece

    def on_message_complete(self) -> None:
        """The message has ended; with an Upgrade llhttp says so at the end of the head, whatever body follows."""
        if not self._upgrade:
            self.complete = True

    def _see_line(self, piece: bytes | memoryview) -> None:
        """Llhttp reads RTSP and ICE as well, and does not say which: the request line must name HTTP (RFC 9112 2.3)."""
        line = (self._line or b"") + piece
        line = line.lstrip(b"\r\n")
        if line.startswith(b"PRI "):  # of HTTP/2's preface, and never a request
            self.flaw = HeadFlaw(FlawKind.VERSION, "HTTP/1.0 and HTTP/1.1 are served here")
        end = line.find(b"\n")
        if end < 0:
            self._line = line if len(line) <= self._max_head_wire_bytes else b""
            return
        self._line = None
        protocol = line[:end].rstrip(b"\r").rpartition(b" ")[2]
        if protocol.startswith((b"RTSP/", b"ICE/")) or line.startswith(b"SOURCE "):
            self.flaw = _malformed("the request line does not say HTTP")

    def _see_trailer(self, name: bytes, value: bytes) -> None:
        if self.flaw is not None:
            return
        self._trailers += 1
        self._trailer_bytes += len(name) + len(value)
        if not may_trail(name.lower()):
            self.flaw = _malformed("a trailer field that frames")
        elif self._trailers > self._limits.max_header_count or self._trailer_bytes > self._limits.max_header_bytes:
            self.flaw = HeadFlaw(FlawKind.HEADERS_TOO_LARGE, "trailers")

    def _check_head(self) -> HeadFlaw | None:
        limits = self._limits
        if len(self.target) > limits.max_uri_bytes:
            return HeadFlaw(FlawKind.URI_TOO_LONG, "")
        too_large = self._header_bytes > limits.max_header_bytes or len(self.headers) > limits.max_header_count
        if too_large or self._head_wire_bytes > self._max_head_wire_bytes:
            return HeadFlaw(FlawKind.HEADERS_TOO_LARGE, "")
        return self._examine() if self.head_complete else None

    def _examine(self) -> HeadFlaw | None:
        facts = examine(self.method, self.target, self.version, self.headers)
        if isinstance(facts, HeadFlaw):
            return facts
        self.facts = facts
        self.expects_continue = facts.expect_continue
        self.keep_alive = self.keep_alive and facts.keep_alive
        if facts.authority is not None:
            self.headers = [field for field in self.headers if field[0] != b"host"]
            self.headers.append((b"host", facts.authority))
        if facts.chunked:
            self._end = ChunkedBody()
        if self._upgrade:
            self._ignore_upgrade(facts)
        return None

    def _ignore_upgrade(self, facts: HeadFacts) -> None:
        """
        Read the body as if no Upgrade had been asked for (RFC 9110 7.8 lets us), and close afterwards.

        llhttp skips the body of an Upgrade; a parser of its own, which has read a head with the same framing, reads it. It has not heard
        of this head's `Connection: close` either, after which llhttp takes nothing. What follows the request may be in the new protocol,
        so the connection is not kept (Envoy CVE-2026-73548).
        """
        self.keep_alive = self._upgrade = False
        if not facts.has_body:
            self.complete = True
            return
        self._parser = HttpRequestParser(self)
        if facts.chunked:
            self._parser.feed_data(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        else:
            self._parser.feed_data(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (facts.content_length or 0))

    def _check_body(self) -> HeadFlaw | None:
        if self.max_body_bytes is not None and self._body_bytes > self.max_body_bytes:
            return HeadFlaw(FlawKind.BODY_TOO_LARGE, "")
        if not isinstance(self._end, ChunkedBody):
            return None
        if self._head_wire_bytes + self._end.excess_bytes > 2 * self._max_head_wire_bytes:
            return _malformed("chunk extensions out of proportion")
        if self._end.trailer_bytes > self._max_head_wire_bytes:
            return HeadFlaw(FlawKind.HEADERS_TOO_LARGE, "trailers")  # llhttp holds a field until it is whole
        return None


def _malformed(detail: str) -> HeadFlaw:
    return HeadFlaw(FlawKind.MALFORMED, detail)


def _parser_flaw(reason: str) -> HeadFlaw:
    return HeadFlaw(FlawKind.VERSION if reason in _VERSION_ERRORS else FlawKind.MALFORMED, reason)
