"""
What must be true of an HTTP/1.x request head before anything looks at its meaning.

Owns the rules against request smuggling: one way to frame a body, one host, one target, whatever the parser below let pass.
A head that breaks a rule is a HeadFlaw, and its connection is not used again: where two parties may disagree about where a
request ends, no later byte can be trusted.
Source: RFC 9112 (3.2 targets, 3.2.2 absolute-form, 6.1 and 6.3 framing), RFC 9110 7.2 (Host) and 10.1.1 (Expect).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import NamedTuple


class FlawKind(Enum):
    """Which refusal a flaw leads to."""

    MALFORMED = auto()
    VERSION = auto()
    EXPECTATION = auto()
    NO_ROUTE = auto()
    URI_TOO_LONG = auto()
    HEADERS_TOO_LARGE = auto()
    BODY_TOO_LARGE = auto()


class HeadFlaw(NamedTuple):
    """Why a head is refused; `detail` names the rule, never a header's value (it may be a secret)."""

    kind: FlawKind
    detail: str


@dataclass(slots=True)
class HeadFacts:
    """
    What a sound head says. `path` starts with `/`; `query` has no `?`; neither is decoded.

    `authority` is the host of an absolute-form target, which replaces the Host field (RFC 9112 3.2.2), else None.
    `content_length` is None when the body is chunked or absent. `keep_alive`: another request may follow on the connection; after a wish
    to upgrade what follows may be in another protocol, so none may (Envoy CVE-2026-73548).
    """

    path: str
    query: str
    authority: bytes | None
    content_length: int | None
    chunked: bool
    expect_continue: bool
    keep_alive: bool

    @property
    def has_body(self) -> bool:
        """Body bytes follow the head."""
        return self.chunked or bool(self.content_length)


Target = tuple[str, str, bytes | None]
"""A request target: path, query, and the authority of an absolute-form one."""

_VERSIONS = frozenset({"1.0", "1.1"})
_SINGLE = frozenset({b"host", b"content-length", b"transfer-encoding", b"expect"})
# Proxy-Connection is no standard's, but who sends `close` in it goes away (RFC 9112 C.2.2).
_CONNECTION = frozenset({b"connection", b"proxy-connection"})
_NOT_IN_TRAILERS = frozenset({*_CONNECTION, b"host", b"content-length", b"transfer-encoding", b"upgrade"})
# Visible ASCII but "#": a fragment never travels (RFC 9112 3.2), and everything else must be percent-encoded.
_PATH_AND_QUERY = re.compile(rb"/[!\"$-~]*")
_ABSOLUTE = re.compile(rb"[Hh][Tt][Tt][Pp][Ss]?://([^/?#]*)([!\"$-~]*)")
# RFC 3986 reg-name without sub-delims and escapes: a comma or `@` in a host is an attack, not a name.
_AUTHORITY = re.compile(rb"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._~-]{1,255})(?::[0-9]{0,5})?")
_MAX_AUTHORITY_BYTES = 255 + len(":65535")  # longer ones are not even remembered
_MAX_LENGTH_DIGITS = 18  # below 2^63: no arithmetic further down can overflow


def examine(method: str, target: bytes, version: str, headers: Iterable[tuple[bytes, bytes]]) -> HeadFacts | HeadFlaw:
    """
    The facts of a head, or the first rule it breaks.

    `headers` have lower-case names and values without surrounding white space; `version` is `major.minor`.
    """
    if version not in _VERSIONS:
        return HeadFlaw(FlawKind.VERSION, "HTTP/1.0 and HTTP/1.1 are served here")
    parts = split_target(method, target)
    if isinstance(parts, HeadFlaw):
        return parts
    single: dict[bytes, bytes] = {}
    options: set[bytes] = set()
    for name, value in headers:
        if name in _CONNECTION:
            options.update(option.strip(b" \t").lower() for option in value.split(b","))
        elif name == b"upgrade":
            options.add(b"Upgrade")  # upper case: no option of Connection's is
        elif name in _SINGLE:
            if name in single:
                return _malformed(f"more than one {name.decode()} field")
            single[name] = value
    host = single.pop(b"host", None)
    if host is None:
        if version == "1.1":
            return _malformed("no Host field")
    elif not is_authority(host):
        return _malformed("the Host field is not a host")
    keep_alive = _persists(version, options) if options else version == "1.1"
    if single:
        return _framed(parts, version, single, keep_alive=keep_alive)
    return HeadFacts(*parts, None, False, False, keep_alive)  # noqa: FBT003  # the fields' order is above


