"""
A raw query string as decoded name-value pairs.

Owns: `&` is the only separator (`;` is data), empty pieces vanish, `x` without `=` is an empty value, names are decoded like
values (`%24alt` is `$alt`), `+` is a space where asked, and a malformed escape or text that is not UTF-8 is refused.
Source: https://url.spec.whatwg.org/#urlencoded-parsing, made strict.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

_SHOWN_CHARACTERS = 60
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class MalformedQueryError(ValueError):
    """The text cannot be decoded; the message says why and quotes the piece."""


def parse_query(raw: str, *, plus_is_space: bool) -> list[tuple[str, str]]:
    """The pairs of `raw` (no leading `?`) in order. Raises MalformedQueryError."""
    pairs = []
    for piece in raw.split("&"):
        if piece:
            name, _, value = piece.partition("=")
            pairs.append((_decode(name, plus_is_space), _decode(value, plus_is_space)))
    return pairs


def _decode(text: str, plus_is_space: bool) -> str:
    if plus_is_space and "+" in text:
        text = text.replace("+", " ")
    if "%" not in text and text.isascii():
        return text
    return _decode_escapes(text)


def _decode_escapes(text: str) -> str:
    if _BAD_ESCAPE.search(text):
        raise MalformedQueryError(f"malformed percent-escape in {_shown(text)}")
    if not text.isascii():
        raise MalformedQueryError(f"{_shown(text)} must be percent-encoded")
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise MalformedQueryError(f"{_shown(text)} does not decode to UTF-8") from None


def _shown(text: str) -> str:
    """A piece as messages quote it: forms are parsed here too, and no answer is to repeat a megabyte."""
    return repr(text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…")
