"""
TLS contexts made of an identity: what we present, and whose chains OpenSSL lets through.

Owns the settings of a mesh connection: TLS 1.2 or later, a certificate of the peer always, only the roots of trust domains it may be
of, no host name (a SPIFFE ID stands instead: certs.peer looks at it after the handshake). On the downstream side no session tickets:
a resumed session would carry a verdict made with yesterday's roots. Source: RFC 9325; X509-SVID section 5.
"""

from __future__ import annotations

import ssl
from _ssl import ENCODING_DER
from collections.abc import Sequence

from certs.identity import Identity, IdentityError
from certs.leaf import Side
from certs.peer import PeerRules
from certs.secret_file import load_pair

H2 = ("h2",)
"""What gRPC speaks. Services whose protocol is tcp for the mesh get no ALPN: an empty sequence."""


def protocol(side: Side) -> int:
    """OpenSSL's method for connections to peers on `side`."""
    return ssl.PROTOCOL_TLS_CLIENT if side is Side.UPSTREAM else ssl.PROTOCOL_TLS_SERVER


def make_context(identity: Identity, rules: PeerRules, alpn: Sequence[str] = H2) -> ssl.SSLContext:
    """The context for connections with peers under `rules`. Raises as `fill_context`."""
    context = ssl.SSLContext(protocol(rules.side))
    fill_context(context, identity, rules, alpn)
    return context


def fill_context(context: ssl.SSLContext, identity: Identity, rules: PeerRules, alpn: Sequence[str] = H2) -> None:
    """
    Set a new context of `protocol(rules.side)` up.

    Raises IdentityError when there are no roots for these peers, OSError (ssl.SSLError among them) when it cannot be loaded.
    """
    domains = rules.domains(identity.trust_domains)
    if not domains:
        raise IdentityError(f"roots: none of {_wanted(rules)}")
    _secure(context)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    # An intermediate may be the anchor, as in Go's verifier: SPIFFE bundles may hold one (Trust Domain and Bundle, section 4).
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if rules.strict and identity.to_the_letter:
        context.verify_flags |= ssl.VERIFY_X509_STRICT  # RFC 5280 to the letter; Python's own default from 3.13 on
    context.load_verify_locations(cadata=b"".join(sorted(identity.roots(domains))))
    load_pair(context, b"".join(map(_pem, identity.chain)), identity.key)
    if alpn:
        context.set_alpn_protocols(list(alpn))


def _secure(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A peer that could renegotiate would choose when we do asymmetric cryptography (TLS 1.2; CVE-2011-1473).
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.options |= ssl.OP_NO_TICKET
    if context.protocol is ssl.PROTOCOL_TLS_SERVER:
        context.num_tickets = 0


def _pem(der: bytes) -> bytes:
    return ssl.DER_cert_to_PEM_cert(der).encode()


def _wanted(rules: PeerRules) -> str:
    names = {wanted.trust_domain for wanted in rules.expected or ()} or rules.trust_domains or {"any trust domain"}
    return " or ".join(sorted(names))


def verified_chain(session: ssl.SSLObject) -> tuple[bytes, ...]:
    """
    The chain OpenSSL verified the peer with (DER, leaf first, its root last); empty when it has none, as in a resumed session.

    Public from Python 3.13 on; before, the same function of the object underneath, which has had it since 3.10.
    """
    ask = getattr(session, "get_verified_chain", None) or session._sslobj.get_verified_chain  # type: ignore[attr-defined]  # see above
    return tuple(one if isinstance(one, bytes) else one.public_bytes(ENCODING_DER) for one in ask() or ())