def may_trail(name: bytes) -> bool:
    """Whether a field may be in a trailer section: none that says where the message ends, or the connection (RFC 9110 6.5.1)."""
    return name not in _NOT_IN_TRAILERS


def _persists(version: str, options: set[bytes]) -> bool:
    """RFC 9112 9.3: `close` goes before all, also before an HTTP/1.0 peer's `keep-alive`."""
    if b"close" in options or {b"upgrade", b"Upgrade"} <= options:
        return False
    return version == "1.1" or b"keep-alive" in options


def split_target(method: str, target: bytes) -> Target | HeadFlaw:
    """
    The parts of an origin-form or absolute-form target.

    `CONNECT` and `OPTIONS *` have no path, so no route can match them.
    """
    if _PATH_AND_QUERY.fullmatch(target) and method != "CONNECT":
        return _origin_form(target, None)
    if method == "CONNECT":
        return HeadFlaw(FlawKind.NO_ROUTE, "CONNECT is not served")
    if target == b"*" and method == "OPTIONS":
        return HeadFlaw(FlawKind.NO_ROUTE, "OPTIONS * names no resource")
    return _absolute_form(target)


def is_authority(text: bytes) -> bool:
    """`text` is host or host:port: a registered name, IPv4, or bracketed IPv6; no user information, not empty."""
    return len(text) <= _MAX_AUTHORITY_BYTES and _is_authority(text)


@lru_cache(maxsize=256)  # an attacker who fills it makes others pay one regex match, no more
def _is_authority(text: bytes) -> bool:
    return _AUTHORITY.fullmatch(text) is not None


def _malformed(detail: str) -> HeadFlaw:
    return HeadFlaw(FlawKind.MALFORMED, detail)


def _origin_form(target: bytes, authority: bytes | None) -> Target | HeadFlaw:
    path, _, query = target.decode("ascii").partition("?")
    if "\\" in path:  # some upstream file servers read it as "/", so a rule about the path could be walked around
        return _malformed("a backslash in the path")
    return path, query, authority


def _absolute_form(target: bytes) -> Target | HeadFlaw:
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        return _malformed("the request target is neither a path nor an http URL")
    authority, rest = match.groups()
    if not is_authority(authority):
        return _malformed("the authority of the request target")
    return _origin_form(rest if rest.startswith(b"/") else b"/" + rest, authority)


def _framed(parts: Target, version: str, single: dict[bytes, bytes], *, keep_alive: bool) -> HeadFacts | HeadFlaw:
    length, coding = single.get(b"content-length"), single.get(b"transfer-encoding")
    size: int | None = None
    if coding is not None:
        flaw = _coding_flaw(version, coding, length)
        if flaw is not None:
            return flaw
    elif length is not None:
        if not length.isdigit() or len(length) > _MAX_LENGTH_DIGITS:
            return _malformed("Content-Length is not a decimal number")
        size = int(length)
    expect = single.get(b"expect")
    if expect is not None and expect.lower() != b"100-continue":
        return HeadFlaw(FlawKind.EXPECTATION, "an expectation other than 100-continue")
    # RFC 9110 10.1.1: an HTTP/1.0 peer's expectation is ignored, and nothing is awaited when no body follows.
    wants = expect is not None and version == "1.1" and (coding is not None or bool(size))
    return HeadFacts(*parts, size, coding is not None, wants, keep_alive)


def _coding_flaw(version: str, coding: bytes, length: bytes | None) -> HeadFlaw | None:
    if length is not None:
        return _malformed("both Content-Length and Transfer-Encoding")
    if version == "1.0":
        return _malformed("Transfer-Encoding in HTTP/1.0")
    return None if coding.lower() == b"chunked" else _malformed("a Transfer-Encoding other than chunked")
