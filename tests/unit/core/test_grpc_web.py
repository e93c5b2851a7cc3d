"""gRPC-Web's trailer frame and its base64 text."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.grpc_web import TextDecoder, encode_text, trailer_frame


def test_trailers_are_a_frame_of_lines() -> None:
    """PROTOCOL-WEB: flag 0x80, lower-case names, CRLF."""
    frame = trailer_frame([(b"grpc-status", b"5"), (b"x-cost", b"3")])
    assert frame == b"\x80\x00\x00\x00\x19" + b"grpc-status:5\r\nx-cost:3\r\n"
    assert trailer_frame([]) == b"\x80\x00\x00\x00\x00"


@pytest.mark.parametrize("value", [b"a\r\ngrpc-status:0", b"a\nb", b"a\rb", b"a\0b"])
def test_a_trailer_stays_in_its_line(value: bytes) -> None:
    """What a service says in one trailer cannot become another."""
    with pytest.raises(ValueError, match="trailer"):
        trailer_frame([(b"x", value)])


@given(
    flushes=st.lists(st.binary(max_size=40), max_size=8),
    cuts=st.lists(st.integers(min_value=1, max_value=7), min_size=1, max_size=20),
)
def test_text_is_decoded_however_it_is_flushed_and_cut(flushes: list[bytes], cuts: list[int]) -> None:
    """Each flush is padded on its own; the network cuts anywhere."""
    text = b"".join(encode_text(flush) for flush in flushes)
    decoder = TextDecoder()
    out = b""
    while text:
        cut = cuts[len(text) % len(cuts)]
        out += decoder.feed(text[:cut])
        text = text[cut:]
    assert out == b"".join(flushes)
    assert not decoder.partial


def test_text_that_ends_inside_a_group_is_told() -> None:
    """Half a byte is no message."""
    decoder = TextDecoder()
    assert decoder.feed(base64.b64encode(b"abcd")[:-1]) == b"abc"
    assert decoder.partial


def test_text_that_is_nothing_but_padding_costs_little() -> None:
    """A body of one-byte flushes would keep the loop for a second; several messages to a piece are fine."""
    assert TextDecoder().feed(b"QUJDRA==" * 4000) == b"ABCD" * 4000
    with pytest.raises(ValueError, match="too often"):
        TextDecoder().feed(b"QQ==" * 5000)


@pytest.mark.parametrize("text", [b"AA*=", b"A===", b"====", b"QUJD\r\nRA==  ", b"QQ=A"])
def test_what_is_no_base64_is_refused(text: bytes) -> None:
    """Two readers could understand it differently."""
    with pytest.raises(ValueError, match=r"base64|adding"):
        TextDecoder().feed(text)
