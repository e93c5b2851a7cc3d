"""
The `identity` section: who the gateway is to services that are known by SPIFFE ID, where it is not Consul that says so.

Owns these names and types. Exactly one source: files that somebody renews, or the SPIFFE Workload API.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from certs.spiffe import SpiffeId, SpiffeIdError
from edge.config.section import FileName, Model
from edge.config.units import wrong


def _socket(written: str) -> str:
    fix = "write unix:///run/spire/sockets/agent.sock, or tcp://127.0.0.1:8081"
    parts = urlsplit(written)
    if parts.scheme == "unix":
        if parts.netloc or not parts.path.startswith("/"):
            raise wrong("names no socket by an absolute path", fix)
    elif parts.scheme != "tcp" or not parts.netloc:
        raise wrong("is no address of a Workload API", fix)
    return written


def _spiffe_id(written: str) -> str:
    try:
        found = SpiffeId.parse(written)
    except SpiffeIdError as error:
        reason = str(error).rpartition(": ")[2]  # without the ID, which stands before it already
        raise wrong(f"is no SPIFFE ID: {reason}", "write it as in spiffe://example.org/ns/default/sa/books") from None
    return str(found)


WorkloadSocket = Annotated[str, AfterValidator(_socket)]
SpiffeName = Annotated[str, AfterValidator(_spiffe_id)]


class IdentityFiles(Model):
    """Files that an agent renews (spiffe-helper, cert-manager, a Kubernetes secret): read again when they change."""

    cert: FileName = Field(examples=["tls/svid.pem"])
    """PEM certificate chain, a path; the leaf, which carries our SPIFFE ID, comes first."""
    key: FileName = Field(examples=["tls/svid-key.pem"])
    """PEM private key, a path; may be the same file."""
    trust_bundle: FileName = Field(examples=["tls/bundle.pem"])
    """PEM roots of our own trust domain, a path."""
    federated: dict[str, FileName] = Field(default_factory=dict)
    """PEM roots of other trust domains, by name: `{partner.example: tls/partner.pem}`."""


class IdentityWorkloadApi(Model):
    """SPIRE's agent, or whoever else serves the SPIFFE Workload API."""

    socket: WorkloadSocket | None = None
    """`unix:///path` or `tcp://ip:port`; default: what the environment says in SPIFFE_ENDPOINT_SOCKET."""
    spiffe_id: SpiffeName | None = None
    """Which of several identities to use; default: the first, which the agent holds for the default one."""


class Identity(Model):
    """Who we are. Exactly one of `files` and `workload_api`."""

    files: IdentityFiles | None = None
    """From files."""
    workload_api: IdentityWorkloadApi | None = None
    """From the SPIFFE Workload API; `{}` with all defaults."""
