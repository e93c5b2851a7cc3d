"""
The ACL token, as it is now: fixed, or in a file that is read again when it changes.

Owns rotation. A file that is gone, empty or unreadable for a moment (Vault and Kubernetes replace files, not always in one step)
leaves the last token in force; Consul says when that is no longer good. A token is sent to the agent and shown to nobody.
"""

from __future__ import annotations

import os
from pathlib import Path

from edge.config.secret import Secret

_MAX_BYTES = 4096


class TokenSource:
    """`secret` is the token, or the first one when `file` is given."""

    def __init__(self, secret: Secret | None = None, file: Path | None = None) -> None:
        self._secret = secret
        self._file = file
        self._stamp: tuple[int, int, int] | None = None

    def current(self) -> str:
        """The token to send, empty for none. One stat; the file, some bytes, is read when that tells another."""
        if self._file is not None:
            self._refresh(self._file)
        return self._secret.reveal() if self._secret is not None else ""

    def _refresh(self, file: Path) -> None:
        try:
            facts = file.stat()
            stamp = (facts.st_mtime_ns, facts.st_size, facts.st_ino)
            if stamp == self._stamp or not os.path.isfile(file):
                return
            with file.open("rb") as opened:
                text = opened.read(_MAX_BYTES).decode("ascii").strip()
        except (OSError, UnicodeDecodeError):
            return
        self._stamp = stamp
        if text and text.isprintable():
            self._secret = Secret(text)
