"""Both engines read the same of any bytes: the same heads, bodies and ends, or the same refusal."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.ingress.http1_limits import Http1Limits
from edge.wire.portable.http1_reader import PortableRequestReader
from tests.unit.wire.http1_engines import NativeRequestReader, needs_native, read_all
from tests.unit.wire.http1_texts import heads, messages, near_valid, smuggling

pytestmark = needs_native

TIGHT = Http1Limits(max_uri_bytes=24, max_header_bytes=64, max_header_count=4)


def agree(data: bytes, cuts: list[int], limits: Http1Limits | None = None, *, several_flaws: bool = False) -> None:
    """The same however cut, on both. Where a head has `several_flaws`, which of them it is refused for may differ."""
    portable = read_all(PortableRequestReader, data, cuts, limits)
    native = read_all(NativeRequestReader, data, cuts, limits)
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
