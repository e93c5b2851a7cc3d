"""HTTP/2 heads: the rules a well-formed header block may still break, and the facts HTTP/1.1 would give."""

from __future__ import annotations

import pytest

from edge.core.http1_head import FlawKind, HeadFlaw
from edge.core.http2_head import CRUMB_BYTES, Header, Http2Head, examine, sizes

GET = [(b":method", b"GET"), (b":scheme", b"https"), (b":path", b"/a/b?c=d&e"), (b":authority", b"h:1")]


def facts(*fields: Header, base: list[Header] = GET) -> Http2Head:
    found = examine([*base, *fields])
    assert isinstance(found, Http2Head), found
    return found


def flaw(*fields: Header, base: list[Header] = GET) -> FlawKind:
    found = examine([*base, *fields])
    assert isinstance(found, HeadFlaw), found
    return found.kind


def swapped(name: bytes, value: bytes | None) -> list[Header]:
    kept = [field for field in GET if field[0] != name]
    return kept if value is None else [*kept, (name, value)]


def test_the_facts() -> None:
    found = facts((b"accept", b"x"), (b"content-length", b"12"), (b"expect", b"100-Continue"))
    assert (found.method, found.path, found.query) == ("GET", "/a/b", "c=d&e")
    assert found.headers == [
        (b"host", b"h:1"), (b"accept", b"x"), (b"content-length", b"12"), (b"expect", b"100-Continue"),
    ]  # fmt: skip
    assert found.content_length == 12
    assert found.expect_continue


def test_an_extended_connect_has_a_path_and_a_protocol() -> None:
    """RFC 8441; a plain CONNECT names no resource."""
    found = facts(base=[(b":protocol", b"websocket"), *swapped(b":method", b"CONNECT")])
    assert (found.method, found.path, found.protocol) == ("CONNECT", "/a/b", "websocket")
    assert facts().protocol == ""
    assert flaw(base=[(b":method", b"CONNECT"), (b":authority", b"h:1")]) is FlawKind.NO_ROUTE


def test_without_authority_host_is_the_host() -> None:
    found = facts((b"x", b"y"), (b"host", b"other"), base=swapped(b":authority", None))
    assert found.headers == [(b"host", b"other"), (b"x", b"y")]


def test_host_is_not_there_twice() -> None:
    assert facts((b"host", b"h:1")).headers == [(b"host", b"h:1")]


def test_the_crumbs_of_a_cookie_are_joined() -> None:
    """RFC 9113 8.2.3: a service that reads one cookie field reads all of it."""
    found = facts((b"cookie", b"a=1"), (b"x", b"y"), (b"cookie", b"b=2"))
    assert found.headers == [(b"host", b"h:1"), (b"x", b"y"), (b"cookie", b"a=1; b=2")]


@pytest.mark.parametrize(
    "fields",
    [
        [(b"host", b"h:1"), (b"host", b"h:1")],
        [(b"content-length", b"1"), (b"content-length", b"1")],
        [(b"content-length", b"1, 1")],
        [(b"content-length", b"+1")],
        [(b"content-length", b"9" * 19)],
        [(b"expect", b"100-continue"), (b"expect", b"100-continue")],
    ],
)
def test_fields_that_may_be_there_once_and_say_one_thing(fields: list[Header]) -> None:
    assert flaw(*fields) is FlawKind.MALFORMED


@pytest.mark.parametrize("authority", [b"", b"a@h", b"h/x", b"h:x", b"a,b", b"[::1", b"h\xff", b"h h"])
def test_what_is_no_host(authority: bytes) -> None:
    assert flaw(base=swapped(b":authority", authority)) is FlawKind.MALFORMED


def test_no_host_at_all() -> None:
    assert flaw(base=swapped(b":authority", None)) is FlawKind.MALFORMED


@pytest.mark.parametrize("path", [b"/a#b", b"/a b", b"/\\x", b"/\xc3\xa9", b"/a\x7f"])
def test_paths_http1_would_refuse(path: bytes) -> None:
    assert flaw(base=swapped(b":path", path)) is FlawKind.MALFORMED


def test_what_names_no_resource() -> None:
    assert flaw(base=[(b":method", b"CONNECT"), (b":authority", b"h:1")]) is FlawKind.NO_ROUTE
    options = [(b":method", b"OPTIONS"), (b":scheme", b"https"), (b":path", b"*"), (b":authority", b"h")]
    assert flaw(base=options) is FlawKind.NO_ROUTE


def test_another_expectation() -> None:
    assert flaw((b"expect", b"magic")) is FlawKind.EXPECTATION


def test_sizes_count_every_copy_and_crumb() -> None:
    """Envoy CVE-2026-47774 and CVE-2026-73550: what is joined or dropped later was still sent."""
    found = sizes([*GET, (b"host", b"h:1"), (b"host", b"h:1"), *[(b"cookie", b"abc")] * 10, (b"x", b"yz")])
    assert found.target_bytes == len(b"/a/b?c=d&e")
    pseudo = sum(len(name) + len(value) for name, value in GET if name != b":path")
    assert found.header_bytes == pseudo + 2 * 7 + 10 * (9 + CRUMB_BYTES) + 3
    assert found.fields == 2 + 1 + 1
