"""
Request ids: the client's own when it is harmless, a new one otherwise.

Owns what may stand in X-Request-Id: it is copied into logs, metadata and the answer, so only short, plain tokens are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_PLAIN = re.compile(r"[A-Za-z0-9._~+/=:@-]{1,128}\Z")


def request_id(given: str, new_id: Callable[[], str]) -> str:
    """The given id when it is a plain token of at most 128 characters, else a new one."""
    return given if _PLAIN.match(given) else new_id()
