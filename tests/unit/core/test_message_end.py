"""Where a message ends, however the data is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.message_end import BlankLine, ChunkedBody, ChunkSizeError

NEXT = b"GET / HTTP/1.1\r\n\r\n"


def stops(finder: BlankLine | ChunkedBody, data: bytes, cuts: list[int]) -> list[int]:
    """Where the finder stops, with the data growing to each of the cuts."""
    found, start = [], 0
    for cut in [*sorted(set(cuts)), len(data)]:
        start = finder.end(data[:cut], start)
        found.append(start)
    return found


@given(st.binary(max_size=20).filter(lambda head: b"\r\n\r\n" not in head + b"\r\n\r"), st.lists(st.integers(1, 24)))
def test_a_section_ends_with_its_blank_line(head: bytes, cuts: list[int]) -> None:
    section = head + b"\r\n\r\n"
    cuts = sorted({cut for cut in cuts if cut < len(section)})
    assert stops(BlankLine(), section + NEXT, cuts) == [*cuts, len(section)]


CONTENT = st.one_of(st.binary(min_size=1, max_size=300), st.just(b"\r\n\r\n" * 5), st.just(b"0\r\n\r\n"))
EXTENSION = st.sampled_from([b"", b";a=b", b" ;a", b"; " + b"x" * 40])
TRAILERS = st.sampled_from([b"", b"a: b\r\n", b"a: b\r\nc: 0\r\n"])


@given(st.lists(st.tuples(CONTENT, EXTENSION)), EXTENSION, TRAILERS, st.lists(st.integers(1, 2000)))
def test_a_chunked_body_ends_after_its_trailers_and_nowhere_else(
    chunks: list[tuple[bytes, bytes]], last: bytes, trailers: bytes, cuts: list[int]
) -> None:
    body = b"".join(b"%X%b\r\n%b\r\n" % (len(content), extension, content) for content, extension in chunks)
    body += b"0%b\r\n%b\r\n" % (last, trailers)
    cuts = sorted({cut for cut in cuts if cut < len(body)})
    assert stops(ChunkedBody(), body + NEXT, cuts) == [*cuts, len(body)]


@given(st.lists(st.tuples(CONTENT, EXTENSION)), EXTENSION, st.lists(st.integers(1, 2000)), st.integers(0, 2000))
def test_what_chunks_cost_is_weighed_the_same_however_they_are_cut(
    chunks: list[tuple[bytes, bytes]], last: bytes, cuts: list[int], size: int
) -> None:
    """The most, after any byte of them, of the bytes so far less eight for each of content; that there is more to come changes nothing."""
    weights, body = [0], b""
    for content, extension in chunks:
        line = b"%X%b\r\n" % (len(content), extension)
        weights += [weights[-1] + more for more in range(1, len(line) + 1)]
        weights += [weights[-1] - 7 * more for more in range(1, len(content) + 1)]
        weights += [weights[-1] + 1, weights[-1] + 2]
        body += b"%b%b\r\n" % (line, content)
    body += b"0%b\r\n" % last
    weights += [weights[-1] + more for more in range(1, len(last) + 4)]
    body = (body + b"a: b\r\n\r\n" + NEXT)[:size]
    for each in (cuts, range(1, 2000)):
        finder = ChunkedBody()
        stops(finder, body, [cut for cut in each if cut < len(body)])
        assert finder.excess_bytes == max(weights[: len(body) + 1])


def test_content_is_stepped_over_not_searched() -> None:
    """A megabyte of blank lines is one step: it was a quarter of a million."""
    content = b"\r\n\r\n" * (1 << 18)
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content)
    assert ChunkedBody().end(body, 0) == len(body)


@pytest.mark.parametrize("line", [b"", b" 5", b"x", b";a=b", b"-1", b"00000000000000005"])
def test_a_chunk_without_its_size_is_refused(line: bytes) -> None:
    with pytest.raises(ChunkSizeError):
        ChunkedBody().end(line + b"\r\nabcde\r\n0\r\n\r\n", 0)
