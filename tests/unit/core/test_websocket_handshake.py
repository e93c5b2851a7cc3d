"""The opening handshake of RFC 6455."""

from __future__ import annotations

import pytest

from edge.core.websocket_handshake import (
    Handshake,
    HandshakeError,
    Subprotocol,
    accepted,
    handshake,
    is_handshake,
    response_fields,
)

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
BOTH = (Subprotocol.JSON, Subprotocol.PROTO)


@pytest.mark.parametrize(
    ("method", "version", "headers", "asks"),
    [
        ("GET", "1.1", [(b"upgrade", b"websocket"), (b"connection", b"Upgrade")], True),
        ("GET", "1.1", [(b"upgrade", b"h2c, WebSocket"), (b"connection", b"keep-alive, upgrade")], True),
        ("GET", "1.1", [(b"upgrade", b"websocket")], False),
        ("GET", "1.1", [(b"connection", b"upgrade")], False),
        ("GET", "1.1", [(b"upgrade", b"h2c"), (b"connection", b"upgrade")], False),
        ("GET", "1.1", [(b"upgrade", b"websockets"), (b"connection", b"upgrade")], False),
        ("POST", "1.1", [(b"upgrade", b"websocket"), (b"connection", b"upgrade")], False),
        ("GET", "1.0", [(b"upgrade", b"websocket"), (b"connection", b"upgrade")], False),
        ("GET", "2", [(b"upgrade", b"websocket"), (b"connection", b"upgrade")], False),
    ],
)
def test_what_asks_for_a_websocket(method: str, version: str, headers: list[tuple[bytes, bytes]], asks: bool) -> None:
    assert is_handshake(method, version, headers) is asks


def test_the_rfc_s_own_example() -> None:
    """Section 1.3."""
    given = handshake([(b"sec-websocket-key", KEY), (b"sec-websocket-version", b"13")])
    fields = dict(response_fields(given, accepted(given, BOTH)))
    assert fields[b"sec-websocket-accept"] == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert b"sec-websocket-protocol" not in fields
    assert b"sec-websocket-extensions" not in fields


@pytest.mark.parametrize(
    "headers",
    [
        [(b"sec-websocket-version", b"13")],
        [(b"sec-websocket-version", b"13"), (b"sec-websocket-key", b"short")],
        [(b"sec-websocket-version", b"13"), (b"sec-websocket-key", b"!" * 24)],
        [(b"sec-websocket-version", b"13"), (b"sec-websocket-key", KEY), (b"sec-websocket-key", KEY)],
    ],
)
def test_a_key_is_sixteen_bytes_once(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(HandshakeError) as refused:
        handshake(headers)
    assert not refused.value.version


@pytest.mark.parametrize("versions", [[], [b"8"], [b"13", b"13"], [b"13, 8"]])
def test_version_13_only(versions: list[bytes]) -> None:
    with pytest.raises(HandshakeError) as refused:
        handshake([(b"sec-websocket-key", KEY), *((b"sec-websocket-version", value) for value in versions)])
    assert refused.value.version


@pytest.mark.parametrize(
    ("offered", "spoken"),
    [
        ([], Subprotocol.JSON),
        (["edge.proto"], Subprotocol.PROTO),
        (["x", "edge.proto", "edge.json"], Subprotocol.PROTO),
        (["edge.json", "edge.proto"], Subprotocol.JSON),
    ],
)
def test_the_client_s_first_that_we_speak(offered: list[str], spoken: Subprotocol) -> None:
    given = Handshake(KEY, offered)
    assert accepted(given, BOTH) is spoken
    named = dict(response_fields(given, spoken)).get(b"sec-websocket-protocol")
    assert named == (spoken.value.encode() if offered else None)


def test_none_of_ours() -> None:
    with pytest.raises(HandshakeError, match=r"edge\.json"):
        accepted(Handshake(KEY, ["x"]), BOTH)
    with pytest.raises(HandshakeError):
        accepted(Handshake(KEY, ["edge.proto"]), [Subprotocol.JSON])


def test_offers_are_one_list_over_several_fields() -> None:
    headers = [
        (b"sec-websocket-key", KEY),
        (b"sec-websocket-version", b"13"),
        (b"sec-websocket-protocol", b"a, b"),
        (b"sec-websocket-protocol", b"c,"),
    ]
    assert handshake(headers).offered == ["a", "b", "c"]


def test_over_http2_there_is_no_key_and_no_proof_of_it() -> None:
    """RFC 8441 section 5: the rest is as ever."""
    given = handshake([(b"sec-websocket-version", b"13"), (b"sec-websocket-protocol", b"edge.json")], keyed=False)
    assert given == Handshake(b"", ["edge.json"])
    assert response_fields(given, Subprotocol.JSON) == [(b"sec-websocket-protocol", b"edge.json")]
    with pytest.raises(HandshakeError) as refused:
        handshake([(b"sec-websocket-version", b"8")], keyed=False)
    assert refused.value.version
