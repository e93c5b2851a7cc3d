"""The reader gives the same requests however the bytes are cut, and never reads past one."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.http1_head import FlawKind
from edge.ingress.http1_limits import Http1Limits
from edge.wire.portable.http1_reader import PortableRequestReader

Read = tuple[str, bytes, tuple[tuple[bytes, bytes], ...], bytes, bool]


def read_all(data: bytes, cuts: list[int]) -> tuple[list[Read], FlawKind | None]:
    """Every request in `data`, fed in the pieces `cuts` makes; and the fault that ended it."""
    reader = PortableRequestReader(Http1Limits())
    requests: list[Read] = []
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for start, end in pairwise(edges):
        piece, offset = data[start:end], 0
        while offset < len(piece):
            offset = reader.feed(piece, offset)
            if reader.flaw is not None:
                return requests, reader.flaw.kind
            reader.max_body_bytes = 1 << 20
            if reader.complete:
                keep = reader.keep_alive
                requests.append((reader.method, reader.target, tuple(reader.headers), reader.take_body(), keep))
                if not keep:
                    return requests, None
                reader.reset()
    return requests, None


token = st.sampled_from([b"x", b"a-b", b"Accept", b"X-Long-Name"])
# CRLF pairs in bodies are what the boundary rule must not stumble over.
payload = st.binary(max_size=40) | st.sampled_from(
    [b"\r\n\r\n", b"\r\n", b"a\r\n\r\nGET / HTTP/1.1\r\n\r\n", b"0\r\n\r\n"]
)


@st.composite
def request(draw: st.DrawFn) -> tuple[bytes, Read]:
    fields = draw(st.lists(st.tuples(token, st.sampled_from([b"", b"v", b"a b", b"\xe9"])), max_size=4))
    bodies = draw(st.lists(payload, max_size=4))
    form = draw(st.sampled_from(["none", "length", "chunked"]))
    path = draw(st.sampled_from([b"/", b"/a/b", b"/%20?q=1"]))
    head = [(b"Host", b"h"), *fields]
    body = b"".join(bodies)
    if form == "none":
        wire = body = b""
    elif form == "length":
        head.append((b"Content-Length", b"%d" % len(body)))
        wire = body
    else:
        head.append((b"Transfer-Encoding", b"chunked"))
        trailer = draw(st.sampled_from([b"", b"T: 1\r\n"]))
        wire = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in bodies if part) + b"0\r\n" + trailer + b"\r\n"
    sent = b"POST %s HTTP/1.1\r\n" % path + b"".join(b"%s: %s\r\n" % field for field in head) + b"\r\n" + wire
    return sent, ("POST", path, tuple((name.lower(), value) for name, value in head), body, True)


@settings(max_examples=150, deadline=None)
@given(st.lists(request(), min_size=1, max_size=4), st.lists(st.integers(0, 600), max_size=12))
def test_any_split_gives_the_same_requests(requests: list[tuple[bytes, Read]], cuts: list[int]) -> None:
    data = b"".join(sent for sent, _ in requests)
    assert read_all(data, cuts) == ([expected for _, expected in requests], None)


@settings(max_examples=50, deadline=None)
@given(st.lists(request(), min_size=1, max_size=3))
def test_byte_by_byte_too(requests: list[tuple[bytes, Read]]) -> None:
    data = b"".join(sent for sent, _ in requests)
    assert read_all(data, list(range(len(data)))) == ([expected for _, expected in requests], None)


@settings(max_examples=150, deadline=None)
@given(request(), st.integers(0, 400), st.binary(min_size=1, max_size=3), st.lists(st.integers(0, 600), max_size=6))
def test_damaged_bytes_give_the_same_verdict_however_cut(
    sent: tuple[bytes, Read], at: int, junk: bytes, cuts: list[int]
) -> None:
    """And never an exception."""
    data = sent[0]
    at = min(at, len(data))
    damaged = data[:at] + junk + data[at + len(junk) :]
    assert read_all(damaged, cuts) == read_all(damaged, [])
