"""
Which pages of other origins may call an API from a browser, and what the browser is told.

Owns the decision and both sets of header fields. An origin is compared as browsers write it, in lower case, its port exactly; a pattern
is held against the whole of it, and only texts that can be an origin, which bounds their length, are held against a pattern.
Source: the Fetch standard (https://fetch.spec.whatwg.org/#http-cors-protocol), RFC 6454 section 6.2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

Header = tuple[bytes, bytes]

ANY = "*"
NULL = "null"
"""The origin of sandboxed frames, local files and redirects: anyone can have it, so it counts only where it is listed."""

REGEX = "re:"

_MAX_ORIGIN_CHARS = 8 + 253 + 6  # `https://`, a DNS name, a port
_LABELS = r"[a-z0-9_-]+(\.[a-z0-9_-]+)*"
_ORIGIN = re.compile(rf"[a-z][a-z0-9+.-]*://({_LABELS}|\[[0-9a-f:.]+\])(:\d{{1,5}})?")
_WILDCARD = re.compile(rf"([a-z][a-z0-9+.-]*://)\*(\.{_LABELS}(:\d{{1,5}})?)")
_NESTED_REPEAT = re.compile(r"[+*}][?+]?\)+[+*{]")
_DEFAULT_PORT = re.compile(r"^(http://[^/]*):80$|^(https://[^/]*):443$")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch

HEADERS = (
    "authorization", "content-type", "grpc-timeout", "if-match", "if-none-match", "last-event-id", "x-request-id",
    "x-user-agent", "x-grpc-web",
    "connect-protocol-version", "connect-timeout-ms", "connect-content-encoding", "connect-accept-encoding",
)  # fmt: skip
"""Request fields that every API lets scripts set: what the dialects and their clients in browsers need."""

EXPOSED = (
    "grpc-status", "grpc-message", "grpc-status-details-bin", "x-request-id", "retry-after", "etag", "location",
    "content-encoding", "connect-content-encoding", "grpc-encoding",
)  # fmt: skip
"""Response fields that every API lets scripts read."""

_VARY_PREFLIGHT = (b"vary", b"origin, access-control-request-method, access-control-request-headers")
_VARY = (b"vary", b"origin")


class OriginError(ValueError):
    """What is written is no origin and no pattern of one. `fix` says what to write."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


Matches = Callable[[str], object]
"""Whether a pattern fits the whole of an origin."""


def pattern(written: str) -> str | Matches:
    """What an operator wrote: an origin to be equal to (`*`, `null`), or a pattern. Raises OriginError."""
    if written.startswith(REGEX):
        return _regex(written[len(REGEX) :])
    text = without_default_port(written.lower().removesuffix("/"))
    if text in (ANY, NULL) or _ORIGIN.fullmatch(text):
        return text
    wildcard = _WILDCARD.fullmatch(text)
    if wildcard is None:
        raise OriginError("is not an origin", "write https://app.example.com, https://*.example.com, re:… or *")
    return re.compile(re.escape(wildcard[1]) + _LABELS + re.escape(wildcard[2])).fullmatch


def _regex(text: str) -> Matches:
    if _NESTED_REPEAT.search(text):
        raise OriginError("repeats what repeats itself: one origin could keep the gateway busy", "repeat once")
    try:
        return re.compile(text).fullmatch
    except re.error as error:
        raise OriginError(f"is not a regular expression: {error}", "see Python's re") from error


def without_default_port(origin: str) -> str:
    """As browsers write it: the port is left out where the scheme implies it."""
    found = _DEFAULT_PORT.match(origin)
    return (found[1] or found[2]) if found else origin


@dataclass(frozen=True, slots=True)
class CorsRules:
    """
    One API's choices, as `apis[].cors` has them. `methods` empty: all that are routed; `headers` with `*`: all that are asked for.

    `origins` are texts that `pattern` takes.
    """

    origins: Sequence[str]
    methods: Sequence[str] = ()
    headers: Sequence[str] = ()
    expose: Sequence[str] = ()
    credentials: bool = False
    max_age_s: float = 600.0
    _equal: frozenset[str] = field(init=False, repr=False)
    _matching: tuple[Matches, ...] = field(init=False, repr=False)
    _exposed: Header = field(init=False, repr=False)

    def __post_init__(self) -> None:
        patterns = [pattern(written) for written in self.origins]
        names = ", ".join(dict.fromkeys([*EXPOSED, *(name.lower() for name in self.expose)]))
        set_once = object.__setattr__
        set_once(self, "_equal", frozenset(text for text in patterns if isinstance(text, str)))
        set_once(self, "_matching", tuple(one for one in patterns if not isinstance(one, str)))
        set_once(self, "_exposed", (b"access-control-expose-headers", names.encode("latin-1")))

    @property
    def for_all(self) -> bool:
        """Every origin may call, without credentials."""
        return ANY in self._equal

    def lists(self, origin: str) -> bool:
        """Whether an origin is named, as itself or by a pattern; `*` names none."""
        origin = origin.lower()
        if origin in self._equal:
            return origin != ANY
        if not self._matching or len(origin) > _MAX_ORIGIN_CHARS or not _ORIGIN.fullmatch(origin):
            return False
        return any(matches(origin) for matches in self._matching)

    def allows(self, origin: str) -> bool:
        """Whether a page of this origin may read the answers."""
        return self.for_all or self.lists(origin)

    def answer_fields(self, origin: str) -> list[Header]:
        """What an actual answer says; `origin` empty when no browser asks for another page."""
        if self.for_all:
            return [(b"access-control-allow-origin", b"*"), self._exposed] if origin else []
        if not origin or not self.lists(origin):
            return [_VARY]  # a cache must not give this answer to those who may read it
        return [*self._granted(origin), self._exposed, _VARY]

    def preflight_fields(self, origin: str, routed: Iterable[str], asked: str) -> list[Header]:
        """What a preflight is told of a path with the methods `routed`, by an origin that is allowed; `asked` are the fields it named."""
        methods = [method for method in routed if not self.methods or method in self.methods]
        fields = [
            *([(b"access-control-allow-origin", b"*")] if self.for_all else self._granted(origin)),
            (b"access-control-allow-methods", ", ".join(methods).encode("latin-1")),
            (b"access-control-allow-headers", self._headers(asked).encode("latin-1")),
            (b"access-control-max-age", b"%d" % self.max_age_s),
        ]
        return [*fields, _VARY_PREFLIGHT]

    def _headers(self, asked: str) -> str:
        """The literal `*` would leave out Authorization, and with credentials it means nothing: what was asked for is named."""
        if ANY in self.headers:
            names = [name.strip().lower() for name in asked.split(",")]
            return ", ".join(name for name in names if _TOKEN(name))
        return ", ".join(dict.fromkeys([*HEADERS, *(name.lower() for name in self.headers)]))

    def _granted(self, origin: str) -> list[Header]:
        fields = [(b"access-control-allow-origin", origin.encode("latin-1"))]
        if self.credentials:
            fields.append((b"access-control-allow-credentials", b"true"))
        return fields
