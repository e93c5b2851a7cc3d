"""
Content negotiation: which of the offered media types an Accept field prefers.

Owns the reading of weighted lists (`a;q=0.5, b`), shared with Accept-Encoding. What cannot be read counts as absent: a client
gets an answer it can probably use, not an error about a preference.
Source: RFC 9110 12.4.2 (weights), 12.5.1 (Accept).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_QVALUE = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_MAX_CHARS = 4096
_MAX_MEMBERS = 64  # browsers send about 8; the work of an answer must not grow with a header the client chooses


class Weighted(NamedTuple):
    """One member of a list: its value in lower case, its parameters before `q`, its weight in [0, 1]."""

    value: str
    parameters: tuple[str, ...]
    q: float


def weighted(field: str) -> tuple[Weighted, ...]:
    """The members of a field value, in order; a malformed weight counts as 0 for its member."""
    return _weighted(field[:_MAX_CHARS])


@lru_cache(maxsize=256)  # few distinct fields are in use; an attacker who fills it makes others be read again
def _weighted(field: str) -> tuple[Weighted, ...]:
    members = []
    for text in split_outside_quotes(field, ",")[:_MAX_MEMBERS]:
        value, *parameters = [part.strip() for part in split_outside_quotes(text, ";")]
        if value:
            members.append(_member(value.lower(), parameters))
    return tuple(members)


def split_outside_quotes(text: str, separator: str) -> list[str]:
    """`text` split at `separator`, but not within quoted strings: `text/plain;title="a,b"` is one member. Linear, unlike a regex."""
    if '"' not in text:
        return text.split(separator)
    parts, start, quoted, escaped = [], 0, False, False
    for index, char in enumerate(text):
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = quoted
        elif char == '"':
            quoted = not quoted
        elif char == separator and not quoted:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


def _member(value: str, parameters: Sequence[str]) -> Weighted:
    kept: list[str] = []
    for parameter in parameters:
        name, _, text = parameter.partition("=")
        if name.strip().lower() == "q":  # what follows q are the long abandoned accept-ext
            weight = text.strip()
            return Weighted(value, tuple(kept), float(weight) if _QVALUE.fullmatch(weight) else 0.0)
        kept.append(parameter.lower())
    return Weighted(value, tuple(kept), 1.0)


def quality(accept: str, media_type: str) -> float:
    """
    How much `accept` wants `media_type` (`type/subtype`, parameters allowed): the weight of the most specific range, 0 when none fits.

    An empty field wants everything equally.
    """
    ranges = weighted(accept)
    if not ranges:
        return 1.0
    offered, *parameters = [part.strip().lower() for part in media_type.split(";")]
    best, q = 0, 0.0
    for member in ranges:
        specificity = _specificity(member, offered, parameters)
        if specificity > best:
            best, q = specificity, member.q
    return q


def choose(accept: str, offers: Sequence[str]) -> str | None:
    """The offer `accept` wants most, the earlier one of equals; None when it wants none of them."""
    best, chosen = 0.0, None
    for offer in offers:
        q = quality(accept, offer)
        if q > best:
            best, chosen = q, offer
    return chosen


def _specificity(member: Weighted, offered: str, parameters: Sequence[str]) -> int:
    """0: does not fit. Else larger the more exactly the range names the offer."""
    if member.value == offered:
        fits = all(parameter in parameters for parameter in member.parameters)
        return 3 + len(member.parameters) if fits else 0
    if member.value == "*/*":
        return 1
    kind, _, subtype = member.value.partition("/")
    return 2 if subtype == "*" and offered.startswith(kind + "/") else 0
