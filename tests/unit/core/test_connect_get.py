"""Connect calls in query strings."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.connect_get import GetCall, MalformedGetError, marked, parse_get


def test_a_call_is_read() -> None:
    """Percent-encoded JSON; a plus is a space, as all who write queries have it."""
    call = parse_get("connect=v1&encoding=json&message=%7B%22a%22%3A+1%7D&compression=gzip&cache=7&cache=8")
    assert call == GetCall("json", b'{"a": 1}', "gzip")


@given(st.binary(max_size=50), st.booleans())
def test_any_bytes_come_through_both_encodings(message: bytes, padded: bool) -> None:
    """Percent-encoding need not be UTF-8; base64 may lack its padding."""
    assert parse_get(f"encoding=proto&message={quote(message, safe='')}").message == message
    text = urlsafe_b64encode(message).decode()
    text = quote(text) if padded else text.rstrip("=")
    assert parse_get(f"encoding=proto&base64=1&message={text}").message == message


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("message=a", "encoding is missing"),
        ("encoding=json", "message is missing"),
        ("encoding=json&message=a&message=b", "message is given twice"),
        ("encoding=proto&base64=1&message=A%2BA%2F", "not URL-safe base64"),
        ("encoding=proto&base64=1&message=QQ%3D%3DQQ%3D%3D", "not URL-safe base64"),
        ("encoding=proto&base64=1&message=A", "not URL-safe base64"),
    ],
)
def test_what_is_no_call_is_refused_with_the_reason(query: str, why: str) -> None:
    """Half a call must not become a whole one."""
    with pytest.raises(MalformedGetError, match=why):
        parse_get(query)


def test_a_query_declares_itself() -> None:
    """Only as a parameter of its own."""
    assert marked("connect=v1")
    assert marked("a=b&connect=v1&c=d")
    assert not marked("xconnect=v1")
    assert not marked("connect=v12")
    assert not marked("")
