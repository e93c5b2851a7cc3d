"""The rules a request head must keep, one line each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.http1_head import FlawKind, HeadFacts, HeadFlaw, examine, is_authority, may_trail, split_target
from tests.unit.keeping import FEW, LONG, kept_bytes

Fields = list[tuple[bytes, bytes]]
H = (b"host", b"a")
MALFORMED = FlawKind.MALFORMED


@pytest.mark.parametrize(
    ("method", "target", "version", "headers", "expected"),
    [
        ("GET", b"/a?b=c", "1.1", [H], HeadFacts("/a", "b=c", None, None, False, False, True)),
        ("GET", b"/", "1.0", [], HeadFacts("/", "", None, None, False, False, False)),
        ("GET", b"/a?b?c", "1.1", [H], HeadFacts("/a", "b?c", None, None, False, False, True)),
        ("GET", b"//a/{b}|`^\"<>", "1.1", [H], HeadFacts("//a/{b}|`^\"<>", "", None, None, False, False, True)),
        ("GET", b"/?\\", "1.1", [H], HeadFacts("/", "\\", None, None, False, False, True)),
        ("GET", b"http://B:1/a?b", "1.1", [H], HeadFacts("/a", "b", b"B:1", None, False, False, True)),
        ("GET", b"HTTPS://b", "1.1", [H], HeadFacts("/", "", b"b", None, False, False, True)),
        ("GET", b"http://b?q", "1.1", [H], HeadFacts("/", "q", b"b", None, False, False, True)),
        ("POST", b"/", "1.1", [H, (b"content-length", b"5")], HeadFacts("/", "", None, 5, False, False, True)),
        ("POST", b"/", "1.1", [H, (b"content-length", b"0")], HeadFacts("/", "", None, 0, False, False, True)),
        ("POST", b"/", "1.1", [H, (b"transfer-encoding", b"Chunked")], HeadFacts("/", "", None, None, True, False, True)),
        ("POST", b"/", "1.1", [H, (b"content-length", b"1"), (b"expect", b"100-Continue")], HeadFacts("/", "", None, 1, False, True, True)),
        ("POST", b"/", "1.0", [(b"content-length", b"1"), (b"expect", b"100-continue")], HeadFacts("/", "", None, 1, False, False, False)),
        ("GET", b"/", "1.1", [H, (b"expect", b"100-continue")], HeadFacts("/", "", None, None, False, False, True)),
    ],
)  # fmt: skip
def test_sound_heads(method: str, target: bytes, version: str, headers: Fields, expected: HeadFacts) -> None:
    assert examine(method, target, version, headers) == expected


@pytest.mark.parametrize(
    ("method", "target", "version", "headers", "kind"),
    [
        ("GET", b"/", "0.9", [H], FlawKind.VERSION),
        ("GET", b"/", "2.0", [H], FlawKind.VERSION),
        ("GET", b"/", "1.1", [], MALFORMED),
        ("GET", b"/", "1.1", [H, H], MALFORMED),
        ("GET", b"/", "1.0", [(b"host", b"")], MALFORMED),
        ("GET", b"/#f", "1.1", [H], MALFORMED),
        ("GET", b"/a b", "1.1", [H], MALFORMED),
        ("GET", b"/\x7f", "1.1", [H], MALFORMED),
        ("GET", b"/\xc3\xa9", "1.1", [H], MALFORMED),
        ("GET", b"/\n", "1.1", [H], MALFORMED),
        ("GET", b"/a\\b", "1.1", [H], MALFORMED),
        ("GET", b"", "1.1", [H], MALFORMED),
        ("GET", b"a", "1.1", [H], MALFORMED),
        ("GET", b"*", "1.1", [H], MALFORMED),
        ("GET", b"ftp://a/", "1.1", [H], MALFORMED),
        ("GET", b"http:///", "1.1", [H], MALFORMED),
        ("GET", b"http://u@a/", "1.1", [H], MALFORMED),
        ("GET", b"http://a#f", "1.1", [H], MALFORMED),
        ("OPTIONS", b"*", "1.1", [H], FlawKind.NO_ROUTE),
        ("CONNECT", b"a:1", "1.1", [H], FlawKind.NO_ROUTE),
        ("CONNECT", b"/a", "1.1", [H], FlawKind.NO_ROUTE),
        ("POST", b"/", "1.1", [H, (b"content-length", b"5"), (b"content-length", b"5")], MALFORMED),
        ("POST", b"/", "1.1", [H, (b"content-length", b"")], MALFORMED),
        ("POST", b"/", "1.1", [H, (b"content-length", b"-1")], MALFORMED),
        ("POST", b"/", "1.1", [H, (b"content-length", b"1" * 19)], MALFORMED),
        ("POST", b"/", "1.1", [H, (b"content-length", "٣".encode())], MALFORMED),
        ("POST", b"/", "1.1", [H, (b"content-length", b"0"), (b"transfer-encoding", b"chunked")], MALFORMED),
        ("POST", b"/", "1.0", [(b"transfer-encoding", b"chunked")], MALFORMED),
        ("POST", b"/", "1.1", [H, (b"transfer-encoding", b"gzip, chunked")], MALFORMED),
        ("POST", b"/", "1.1", [H, (b"transfer-encoding", b"")], MALFORMED),
        ("POST", b"/", "1.1", [H, (b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked")], MALFORMED),
        ("POST", b"/", "1.1", [H, (b"expect", b"200-ok")], FlawKind.EXPECTATION),
        ("POST", b"/", "1.1", [H, (b"expect", b"")], FlawKind.EXPECTATION),
    ],
)
def test_flaws(method: str, target: bytes, version: str, headers: Fields, kind: FlawKind) -> None:
    flaw = examine(method, target, version, headers)
    assert isinstance(flaw, HeadFlaw)
    assert flaw.kind is kind
    assert flaw.detail


@pytest.mark.parametrize(
    ("length", "chunked", "has_body"), [(None, False, False), (0, False, False), (1, False, True), (None, True, True)]
)
def test_has_body(length: int | None, chunked: bool, has_body: bool) -> None:
    assert HeadFacts("/", "", None, length, chunked, False, True).has_body is has_body


@pytest.mark.parametrize(
    "good", [b"a", b"a:80", b"a:", b"10.0.0.1:1", b"[::1]", b"[fe80::1]:443", b"my_host.local", b"xn--x"]
)
def test_authorities(good: bytes) -> None:
    assert is_authority(good)


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b":80",
        b"a:b",
        b"a:123456",
        b"a,b",
        b"a b",
        b"a/b",
        b"u@a",
        b"[::1",
        b"::1",
        b"[g]",
        b"a\n",
        b"a%41",
        b"a?b",
        256 * b"a",
    ],
)
def test_not_authorities(bad: bytes) -> None:
    assert not is_authority(bad)


@given(
    st.sampled_from(["GET", "OPTIONS", "CONNECT"]),
    st.binary(max_size=30) | st.binary(max_size=30).map(lambda b: b"http://" + b),
)
def test_any_target_is_split_or_refused(method: str, target: bytes) -> None:
    """Never an exception; and a path it gives is visible ASCII that starts with a slash."""
    parts = split_target(method, target)
    if not isinstance(parts, HeadFlaw):
        path, query, _ = parts
        assert path.startswith("/")
        assert all("!" <= char <= "~" and char != "#" for char in path + query)


def test_an_authority_that_is_too_long_is_not_remembered() -> None:
    """The longest that is one is 255 characters and a port."""
    assert is_authority(b"a" * 255 + b":65535")
    assert kept_bytes(lambda number: is_authority(b"%d" % abs(number) + b"a" * LONG)) < FEW


@pytest.mark.parametrize(
    ("version", "fields", "keeps"),
    [
        ("1.1", [(b"connection", b"x, CLOSE")], False),
        ("1.1", [(b"connection", b"close x")], True),
        ("1.1", [(b"connection", b"x"), (b"connection", b"\tclose ")], False),
        ("1.1", [(b"proxy-connection", b"close")], False),
        ("1.0", [(b"connection", b"Keep-Alive")], True),
        ("1.0", [(b"connection", b"keep-alive, close")], False),
        ("1.1", [(b"connection", b"upgrade"), (b"upgrade", b"x")], False),
        ("1.1", [(b"connection", b"upgrade")], True),
        ("1.1", [(b"upgrade", b"x")], True),
    ],
)
def test_who_may_send_another_request(version: str, fields: Fields, keeps: bool) -> None:
    facts = examine("GET", b"/", version, [H, *fields])
    assert isinstance(facts, HeadFacts)
    assert facts.keep_alive is keeps


def test_fields_that_frame_do_not_trail() -> None:
    assert may_trail(b"grpc-status")
    assert not any(map(may_trail, (b"content-length", b"transfer-encoding", b"host", b"connection", b"upgrade")))
