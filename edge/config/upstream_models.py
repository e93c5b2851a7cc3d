"""
The `upstreams` section: the services calls go to, and how they are dialled.

Owns these names, types and defaults. The defaults notice a dead connection within half a minute and keep retrying gently.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from edge.config.address import Address
from edge.config.consul_models import UpstreamConsul
from edge.config.secret import Secret
from edge.config.section import Count, FileName, Model, Timeout
from edge.config.traffic_models import UpstreamFailover, UpstreamSplit
from edge.config.units import Seconds, no_bool


class UpstreamTls(Model):
    """TLS to an upstream; with `cert` and `key`, mTLS."""

    ca: FileName | None = None
    """PEM bundle to trust, a path; default: the system's."""
    cert: FileName | None = None
    """PEM certificate chain to present, a path; needs `key`."""
    key: FileName | None = None
    """PEM private key, a path; needs `cert`."""
    server_name: str | None = None
    """SNI, and the DNS name the certificate must carry; default: the endpoint's host."""
    uri_san: str | None = None
    """Check this URI SAN (a SPIFFE ID) instead of a DNS name."""


class Keepalive(Model):
    """HTTP/2 pings that notice a dead connection while calls run on it."""

    interval: Timeout = Seconds(20.0)
    """Between pings."""
    timeout: Timeout = Seconds(5.0)
    """A ping unanswered for so long ends the connection."""


class Reconnect(Model):
    """Exponential backoff between attempts to connect, with 20 % jitter."""

    initial: Timeout = Seconds(0.05)
    """After the first failure."""
    max: Timeout = Seconds(0.8)
    """Never longer than this."""


class Upstream(Model):
    """A gRPC service's endpoints, or its name in Consul, and how they are dialled. Each upstream has a pool of its own."""

    endpoints: tuple[Address, ...] = Field(default=(), examples=["[127.0.0.1:50051]"])
    """`host:port` each; these or `consul`."""
    consul: UpstreamConsul | None = None
    """The service in Consul; instead of `endpoints`."""
    tls: UpstreamTls | None = None
    """Dial with TLS; without it, plaintext HTTP/2 (h2c)."""
    metadata: dict[str, Secret] = Field(default_factory=dict)
    """Added to every call, e.g. `{authorization: "Bearer ${TOKEN}"}`; values come from `${ENV}` or `file:path`."""
    authority: str | None = None
    """The :authority sent; default: the endpoint's host:port."""
    connect_timeout: Timeout = Seconds(2.0)
    """TCP and TLS handshake together."""
    max_connections: Count = 4
    """Per endpoint and worker; opened when a connection's streams are all in use."""
    max_pending: Annotated[int, BeforeValidator(no_bool), Field(ge=0)] = 1024
    """Calls waiting for a stream; over: 503."""
    keepalive: Keepalive = Keepalive()
    """How dead connections are noticed."""
    reconnect: Reconnect = Reconnect()
    """How failed connections are tried again."""
    idle_timeout: Timeout = Seconds(300.0)
    """A connection without calls for so long is closed."""
    split: UpstreamSplit | None = None
    """Calls divided among subsets or other upstreams, by the gateway."""
    failover: UpstreamFailover | None = None
    """Where calls go while no endpoint can be reached, by the gateway."""
