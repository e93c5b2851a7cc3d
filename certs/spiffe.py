"""
SPIFFE IDs: `spiffe://trust-domain/path` parsed, checked, compared and written.

Owns their grammar: a `SpiffeId` that exists is valid. What the standard lets vary in case (scheme and trust domain) is accepted
only in lower case, as issuers must write it: then two texts name the same workload only if they are the same bytes.
Source: https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md section 2; go-spiffe decides the same way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SCHEME = "spiffe://"
MAX_ID_BYTES = 2048
MAX_TRUST_DOMAIN_BYTES = 255

_TRUST_DOMAIN = re.compile(r"[a-z0-9._-]+", re.ASCII)
_SEGMENT = re.compile(r"[a-zA-Z0-9._-]+", re.ASCII)
_SHOWN = 120  # of a text that is no SPIFFE ID, in a message


class SpiffeIdError(ValueError):
    """A text is no SPIFFE ID or trust domain; says which rule it breaks."""


@dataclass(frozen=True, slots=True, order=True)
class SpiffeId:
    """A workload's name, or with an empty path a trust domain's own. `path` is empty or starts with a slash."""

    trust_domain: str
    path: str = ""

    def __post_init__(self) -> None:
        fault = trust_domain_fault(self.trust_domain) or _path_fault(self.path) or _length_fault(str(self))
        if fault:
            raise SpiffeIdError(f"{shown(str(self))}: {fault}")

    @classmethod
    def parse(cls, text: str, *, lenient: bool = False) -> SpiffeId:
        """
        The ID a text is. Raises SpiffeIdError.

        `lenient` also takes scheme and trust domain in upper case, as section 2.4 of the standard allows a reader to.
        """
        scheme, rest = text[: len(SCHEME)], text[len(SCHEME) :]
        if (scheme.lower() if lenient else scheme) != SCHEME:
            raise SpiffeIdError(f"{shown(text)}: a SPIFFE ID starts with {SCHEME}")
        trust_domain, slash, path = rest.partition("/")
        return cls(trust_domain.lower() if lenient and trust_domain.isascii() else trust_domain, slash + path)

    def __str__(self) -> str:
        return f"{SCHEME}{self.trust_domain}{self.path}"

    def same_path(self, other: SpiffeId) -> bool:
        """Equal but for the trust domain and case: what Consul's own `connect` package compares (lenient peers only)."""
        return self.path.lower() == other.path.lower()


def trust_domain_fault(name: str) -> str | None:
    """Which rule of section 2.1 a trust domain's name breaks, or None."""
    if not name:
        return "the trust domain is missing"
    if not _TRUST_DOMAIN.fullmatch(name):
        return "a trust domain is made of a-z, 0-9, dot, dash and underscore"
    if len(name) > MAX_TRUST_DOMAIN_BYTES:
        return f"a trust domain has at most {MAX_TRUST_DOMAIN_BYTES} bytes"
    return None


def _path_fault(path: str) -> str | None:
    if not path:
        return None
    if not path.startswith("/"):
        return "a path starts with a slash"
    if path.endswith("/"):
        return "a path has no trailing slash"
    for segment in path[1:].split("/"):
        if not segment:
            return "a path has no empty segments"
        if segment in {".", ".."}:
            return "a path has no segments . or .."
        if not _SEGMENT.fullmatch(segment):
            return "a path segment is made of letters, digits, dot, dash and underscore (nothing percent-encoded)"
    return None


def _length_fault(text: str) -> str | None:
    return f"a SPIFFE ID has at most {MAX_ID_BYTES} bytes" if len(text) > MAX_ID_BYTES else None


def shown(text: str) -> str:
    """A text of a stranger as one harmless, bounded piece of a message: control characters escaped."""
    return ascii(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
