"""
How many files this process may have open at once: every connection is one.

Owns that the soft limit, which exists for programs that use select(2), does not bind us; the hard one is the operator's.
Source: getrlimit(2), https://0pointer.net/blog/file-descriptor-limits.html.
"""

from __future__ import annotations

import resource
from contextlib import suppress


def raise_file_limit() -> int:
    """Raise the soft limit to the hard one; the limit that is in force then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # a system may refuse: the old limit stays
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return hard
    return soft
