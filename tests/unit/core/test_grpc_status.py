"""Status fields on the wire, both ways."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.grpc_status import Code, decode_binary, decode_message, encode_binary, encode_message, parse_code


def test_the_codes_are_those_of_grpc() -> None:
    """Numbers and names as grpcio has them, none missing."""
    grpc = pytest.importorskip("grpc")
    assert {code.name: code.value for code in Code} == {code.name: code.value[0] for code in grpc.StatusCode}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"0", 0),
        (b"16", 16),
        (b"17", 17),
        (b"999", 999),
        (b"", Code.UNKNOWN),
        (b"-1", Code.UNKNOWN),
        (b"1.0", Code.UNKNOWN),
        (b" 1", Code.UNKNOWN),
        (b"abc", Code.UNKNOWN),
        (b"1000", Code.UNKNOWN),
        (b"\xb2", Code.UNKNOWN),  # a superscript two in Latin-1
        (b"9" * 5000, Code.UNKNOWN),
    ],
)
def test_what_is_no_small_decimal_number_is_unknown(text: bytes, code: int) -> None:
    assert parse_code(text) == code


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        (b"plain", "plain"),
        (b"a%20b", "a b"),
        (b"%C3%A9", "é"),
        (b"100%", "100%"),  # an escape that is none is kept
        (b"%zz%4", "%zz%4"),
        (b"%C3", "\ufffd"),
        (b"a+b", "a+b"),  # not a form
    ],
)
def test_messages_are_read_leniently(wire: bytes, text: str) -> None:
    assert decode_message(wire) == text


@given(st.text())
def test_messages_survive_the_wire_and_cannot_break_out_of_the_header(text: str) -> None:
    wire = encode_message(text)
    assert all(0x20 <= byte < 0x7F for byte in wire)
    assert decode_message(wire) == text.encode("utf-8", "replace").decode()


def test_percent_is_itself_encoded() -> None:
    assert encode_message("100%\n") == b"100%25%0A"


@given(st.binary())
def test_binary_values_are_read_with_and_without_padding(value: bytes) -> None:
    wire = encode_binary(value)
    assert b"=" not in wire
    assert decode_binary(wire) == decode_binary(base64.b64encode(value)) == value


def test_of_several_joined_values_the_first_counts() -> None:
    assert decode_binary(b"YQ==, Yg==") == b"a"


@pytest.mark.parametrize("text", [b"A", b"a b", b"YQ==YQ==", b"\xff\xff", b"a_-b", b"=Y"])
def test_what_is_no_base64_is_none(text: bytes) -> None:
    assert decode_binary(text) is None
