"""
Request ids: the client's own when it is harmless, a new one otherwise.

Owns what may stand in X-Request-Id: it is copied into logs, metadata and the answer, so only short, plain tokens are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_AT_ONCE = 256
_PLAIN = re.compile(r"[A-Za-z0-9._~+/=:@-]{1,128}\Z")


def request_id(given: str, new_id: Callable[[], str]) -> str:
    """The given id when it is a plain token of at most 128 characters, else a new one."""
    return given if given and _PLAIN.match(given) else new_id()


class RequestIds:
    """New ids: 128 random bits each, in hexadecimal. `random` gives so many random bytes; asking it once for many is ten times cheaper."""

    __slots__ = ("_left", "_random")

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._random = random
        self._left: list[str] = []

    def __call__(self) -> str:
        """One more."""
        if not self._left:
            digits = self._random(16 * _AT_ONCE).hex()
            self._left = [digits[start : start + 32] for start in range(0, len(digits), 32)]
        return self._left.pop()
