"""
Handshakes that fail, heard of: what OpenSSL had against the other end.

Owns that no refusal is silent. Event loops close such a connection without a word (uvloop) or in debug mode only (asyncio), and a listener
never learns that there was one. A peer that is merely gone is none.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

Refused = Callable[[str], None]
"""Given the reason, one of OpenSSL's finite many. Must not raise."""


def reporting(refused: Refused) -> type[ssl.SSLObject]:
    """A class for `SSLContext.sslobject_class` whose failed handshakes are told to `refused`."""

    class Reporting(ssl.SSLObject):
        """An SSLObject that tells."""

        def do_handshake(self) -> None:
            """As SSLObject's."""
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
                raise
            except ssl.SSLError as error:
                refused(handshake_fault(error))
                raise

        def getpeercert(self, binary_form: bool = False) -> Any:  # noqa: ANN401  # SSLObject's signature
            """As SSLObject's; loops ask for it once the handshake is over, and would break on names that are no text."""
            try:
                return super().getpeercert(binary_form)
            except ValueError as error:
                refused("encoding: the certificate's names are no text")
                raise ssl.SSLError("the certificate's names are no text") from error

    return Reporting


def handshake_fault(error: ssl.SSLError) -> str:
    """What a failed handshake's error says, without OpenSSL's source lines."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message)
    return (error.reason or str(error)).lower().replace("_", " ")
