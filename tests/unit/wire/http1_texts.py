"""HTTP/1.1 requests at random: sound ones, ones of odd parts, damaged ones, and those that split a desynchronised pair of servers."""

from __future__ import annotations

from itertools import product

from hypothesis import strategies as st

PATHS = [
    b"/",
    b"/a/b",
    b"/%20?q=1",
    b"/a?b?c",
    b"/?",
    b"/a;b=c",
    b"http://h/x?y",
    b"http://h",
    b"HTTPS://h:1?q",
    b"http://[::1]:80/a",
]
ODD_TARGETS = [
    b"*",
    b"*x",
    b"a",
    b"a:1",
    b"//x",
    b"/\\a",
    b"/a#b",
    b"/\x80",
    b"/\x7f",
    b"",
    b"http://",
    b"http:///a",
    b"http://a@b/",
    b"http://a,b/",
    b"ftp://a/",
    b"http:/a",
    b"?",
    b"/a b",
    b"/<>",
    b'http://a"b/',
    b"http://a@b@c/",
    b"a%/b",
    b"http://a#/",
]
METHODS = [b"GET", b"POST", b"HEAD", b"OPTIONS", b"DELETE", b"M-SEARCH", b"QUERY"]
ODD_METHODS = [
    b"CONNECT",
    b"PRI",
    b"get",
    b"GE",
    b"GETT",
    b"",
    b"SOURCE",
    b"DESCRIBE",
    b"FOO",
    b"G\x00T",
    b"PURGE",
    b"X-Y",
    b" GET",
]
VERSIONS = [b"HTTP/1.1", b"HTTP/1.0"]
ODD_VERSIONS = [
    b"HTTP/2.0",
    b"HTTP/0.9",
    b"HTTP/1.2",
    b"HTTP/11.1",
    b"HTTP/1.10",
    b"http/1.1",
    b"HTTP/1,1",
    b"HTTP/a.1",
    b"RTSP/1.0",
    b"ICE/1.0",
    b"HTTP/3.0",
    b"HTTP/1.1 ",
    b"HTTP/",
    b"HTTQ/1.1",
]
FIELDS = [
    b"Host: h",
    b"Accept: */*",
    b"x:y",
    b"X-Long-Name: a b\tc ",
    b"empty:",
    b"caf: \xe9",
    b"Connection: keep-alive",
    b"Connection: close",
    b"connection: x, Close",
    b"Expect: 100-continue",
    b"User-Agent: a",
    b"Upgrade: h2c",
    b"Connection: Upgrade",
    b"Cookie: a=b",
    b"TE: trailers",
]
ODD_FIELDS = [
    b"Host: b",
    b"Host: a,b",
    b"Host: ",
    b"Host: u@h",
    b"Host: h:99999",
    b"Host: h:",
    b"Host: [::1]",
    b"Host: [::1",
    b"Host: " + b"a" * 256,
    b" folded",
    b"\tfolded",
    b"x : y",
    b": y",
    b"x",
    b"x: a\x00b",
    b"x: a\rb",
    b"x: a\nb",
    b"x\xe9: y",
    b"x: \x7f",
    b"x: \x01",
    b"x(: y",
    b"Content-Length: 0",
    b"Content-Length: 3",
    b"Content-Length: +3",
    b"Content-Length: 3,3",
    b"Content-Length:",
    b"Content-Length: 0x3",
    b"Content-Length: -1",
    b"Content-Length: 9999999999999999999",
    b"Content-Length: 99999999999999999999999",
    b"Content-Length: 3 3",
    b"Content-Length : 3",
    b"Content-Length: 0003",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: Chunked",
    b"Transfer-Encoding:",
    b"Transfer-Encoding: gzip",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: chunked, gzip",
    b"Transfer-Encoding: chunked,",
    b"Transfer-Encoding: ,chunked",
    b"Transfer-Encoding: identity",
    b"Transfer-Encoding: \x0bchunked",
    b"Transfer-Encoding: chunked\x85",
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding: xchunked",
    b"Expect: 200-ok",
    b"Expect: 100-Continue",
    b"Connection: close, keep-alive",
    b"Connection: keep-alive, close",
    b"Proxy-Connection: close",
    b"Proxy-Connection: keep-alive",
    b"Connection: close x",
    b"Connection: ,close",
    b"Connection:\tclose\t",
    b"Connection: closeclose",
    b"Connection: x close",
    b"Connection: keep-alive close",
    b"Connection: upgrade, close",
]
CHUNKS = [
    b"3\r\nabc\r\n",
    b"a\r\n0123456789\r\n",
    b"04\r\n\r\n\r\n\r\n",
    b"1;a\r\nx\r\n",
    b'1;a="b\\"c";d=e\r\nx\r\n',
    b"A;x=\r\n0123456789\r\n",
]
ODD_CHUNKS = [
    b"0x3\r\nabc\r\n",
    b"+3\r\nabc\r\n",
    b"3 \r\nabc\r\n",
    b" 3\r\nabc\r\n",
    b"3\nabc\r\n",
    b"3\r\nabc\n",
    b"3\r\nabcXX",
    b"\r\n",
    b"g\r\n",
    b"3;\r\nabc\r\n",
    b"3; a\r\nabc\r\n",
    b"3;a b\r\nabc\r\n",
    b'3;a="b\r\nabc\r\n',
    b'3;a="b"c\r\nabc\r\n',
    b"3;a=\x00\r\nabc\r\n",
    b"3\rabc\r\n",
    b"00000000000000003\r\nabc\r\n",
    b"fffffffffffffffff\r\n",
    b"3;=b\r\nabc\r\n",
    b"3;;\r\nabc\r\n",
    b"3\r\nabcd\r\n",
    b'3;a=b"c"\r\nabc\r\n',
    b"3_\r\nabc\r\n",
    b"-3\r\nabc\r\n",
]
ENDS = [b"0\r\n\r\n", b"0\r\nT: 1\r\n\r\n", b"00;a=b\r\n\r\n", b"0\r\nA: b\r\nC: d\r\n\r\n"]
ODD_ENDS = [
    b"0\r\nContent-Length: 1\r\n\r\n",
    b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"0\r\nConnection: close\r\n\r\n",
    b"0\r\nHost: x\r\n\r\n",
    b"0\r\n x: y\r\n\r\n",
    b"0\r\nx : y\r\n\r\n",
    b"0\r\nx\r\n\r\n",
    b"0\n\n",
    b"0\r\n\n",
    b"0\r\r\n\r\n",
    b"0\r\nx: a\x00\r\n\r\n",
    b"0\r\nUpgrade: x\r\n\r\n",
]


