"""
What an HTTP/2 request head says, once its header block is well-formed (`header_rules`): the same facts an HTTP/1.1 head has.

Owns the rules that HTTP/2 leaves to whoever gives the request a meaning: one authority however it is named, one length, a path
as strict as HTTP/1.1's. What follows sees `host` first and no pseudo-fields, so that nothing depends on the protocol.
A flaw here costs the request alone: HTTP/2 frames a body whatever its head says.
Source: RFC 9113 sections 8.2.3 (cookies), 8.3.1 (authority, path); RFC 9110 7.2 and 10.1.1.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from edge.core.http1_head import FlawKind, HeadFlaw, is_authority, split_target

Header = tuple[bytes, bytes]

_SINGLE = frozenset((b"host", b"content-length", b"expect"))
CRUMB_BYTES = 32  # what RFC 9113 6.5.2 takes a field to cost beside its text
_MAX_LENGTH_DIGITS = 18  # as in http1_head: below 2^63


class Http2Head(NamedTuple):
    """
    The facts. `headers` begins with `host`; the crumbs of a cookie are one field; `first` has the first value of each name.

    Path and query are not decoded. `protocol` is what an extended CONNECT asks to be spoken on its stream, empty for every other
    request (RFC 8441).
    """

    method: str
    path: str
    query: str
    headers: list[Header]
    content_length: int | None
    expect_continue: bool
    first: dict[bytes, bytes]
    protocol: str = ""


class FieldSizes(NamedTuple):
    """What limits are held against. `target_bytes` is :path's."""

    target_bytes: int
    header_bytes: int
    fields: int


def sizes(fields: Iterable[Header]) -> FieldSizes:
    """
    How much was sent: names and values of every field but the target, crumbs and copies included.

    The crumbs of a cookie are one field, as in HTTP/1.1, where they would be; each then costs CRUMB_BYTES for being held apart.
    """
    total = count = target = cookies = 0
    for name, value in fields:
        if name == b":path":
            target = len(value)
            continue
        total += len(name) + len(value)
        if name == b"cookie":
            cookies = 1
            total += CRUMB_BYTES
        elif name[:1] != b":":
            count += 1
    return FieldSizes(target, total, count + cookies)


def examine(fields: Iterable[Header]) -> Http2Head | HeadFlaw:
    """The facts of a well-formed header block, or the first rule it breaks."""
    pseudo: dict[bytes, bytes] = {}
    single: dict[bytes, bytes] = {}
    cookies: list[bytes] = []
    headers: list[Header] = [(b"host", b"")]
    for name, value in fields:
        if name[:1] == b":":
            pseudo[name] = value
        elif name == b"cookie":
            cookies.append(value)
        elif name in _SINGLE:
            if name in single:
                return _malformed(f"more than one {name.decode()} field")
            single[name] = value
            if name != b"host":
                headers.append((name, value))
        else:
            headers.append((name, value))
    if cookies:
        headers.append((b"cookie", b"; ".join(cookies)))
    return _judge(pseudo, single, headers)


def _judge(pseudo: dict[bytes, bytes], single: dict[bytes, bytes], headers: list[Header]) -> Http2Head | HeadFlaw:
    method = pseudo[b":method"].decode("ascii")
    protocol = pseudo.get(b":protocol", b"").decode("latin-1")
    # A plain CONNECT has no path, and names no resource; an extended one has, like any other method.
    target = split_target("GET" if protocol else method, pseudo.get(b":path", b""))
    if isinstance(target, HeadFlaw):
        return target
    authority = pseudo.get(b":authority") or single.get(b"host", b"")
    if not is_authority(authority):
        return _malformed("neither :authority nor host is a host")
    headers[0] = (b"host", authority)
    length = single.get(b"content-length")
    if length is not None and not (length.isdigit() and len(length) <= _MAX_LENGTH_DIGITS):
        return _malformed("content-length is not a decimal number")
    expect = single.get(b"expect")
    if expect is not None and expect.lower() != b"100-continue":
        return HeadFlaw(FlawKind.EXPECTATION, "an expectation other than 100-continue")
    path, query, _ = target
    announced = None if length is None else int(length)
    return Http2Head(method, path, query, headers, announced, expect is not None, dict(reversed(headers)), protocol)


def _malformed(detail: str) -> HeadFlaw:
    return HeadFlaw(FlawKind.MALFORMED, detail)
