"""
The Consul that `edge mesh` talks to.

Owns where its address and token come from: the variables Consul's own command reads.
Source: https://developer.hashicorp.com/consul/commands#environment-variables.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

from edge.core.problem import Problem, ProblemsError
from meshconfig.consul_http import ConsulHttp


def consul_from(env: Mapping[str, str], datacenter: str = "") -> ConsulHttp:
    """The agent of these variables; `datacenter` is the primary. Raises ProblemsError for variables that cannot be used."""
    address = env.get("CONSUL_HTTP_ADDR") or "127.0.0.1:8500"
    if "://" not in address:
        secure = env.get("CONSUL_HTTP_SSL", "").lower() in {"1", "true"}
        address = f"{'https' if secure else 'http'}://{address}"
    if not address.startswith(("http://", "https://")):
        raise _problem(f'CONSUL_HTTP_ADDR="{address}" is no http or https address', "write http://host:port")
    try:
        token = env.get("CONSUL_HTTP_TOKEN") or _token(env.get("CONSUL_HTTP_TOKEN_FILE"))
        return ConsulHttp(address.rstrip("/"), token, datacenter, _tls(address, env))
    except OSError as error:
        raise _problem(f"{error.filename or 'a certificate'}: {error.strerror or error}", "correct the path") from None


def _token(file: str | None) -> str:
    return Path(file).read_text(encoding="utf-8").strip() if file else ""


def _tls(address: str, env: Mapping[str, str]) -> ssl.SSLContext | None:
    if not address.startswith("https://"):
        return None
    context = ssl.create_default_context(cafile=env.get("CONSUL_CACERT") or None)
    if cert := env.get("CONSUL_CLIENT_CERT"):
        context.load_cert_chain(cert, env.get("CONSUL_CLIENT_KEY"))
    if env.get("CONSUL_HTTP_SSL_VERIFY", "").lower() in {"0", "false"}:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _problem(message: str, fix: str) -> ProblemsError:
    return ProblemsError([Problem("environment", "", message, fix)])