def mostly(usual: list[bytes], odd: list[bytes]) -> st.SearchStrategy[bytes]:
    """An odd one in four."""
    return st.integers(0, 3).flatmap(lambda roll: st.sampled_from(odd if roll == 3 else usual))


@st.composite
def message(draw: st.DrawFn) -> bytes:
    """A sound request."""
    fields = [
        b"Host: h",
        *draw(st.lists(st.sampled_from(FIELDS[1:]).filter(lambda f: f != b"Expect: 100-continue"), max_size=3)),
    ]
    form = draw(st.sampled_from(["none", "length", "chunked"]))
    body = b""
    if form == "length":
        body = draw(st.binary(max_size=30) | st.sampled_from([b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"]))
        fields.append(b"Content-Length: %d" % len(body))
    elif form == "chunked":
        fields.append(b"Transfer-Encoding: chunked")
        body = b"".join(draw(st.lists(st.sampled_from(CHUNKS), max_size=3))) + draw(st.sampled_from(ENDS))
    if body and draw(st.booleans()):
        fields.append(b"Expect: 100-continue")
    line = b"%s %s %s" % (
        draw(st.sampled_from(METHODS)),
        draw(st.sampled_from(PATHS)),
        draw(st.sampled_from(VERSIONS[:1])),
    )
    before = draw(st.sampled_from([b"", b"", b"", b"\r\n", b"\n\r\n", b"\r\n\r\n"]))
    return before + line + b"\r\n" + b"".join(f + b"\r\n" for f in draw(st.permutations(fields))) + b"\r\n" + body


def messages() -> st.SearchStrategy[bytes]:
    """Pipelined sound requests."""
    return st.lists(message(), min_size=1, max_size=3).map(b"".join)


@st.composite
def near_valid(draw: st.DrawFn) -> bytes:
    """Sound requests with a few octets replaced, put in, or taken out."""
    data = draw(messages())
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, len(data)))
        junk = draw(
            st.binary(max_size=2) | st.sampled_from([b"\r", b"\n", b" ", b"\t", b"\0", b":", b"\r\n", b"0", b";"])
        )
        data = data[:at] + junk + data[at + draw(st.integers(0, 2)) :]
    return data


@st.composite
def heads(draw: st.DrawFn) -> bytes:
    """Parts that are odd here and there, put together; some chunks behind."""
    space = draw(st.sampled_from([b" ", b" ", b" ", b"  ", b"\t"]))
    line = (
        draw(mostly(METHODS, ODD_METHODS))
        + b" "
        + draw(mostly(PATHS, ODD_TARGETS))
        + space
        + draw(mostly(VERSIONS, ODD_VERSIONS))
    )
    fields = [b"Host: h"] * draw(st.integers(0, 3).map(bool)) + draw(st.lists(mostly(FIELDS, ODD_FIELDS), max_size=4))
    end = draw(st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\n"]))
    chunks = [*draw(st.lists(mostly(CHUNKS, ODD_CHUNKS), max_size=2)), draw(mostly(ENDS, ODD_ENDS))]
    return (
        line
        + end
        + b"".join(f + b"\r\n" for f in fields)
        + b"\r\n"
        + b"".join(chunks)
        + b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    )


def smuggling() -> list[bytes]:
    """One odd part at a time, each behind a sound head, with a second request behind it."""
    behind = b"GET /next HTTP/1.1\r\nHost: h\r\n\r\n"
    alone = [b"GET / HTTP/1.1\r\nHost: h\r\n%b\r\n\r\nabc" % odd for odd in ODD_FIELDS]
    framed = [
        b"POST / HTTP/1.1\r\nHost: h\r\n%b\r\n%b\r\n\r\n0\r\n\r\n" % pair
        for pair in product(
            [b"Content-Length: 3", b"Transfer-Encoding: chunked", b"Content-Length: 5"],
            [f for f in ODD_FIELDS if b"-" in f],
        )
    ]
    head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked = [head + odd + b"0\r\n\r\n" for odd in ODD_CHUNKS] + [head + b"1\r\nx\r\n" + odd for odd in ODD_ENDS]
    lines = [b"%b / HTTP/1.1\r\nHost: h\r\n\r\n" % odd for odd in ODD_METHODS]
    lines += [b"GET %b HTTP/1.1\r\nHost: h\r\n\r\n" % odd for odd in ODD_TARGETS] + [
        b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"
    ]
    lines += [b"GET / %b\r\nHost: h\r\n\r\n" % odd for odd in ODD_VERSIONS]
    return [data + behind for data in alone + framed + chunked + lines]
