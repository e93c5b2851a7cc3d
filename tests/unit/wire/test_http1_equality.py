"""Both engines read the same of any bytes: the same heads, bodies and ends, or the same refusal."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge.core.http1_head import FlawKind
from edge.ingress.http1_limits import Http1Limits
from edge.wire.portable.http1_reader import PortableRequestReader
from tests.unit.wire.http1_engines import MakeReader, NativeRequestReader, needs_native, read_all
from tests.unit.wire.http1_texts import heads, messages, near_valid, smuggling

pytestmark = needs_native

TIGHT = Http1Limits(max_uri_bytes=24, max_header_bytes=64, max_header_count=4)


def agree(data: bytes, cuts: list[int], limits: Http1Limits | None = None, *, several_flaws: bool = False) -> None:
    """
    The same however cut, on both, whether requests are taken whole or not.

    Where a head has `several_flaws`, which of them it is refused for may differ.
    """
    portable = read_all(PortableRequestReader, data, cuts, limits)
    native = read_all(NativeRequestReader, data, cuts, limits)
    assert native == read_all(NativeRequestReader, data, cuts, limits, stepwise=True)
    assert portable == read_all(PortableRequestReader, data, cuts, limits, stepwise=True)
    if (
        native.unsound is None or portable.unsound is None
    ):  # llhttp stops at some heads that the other reads to their end
        native.unsound = portable.unsound = None
    if several_flaws and native.flaw is not None and portable.flaw is not None:
        native.flaw = portable.flaw
    assert native == portable


cuts = st.lists(st.integers(0, 400), max_size=8)


@settings(max_examples=400, deadline=None)
@given(messages(), cuts)
def test_sound_messages(data: bytes, cuts: list[int]) -> None:
    agree(data, cuts)


@settings(max_examples=600, deadline=None)
@given(near_valid(), cuts)
@example(b"GET / HTTP/31.1\r\nHost: h\r\n\r\n", [])
@example(b"GET / HTTP/3x1\r\nHost: h\r\n\r\n", [])
def test_damaged_messages(data: bytes, cuts: list[int]) -> None:
    agree(data, cuts)


@settings(max_examples=600, deadline=None)
@given(heads(), cuts)
def test_heads_of_odd_parts(data: bytes, cuts: list[int]) -> None:
    """Each part may be odd, so that several are: llhttp finds some flaws as it reads, and others are found behind it."""
    agree(data, cuts, several_flaws=True)


@settings(max_examples=300, deadline=None)
@given(messages(), cuts)
def test_limits(data: bytes, cuts: list[int]) -> None:
    agree(data, cuts, TIGHT)


@pytest.mark.parametrize("data", smuggling(), ids=repr)
def test_smuggling(data: bytes) -> None:
    """Whole, and octet by octet."""
    agree(data, [])
    agree(data, list(range(len(data))))


@pytest.mark.parametrize("target", [b"a", b"/", b"*", b"a:b", b"http:", b"http://a@b@c/", b"http://@@/"])
@pytest.mark.parametrize("version", [b"0.9", b"1.0", b"1.2", b"2.0", b"3.0"])
def test_two_flaws_in_a_request_line(target: bytes, version: bytes) -> None:
    """A target that is none goes before a version that is not served."""
    agree(b"GET " + target + b" HTTP/" + version + b"\r\nHost: h\r\n\r\n", [])


CHUNKED = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_trailers_are_not_charged_for_what_is_pipelined_behind_them() -> None:
    """However the section is cut, and however much follows in the same read."""
    data = CHUNKED + b"0\r\n\r\n" + b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" * 4000
    for cut in range(len(CHUNKED), len(CHUNKED) + 6):
        agree(data, [cut])
        assert len(read_all(NativeRequestReader, data, [cut]).requests) == 4001


@pytest.mark.parametrize("make", [PortableRequestReader, NativeRequestReader])
@pytest.mark.parametrize("cuts", [[], [len(CHUNKED) + 20_000 + 9]])
def test_a_trailer_section_has_a_heads_bound(make: MakeReader, cuts: list[int]) -> None:
    """Whole or in pieces; a field that never ends as well, whatever the body was."""
    body = CHUNKED + b"4E20\r\n" + b"a" * 20_000 + b"\r\n0\r\n"
    for trailer in (b"x: " + b" " * 80_000 + b"y\r\n\r\n", b"x: " + b"y" * 80_000):
        assert read_all(make, body + trailer, cuts).flaw is FlawKind.HEADERS_TOO_LARGE


@pytest.mark.parametrize(("extension_bytes", "flaw"), [(140_000, None), (150_000, FlawKind.MALFORMED)])
def test_an_extension_is_weighed_against_the_content_before_it(extension_bytes: int, flaw: FlawKind | None) -> None:
    """What comes behind it pays for nothing, for whether it came in the same read would decide. Trailers have a bound of their own."""
    line = b"1;a=" + b"e" * extension_bytes + b"\r\n"
    data = CHUNKED + line + b"x\r\n4E20\r\n" + b"a" * 20_000 + b"\r\n0\r\nt: " + b"u" * 60_000 + b"\r\n\r\n"
    for cuts in ([0], [len(CHUNKED) + len(line) - 1], [len(CHUNKED), len(CHUNKED) + len(line)]):
        agree(data, cuts)
        assert read_all(NativeRequestReader, data, cuts).flaw is flaw


@pytest.mark.parametrize("make", [PortableRequestReader, NativeRequestReader])
@pytest.mark.parametrize(
    ("trailers", "flaw"),
    [
        (b"Host: h\r\n" + b"a: b\r\n" * 101, FlawKind.MALFORMED),
        (b"a: b\r\n" * 101 + b"Host: h\r\n", FlawKind.HEADERS_TOO_LARGE),
    ],
)
def test_of_two_flaws_in_trailers_it_is_the_first(make: MakeReader, trailers: bytes, flaw: FlawKind) -> None:
    data = CHUNKED + b"0\r\n" + trailers + b"\r\n"
    for cuts in ([], list(range(len(CHUNKED), len(data)))):
        assert read_all(make, data, cuts).flaw is flaw
