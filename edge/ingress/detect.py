"""
Which protocol a new connection speaks, decided before anything is read into it.

Owns that decision: over TLS it is ALPN's, without TLS the first bytes'. HTTP/2's preface is told from HTTP/1.1 at the first byte that
differs, however the bytes are split; there is no Upgrade to h2c (RFC 9113 3.1 dropped it). Until it is decided the connection
is HTTP/1.1's, with its slot and its timer, so that one that says nothing is treated as it always was.
Source: RFC 9113 sections 3.2 (ALPN), 3.3 (prior knowledge), 3.4 (preface); RFC 7301.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from edge.ingress.connections import Connections
from edge.ingress.http1 import Http1Connection
from edge.ingress.http2 import Http2Connection

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

MakeHttp1 = Callable[[], Http1Connection]
MakeHttp2 = Callable[[], Http2Connection]


class AlpnSwitch(asyncio.Protocol):
    """For TLS: hands the connection to the protocol that the handshake settled on; a client without ALPN speaks HTTP/1.1."""

    def __init__(self, make_http1: MakeHttp1, make_http2: MakeHttp2) -> None:
        self._make_http1 = make_http1
        self._make_http2 = make_http2

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is over."""
        tls = transport.get_extra_info("ssl_object")
        make = self._make_http2 if tls.selected_alpn_protocol() == "h2" else self._make_http1
        chosen = make()
        transport.set_protocol(chosen)
        chosen.connection_made(transport)


class PrefaceSwitch(asyncio.Protocol):
    """For plaintext: reads until the bytes can be HTTP/2's preface no more, or are all of it."""

    def __init__(self, make_http1: MakeHttp1, make_http2: MakeHttp2, connections: Connections) -> None:
        self._http1 = make_http1()
        self._make_http2 = make_http2
        self._connections = connections
        self._seen = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """HTTP/1.1 until told otherwise."""
        self._transport = cast(asyncio.Transport, transport)
        self._http1.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Decide, or wait for the next byte."""
        seen = self._seen + data if self._seen else data
        if not PREFACE.startswith(seen[: len(PREFACE)]) or not self._http1.untouched:
            self._transport.set_protocol(self._http1)
            self._http1.data_received(seen)
        elif len(seen) < len(PREFACE):
            self._seen = seen
        else:
            self._become_http2(seen)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client said nothing that tells."""
        self._http1.connection_lost(exc)

    def pause_writing(self) -> None:
        """A refusal was written (too many connections)."""
        self._http1.pause_writing()

    def resume_writing(self) -> None:
        """The refusal is out."""
        self._http1.resume_writing()

    def _become_http2(self, seen: bytes) -> None:
        http2 = self._make_http2()
        self._http1.retire()
        self._connections.replace(self._http1, http2)
        self._transport.set_protocol(http2)
        http2.take_over(self._transport)
        http2.data_received(seen)
