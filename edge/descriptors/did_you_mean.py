"""
Suggestions for a name that does not exist: the closest known one, or the list when it is short.

Owns the wording, so that every "unknown X" of a description reads the same. Source: difflib (Ratcliff and Obershelp).
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_LISTED = 8
"""More names than this are counted instead of listed: an error text is read on one screen."""


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """A fix naming the known names closest to `wrong`; empty when nothing is known."""
    names = sorted(set(known))
    close = get_close_matches(wrong, names, n=1) or _same_last_part(wrong, names)
    if close:
        return f'did you mean "{close[0]}"?'
    if not names:
        return ""
    listed = ", ".join(names[:_LISTED])
    return f"known: {listed}" if len(names) <= _LISTED else f"known: {listed} and {len(names) - _LISTED} more"


def _same_last_part(wrong: str, names: list[str]) -> list[str]:
    """Names that differ in the package only: `Bookstore` for `bookstore.v1.Bookstore`."""
    last = wrong.rpartition(".")[2].lower()
    return [name for name in names if name.rpartition(".")[2].lower() == last]
