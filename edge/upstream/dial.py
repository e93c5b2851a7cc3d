"""
Making a connection to an upstream: plaintext HTTP/2 with prior knowledge, TLS, or mutual TLS.

Owns who is trusted. With a DNS name, ssl verifies chain and name, and ALPN must agree on h2. With a URI SAN (a SPIFFE ID),
ssl verifies the chain, and the certificate must carry exactly that one URI and no other; mesh sidecars then need neither a
DNS name nor ALPN. The check runs before a byte is sent. Source: SPIFFE X509-SVID section 5 (validation), RFC 9113 section 3.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from cryptography import x509

from edge.upstream.connection import Connection

_SSL_SHUTDOWN_S = 0.2  # a peer that does not answer close_notify holds the socket no longer

PeerCheck = Callable[[asyncio.BaseTransport], str | None]
"""Looks at a connected transport; the fault it finds, or None."""


def _ready() -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """TLS to an upstream as plain values; paths are absolute. `cert` and `key` together make it mutual."""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    server_name: str | None = None
    uri_san: str | None = None


@dataclass(frozen=True, slots=True)
class Security:
    """
    How connections of one upstream, or of one endpoint in a mesh, are secured. `context` None is plaintext.

    `fault` says why no connection can be made now, if so: asked before a dial, it knows better than OpenSSL would.
    """

    context: ssl.SSLContext | None
    server_name: str | None
    check: PeerCheck
    by_uri: bool = False
    fault: Callable[[], str | None] = _ready

    def name_for(self, host: str) -> str | None:
        """What to send as SNI and to match the certificate with; empty for neither."""
        if self.context is None:
            return None
        return self.server_name or ("" if self.by_uri else host)


class DialError(Exception):
    """No connection could be made; the text says why."""


def make_security(tls: TlsOptions | None) -> Security:
    """Load certificates and choose the peer check. Raises OSError (ssl.SSLError among them) for files that do not serve."""
    if tls is None:
        return Security(None, None, _trust)
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=tls.ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    if tls.cert is not None:
        context.load_cert_chain(tls.cert, tls.key)
    if tls.uri_san is None:
        return Security(context, tls.server_name, _require_alpn)
    context.check_hostname = False
    return Security(context, tls.server_name, uri_san_check(tls.uri_san), by_uri=True)


def _trust(_transport: asyncio.BaseTransport) -> str | None:
    return None


def _require_alpn(transport: asyncio.BaseTransport) -> str | None:
    chosen = transport.get_extra_info("ssl_object").selected_alpn_protocol()
    return None if chosen == "h2" else f"ALPN chose {chosen}, not h2"


def uri_san_check(expected: str) -> PeerCheck:
    """A check that the peer's certificate names `expected`, and nothing else, as a URI."""

    def check(transport: asyncio.BaseTransport) -> str | None:
        session = transport.get_extra_info("ssl_object")
        return alpn_fault(session) or uri_san_fault(session.getpeercert(binary_form=True), expected)

    return check


def alpn_fault(session: ssl.SSLObject) -> str | None:
    """Why a mesh connection does not lead to HTTP/2, or None: a sidecar whose service's protocol is tcp chooses nothing."""
    chosen = session.selected_alpn_protocol()
    return None if chosen in (None, "h2") else f"ALPN chose {chosen}, not h2"


def uri_san_fault(certificate: bytes | None, expected: str) -> str | None:
    """
    Why a DER certificate does not prove the identity `expected`, or None when it does.

    The whole URI is compared, byte for byte: one with a NUL in it, or a second URI beside it, proves nothing.
    """
    if not certificate:
        return "the service presented no certificate"
    try:
        parsed = x509.load_der_x509_certificate(certificate)
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    except (
        ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType
    ) as error:  # fmt: skip
        return f"the service's certificate has no readable SAN: {error}"
    if len(uris) != 1:
        return f"the service's certificate has {len(uris)} URI SANs; exactly one is allowed"
    return None if uris[0] == expected else f"the service is {uris[0]!r}, not {expected!r}"


async def dial(
    host: str, port: int, security: Security, timeout_s: float, make: Callable[[PeerCheck], Connection]
) -> Connection:
    """
    Connect, verify the peer, and wait for its SETTINGS. Raises DialError.

    HTTP/2 would let requests leave before the peer's SETTINGS. We wait, as gRPC does: a proxy that accepts and then finds no
    service is a failed dial, so the calls can go elsewhere, and the limit on streams is known before the first one.
    """
    if (reason := security.fault()) is not None:
        raise DialError(reason)
    connection: Connection | None = None

    def factory() -> Connection:
        nonlocal connection
        connection = make(security.check)
        return connection

    try:
        async with asyncio.timeout(timeout_s):
            await _connect(factory, host, port, security, timeout_s)
            assert connection is not None  # create_connection has called the factory
            fault = await connection.ready
    except BaseException as error:
        if connection is not None:
            connection.abort("the attempt to connect was given up")
        if isinstance(error, TimeoutError):
            raise DialError(f"no connection within {timeout_s:g} s") from error
        if isinstance(error, OSError | ValueError):
            raise DialError(str(error)) from error
        raise
    if fault is not None:
        raise DialError(fault)
    return connection


async def _connect(
    factory: Callable[[], Connection], host: str, port: int, security: Security, timeout_s: float
) -> None:
    """Try the host's addresses in turn. Each but the last has its share of the time: a dead one must not hide the others."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    *first, last = dict.fromkeys(str(address[0]) for *_, address in found)
    for address in first:
        with suppress(OSError):  # TimeoutError is one
            async with asyncio.timeout(timeout_s / (len(first) + 1)):
                await _connect_to(factory, address, port, security, host)
                return
    await _connect_to(factory, last, port, security, host)


async def _connect_to(
    factory: Callable[[], Connection], address: str, port: int, security: Security, host: str
) -> None:
    loop = asyncio.get_running_loop()
    if security.context is None:
        await loop.create_connection(factory, address, port)
        return
    await loop.create_connection(
        factory,
        address,
        port,
        ssl=security.context,
        server_hostname=security.name_for(host),
        ssl_shutdown_timeout=_SSL_SHUTDOWN_S,
    )
