"""
What an intention says about HTTP: the permission, and whether a request is what it speaks of.

Owns the meaning Envoy gives to what Consul writes: a path without its query, a regular expression that fits the whole of a value, a
field that has several values fitting with any of them, one that is absent fitting nothing but its being absent. A condition of a kind not
known here lets nothing through: a denial is taken to speak of the request, an allowance not to. Source: Consul, agent/xds/rbac.go
(convertPermission); Envoy, HeaderMatcher and PathMatcher.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

Header = tuple[bytes, bytes]
TextKind = Literal["exact", "prefix", "suffix", "contains", "regex"]


class Pattern(Protocol):
    """A compiled regular expression that needs no more than linear time, as RE2's."""

    def fullmatch(self, text: str) -> object | None:
        """Whether it fits the whole of a text."""


@dataclass(frozen=True, slots=True)
class TextMatch:
    """A condition on a text. `pattern` stands for `value` where the kind is regex."""

    kind: TextKind
    value: str
    ignore_case: bool = False
    pattern: Pattern | None = field(default=None, compare=False, repr=False)

    def fits(self, text: str) -> bool:
        """Whether the text is what it asks for."""
        if self.pattern is not None:
            return self.pattern.fullmatch(text) is not None
        value = self.value
        if self.ignore_case:
            text, value = text.lower(), value.lower()
        match self.kind:
            case "exact":
                return text == value
            case "prefix":
                return text.startswith(value)
            case "suffix":
                return text.endswith(value)
            case "contains":
                return value in text
            case "regex":
                return False  # one without a pattern: nothing is known to fit


@dataclass(frozen=True, slots=True)
class HeaderMatch:
    """A condition on a header field (name in lower case). `text` None asks that it be there at all."""

    name: str
    text: TextMatch | None
    invert: bool = False

    def fits(self, request: HttpRequest) -> bool:
        """Whether the request's field is as asked."""
        values = request.values(self.name)
        if self.text is None:
            return bool(values) != self.invert
        if not values:
            return False  # also inverted: Envoy leaves a field that is absent out of account
        return any(map(self.text.fits, values)) != self.invert


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What a request says of itself in HTTP. `path` is without its query; names in `headers` are in lower case."""

    method: str
    path: str
    headers: Sequence[Header] = ()
    query: str = ""

    def values(self, name: str) -> list[str]:
        """
        A field's values, each for itself: joined, a second one would lead past a rule on the first.
        """
        match name:
            case ":method":
                return [self.method]
            case ":path":
                return [f"{self.path}?{self.query}" if self.query else self.path]
            case "host" | ":authority":
                wanted = b"host"
            case _:
                wanted = name.encode("latin-1", "replace")
        return [value.decode("latin-1") for key, value in self.headers if key == wanted]


@dataclass(frozen=True, slots=True)
class Permission:
    """
    One rule on requests. Nothing given fits every request.

    `needs_token`: it takes a JSON web token as well. `unknown`: it has a condition that is not understood here.
    """

    allows: bool
    path: TextMatch | None = None
    headers: tuple[HeaderMatch, ...] = ()
    methods: frozenset[str] = frozenset()
    needs_token: bool = False
    unknown: bool = False

    def fits(self, request: HttpRequest) -> bool:
        """Whether it speaks of this request."""
        if self.unknown and self.allows:
            return False
        if self.methods and request.method not in self.methods:
            return False
        if self.path is not None and not self.path.fits(request.path):
            return False
        return all(each.fits(request) for each in self.headers)
