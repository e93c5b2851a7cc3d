"""
Pages of a list and the tokens between them.

Owns the rule that a token only fits the request it came from: it carries a fingerprint of the other parameters.
A token names the last key shown, so that entries that come or go between two pages shift nothing.
Source: https://google.aip.dev/158.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import TypeVar

from edge.demo.failure import invalid
from edge.demo.messages import Msg

T = TypeVar("T")
DEFAULT_SIZE = 50
MAX_SIZE = 1000


def fingerprint(request: Msg) -> str:
    """What tells requests apart, page size and token left out."""
    other = type(request)()
    other.CopyFrom(request)
    other.ClearField("page_size")
    other.ClearField("page_token")
    return hashlib.blake2b(other.SerializeToString(deterministic=True), digest_size=6).hexdigest()


def page(items: Sequence[T], request: Msg, key: Callable[[T], str]) -> tuple[list[T], str]:
    """One page of `items` (in their final order, `key` unique) and the token of the next, empty on the last."""
    size = _size(request.page_size)
    print_ = fingerprint(request)
    start = _start(items, key, _last_key(request.page_token, print_)) if request.page_token else 0
    shown = list(items[start : start + size])
    more = start + size < len(items)
    return shown, _token(print_, key(shown[-1])) if more else ""


def _size(asked: int) -> int:
    if asked < 0:
        raise invalid(("page_size", f"{asked} is negative"))
    return min(asked, MAX_SIZE) or DEFAULT_SIZE


def _token(print_: str, last: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([print_, last]).encode()).decode().rstrip("=")


def _last_key(token: str, print_: str) -> str:
    try:
        made_for, last = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, TypeError, binascii.Error):
        raise invalid(("page_token", "not a token of this service")) from None
    if made_for != print_:
        raise invalid(("page_token", "belongs to a request with other parameters"))
    return str(last)


def _start(items: Sequence[T], key: Callable[[T], str], last: str) -> int:
    """Behind the entry shown last; when it is gone, from the first page again."""
    for position, item in enumerate(items):
        if key(item) == last:
            return position + 1
    return 0
