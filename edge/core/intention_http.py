"""
What an intention says about HTTP: the permission, and whether a request is what it speaks of.

Owns the meaning Envoy gives to what Consul writes: a path without its query, a regular expression that fits the whole of a value, a
field's values joined by commas, a field that is absent fitting nothing but its being absent. A condition of a kind not known here is never
let through by: a denial is taken to speak of the request, an allowance not to. Source: Consul, agent/xds/rbac.go (convertPermission);
Envoy, HeaderMatcher and PathMatcher.
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
        value = request.value(self.name)
        if self.text is None:
            return (value is not None) != self.invert
        if value is None:
            return False  # also inverted: Envoy leaves a field that is absent out of account
        return self.text.fits(value) != self.invert


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What a request says of itself in HTTP. `path` is without its query; names in `headers` are in lower case."""

    method: str
    path: str
    headers: Sequence[Header] = ()
    query: str = ""

    def value(self, name: str) -> str | None:
        """A field's values as one, None when it is absent."""
        match name:
            case "host" | ":authority":
                wanted = b"host"
            case ":method":
                return self.method
            case ":path":
                return f"{self.path}?{self.query}" if self.query else self.path
            case _:
                wanted = name.encode("latin-1", "replace")
        found = [value for key, value in self.headers if key == wanted]
        return b",".join(found).decode("latin-1") if found else None


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
