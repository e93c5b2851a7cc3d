"""
Percent-encoding in URL paths: how captured text is decoded, and which paths are refused before anything is matched.

Owns the canonical-path rule. `flaw` names what is wrong with a path in whichever spelling it comes; what passes has one meaning for
routing, policies, the log and the service. Decided here:

* raw: only visible ASCII; a backslash or `#` is refused (they are separators to others), a `+` is a plus and never a space;
* raw or escaped: NUL, and `.` or `..` between slashes or backslashes (also with `;parameters`, which servlet containers
  strip before they resolve dots), are refused, so that no variable can carry a traversal to a service that joins paths;
* escaped: any other character, `%2F`, `%5C` and `%0A` too, is text of a variable, because a protobuf string may hold it.

Escapes are decoded once: `%252e` is the text `%2e`. Empty segments are not a flaw, they just match no template.
Source: google/api/http.proto (path templates), RFC 3986 section 2, RFC 6570 (which characters are reserved).
"""

from __future__ import annotations

import re
from enum import Enum, auto
from urllib.parse import unquote_to_bytes


class Decoding(Enum):
    """Which escapes of a captured text are decoded; EXCEPT_ modes leave theirs as they were written."""

    ALL = auto()
    EXCEPT_SLASH = auto()
    EXCEPT_RESERVED = auto()


class PathEncodingError(ValueError):
    """An escape that is not `%` and two hexadecimal digits, or bytes that are not UTF-8."""


_MALFORMED = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)

# The `%` of an escape that stays. RFC 6570's reserved set is  ! # $ & ' ( ) * + , / : ; = ? @ [ ]
_STAYS = {
    Decoding.EXCEPT_SLASH: re.compile(r"%(?=2[Ff])"),
    Decoding.EXCEPT_RESERVED: re.compile(r"%(?=2[1346-9A-CFa-cf]|3[ABDFabdf]|40|5[BDbd])"),
}

# Visible ASCII but `%`, `\` and `#`: one scan that nearly every path passes. Possessive, so that no path can make it backtrack.
_PLAIN = re.compile(r'/[!"$&-\[\]-~]*+')
_UNSAFE = re.compile(r"[^!-~]|[\\#]")
_DOT_SEGMENT = re.compile(r"[/\\]\.\.?(?:;[^/\\]*)?(?=[/\\]|\Z)")


def decode(text: str, decoding: Decoding = Decoding.ALL) -> str:
    """Decode the escapes of `text` that `decoding` lets go, in upper or lower hex. Raises PathEncodingError."""
    if "%" not in text:
        return text
    if malformed := _MALFORMED.search(text):
        raise PathEncodingError(f"{malformed.group()!r} is not an escape: % and two hexadecimal digits")
    if stays := _STAYS.get(decoding):
        text = stays.sub("%25", text)
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeError:
        raise PathEncodingError("the escapes are not UTF-8") from None


def flaw(path: str) -> str | None:
    """What is wrong with a request's path as received, without its query; None when it may be matched."""
    if _PLAIN.fullmatch(path) and "/." not in path:
        return None
    if not path.startswith("/"):
        return 'the path does not start with "/"'
    if unsafe := _UNSAFE.search(path):
        return f"{unsafe.group()!r} may not stand in a path as it is"
    try:
        text = decode(path)
    except PathEncodingError as error:
        return str(error)
    if "\0" in text:
        return "the path holds a NUL"
    return 'a segment of the path is "." or ".."' if _DOT_SEGMENT.search(text) else None
