"""
The `Connect-Timeout-Ms` header.

Owns what is refused: everything but one to ten digits. Source: https://connectrpc.com/docs/protocol (Timeout).
"""

from __future__ import annotations

import re

_TIMEOUT = re.compile(rb"[0-9]{1,10}").fullmatch


def parse_timeout_ms(text: bytes) -> float:
    """The seconds in a Connect-Timeout-Ms value. Raises ValueError. Zero is accepted: the deadline has then passed already."""
    if _TIMEOUT(text) is None:
        raise ValueError("must be 1 to 10 digits")
    return int(text) / 1000
