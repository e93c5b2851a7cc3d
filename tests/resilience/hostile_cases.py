r"""
Bytes on an HTTP/1.1 connection that must not be taken for more, or for other, requests than their sender may make.

Each case is what is written and the statuses that come back, in order. 200 means that the service was called: once, and with the
word of that request. Source: RFC 9112, RFC 9110; reliability.md B1 to B6.
"""

from __future__ import annotations

from dataclasses import dataclass

PATH = "/v1/lab/specimen:string"
HIDDEN = b'POST /v1/lab/specimen:string HTTP/1.1\r\nhost: x\r\ncontent-length: 8\r\n\r\n"hidden"'
"""The request an attacker wants to smuggle."""


@dataclass(frozen=True)
class Case:
    """What is written, and the statuses expected."""

    name: str
    data: bytes
    statuses: tuple[int, ...]


def post(*fields: str, body: bytes = b'"x"', version: str = "1.1") -> bytes:
    """A POST with exactly these fields after Host."""
    head = "".join(f"{field}\r\n" for field in ("host: x", *fields))
    return f"POST {PATH} HTTP/{version}\r\n{head}\r\n".encode("latin-1") + body


def chunks(size_line: bytes, rest: bytes = b'"x"\r\n0\r\n\r\n') -> bytes:
    """A chunked POST whose first chunk begins so."""
    return post("transfer-encoding: chunked", body=size_line + rest)


def _refused(name: str, data: bytes, status: int = 400) -> Case:
    return Case(name, data, (status,))


GOOD = post("content-length: 3")

SMUGGLING = [
    _refused("CL.TE", post("content-length: 4", "transfer-encoding: chunked", body=b"0\r\n\r\n" + HIDDEN)),
    _refused("TE.CL", post("transfer-encoding: chunked", "content-length: 4", body=b'3\r\n"x"\r\n0\r\n\r\n' + HIDDEN)),
    _refused("CL.TE in HTTP/1.0", post("content-length: 3", "transfer-encoding: chunked", version="1.0")),
    _refused("TE in HTTP/1.0", post("transfer-encoding: chunked", body=b'3\r\n"x"\r\n0\r\n\r\n', version="1.0")),
    _refused("two lengths", post("content-length: 3", "content-length: 30", body=b'"x"' + HIDDEN)),
    _refused("two equal lengths", post("content-length: 3", "content-length: 3")),
    _refused("a list of lengths", post("content-length: 3, 3")),
    _refused("+length", post("content-length: +3")),
    _refused("-length", post("content-length: -3")),
    _refused("hex length", post("content-length: 0x3")),
    _refused("length with a space", post("content-length: 3 0")),
    _refused("endless length", post("content-length: " + "9" * 30)),
    _refused("xchunked", post("transfer-encoding: xchunked", body=HIDDEN)),
    _refused("chunked, identity", post("transfer-encoding: chunked, identity", body=HIDDEN)),
    _refused("identity", post("transfer-encoding: identity", body=HIDDEN)),
    _refused("chunked twice", post("transfer-encoding: chunked", "transfer-encoding: chunked", body=b"0\r\n\r\n")),
    _refused("vertical tab before chunked", post("transfer-encoding: \x0bchunked", body=HIDDEN)),
    _refused("TE with space before colon", post("transfer-encoding : chunked", body=HIDDEN)),
    _refused("TE folded", post("transfer-encoding:\r\n chunked", body=HIDDEN)),
    _refused("chunk size 0x3", chunks(b"0x3\r\n")),
    _refused("chunk size +3", chunks(b"+3\r\n")),
    _refused("chunk size _3", chunks(b"_3\r\n")),
    _refused("no chunk size", chunks(b"\r\n")),
    _refused("chunk size overflows", chunks(b"10000000000000003\r\n")),
    _refused("bare LF after chunk size", chunks(b"3\n")),
    _refused("junk after chunk", chunks(b"3\r\n", b'"x"XX0\r\n\r\n' + HIDDEN)),
    _refused("bare LF in head", GOOD.replace(b"host: x\r\n", b"host: x\n")),
    _refused("bare CR in value", post("x-a: b\rcontent-length: 0", "content-length: 3")),
    _refused("NUL in value", post("x-a: b\x00c", "content-length: 3")),
    _refused("empty field name", post(": x", "content-length: 3")),
    _refused("space in field name", post("x a: b", "content-length: 3")),
    _refused("no Host", GOOD.replace(b"host: x\r\n", b"")),
    _refused("two Hosts", post("host: y", "content-length: 3")),
    _refused("Host with a path", GOOD.replace(b"host: x", b"host: x/y")),
    _refused("Host with userinfo", GOOD.replace(b"host: x", b"host: a@x")),
    _refused("HTTP/2 preface gone wrong", b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", 505),
    _refused("HTTP/3.0", GOOD.replace(b"HTTP/1.1", b"HTTP/3.0"), 505),
    _refused("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64),
]

ACCEPTED = [
    Case("one request", GOOD, (200,)),
    Case("chunked", chunks(b"3\r\n"), (200,)),
    Case("chunked, with an extension and trailers", chunks(b"3;a=b\r\n", b'"x"\r\n0\r\nx-t: 1\r\n\r\n'), (200,)),
    Case("three in one write", GOOD * 3, (200, 200, 200)),
    Case("a request inside a body is a body", post(f"content-length: {len(HIDDEN)}", body=HIDDEN), (400,)),
    Case("a good one, then a smuggler", GOOD + SMUGGLING[0].data, (200, 400)),
    Case("bytes after the body are a bad request", GOOD + b"\x00\x01garbage\r\n\r\n", (200, 400)),
    Case("a good one, then the HTTP/2 preface", GOOD + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (200, 505)),
    Case("100-continue", post("expect: 100-continue", "content-length: 3"), (100, 200)),
    Case(
        "payload after a websocket Upgrade",
        b"GET /v1/lab/specimen?string_value=x HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
        + HIDDEN,
        (200,),
    ),
    Case(
        "payload after an h2c Upgrade with a body",
        post("connection: upgrade, http2-settings", "upgrade: h2c", "http2-settings: AAMAAABk", "content-length: 3")
        + HIDDEN,
        (200,),
    ),
    Case(
        "payload after a chunked Upgrade",
        post("connection: upgrade", "upgrade: x", "transfer-encoding: chunked", body=b'3\r\n"x"\r\n0\r\n\r\n' + HIDDEN),
        (200,),
    ),
]
