"""
The TLS side of a listener, from file names to an ssl context.

Owns what a downstream may negotiate: TLS 1.2 or 1.3, HTTP/2 or HTTP/1.1 by ALPN, and with a client CA no connection without a
certificate it signed. Anything wrong with the files is a ProblemsError that names the file and the fix: a gateway must not start
half-secure.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from edge.core.problem import Problem, ProblemsError

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_PEM_CERTIFICATE = "a PEM file with -----BEGIN CERTIFICATE-----"


def server_context(
    cert: str, key: str, client_ca: str | None = None, min_version: str = "1.2", where: str = "tls"
) -> ssl.SSLContext:
    """
    The context for a listener; the arguments are absolute file names of PEMs.

    `where` is the section's path in the configuration (`listeners[0].tls`). Raises ProblemsError.
    """
    files = {"cert": cert, "key": key} | ({"client_ca": client_ca} if client_ca else {})
    _require_readable(files, where)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[min_version]
    context.set_alpn_protocols(["h2", "http/1.1"])
    # A client that could renegotiate would choose when we do asymmetric cryptography (TLS 1.2; CVE-2011-1473).
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE
    _load_pair(context, cert, key, where)
    if client_ca:
        _require_clients(context, client_ca, where)
    return context


def renew(context: ssl.SSLContext, cert: str, key: str, where: str = "tls") -> None:
    """
    Let handshakes from now on present what the files hold now; connections that stand are not touched.

    Raises ProblemsError and changes nothing when the files do not serve: they are tried on a context of their own.
    """
    server_context(cert, key, where=where)
    context.load_cert_chain(cert, key, password=_no_passphrase)


def _require_readable(files: dict[str, str], where: str) -> None:
    problems = []
    for name, path in files.items():
        try:
            Path(path).read_bytes()
        except OSError as error:
            reason = f"cannot read {path}: {error.strerror}"
            problems.append(Problem("", f"{where}.{name}", reason, "name a PEM file this user may read"))
    if problems:
        raise ProblemsError(problems)


def _load_pair(context: ssl.SSLContext, cert: str, key: str, where: str) -> None:
    try:
        # No passphrase: an encrypted key would make OpenSSL ask the terminal, and a daemon has none.
        context.load_cert_chain(cert, key, password=_no_passphrase)
    except _EncryptedKeyError:
        problem = Problem(
            "", f"{where}.key", f"{key} is encrypted", "give a key without passphrase (openssl pkey -in …)"
        )
    except ssl.SSLError as error:
        problem = _pair_problem(error, cert, key, where)
    else:
        return
    raise ProblemsError([problem])


class _EncryptedKeyError(Exception):
    """OpenSSL asked for a passphrase."""


def _no_passphrase() -> str:
    raise _EncryptedKeyError


def _pair_problem(error: ssl.SSLError, cert: str, key: str, where: str) -> Problem:
    if error.reason == "KEY_VALUES_MISMATCH":
        return Problem(
            "", f"{where}.key", f"{key} is not the key of {cert}", "give the key the certificate was made for"
        )
    try:
        ssl.create_default_context(cafile=cert)
    except ssl.SSLError:
        return Problem("", f"{where}.cert", f"{cert} holds no PEM certificate", f"give {_PEM_CERTIFICATE}, leaf first")
    reason = error.reason or "not PEM"
    fix = "give an unencrypted PEM file with -----BEGIN PRIVATE KEY-----"
    return Problem("", f"{where}.key", f"{key} holds no usable private key ({reason})", fix)


def _require_clients(context: ssl.SSLContext, client_ca: str, where: str) -> None:
    try:
        context.load_verify_locations(client_ca)
    except ssl.SSLError as error:
        problem = f"{client_ca} holds no PEM certificate"
        raise ProblemsError([Problem("", f"{where}.client_ca", problem, f"give {_PEM_CERTIFICATE}")]) from error
    context.verify_mode = ssl.CERT_REQUIRED
