"""
The `upstreams` section: the services calls go to, and how they are dialled.

Owns these names, types and defaults. The defaults notice a dead connection within half a minute and keep retrying gently.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from edge.config.address import Address
from edge.config.consul_models import UpstreamConsul
from edge.config.identity_models import SpiffeName
from edge.config.kubernetes_models import UpstreamKubernetes
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
    spiffe_ids: tuple[SpiffeName, ...] | None = None
    """
    Mutual TLS by SPIFFE: we present the certificate of `identity` (else that of `consul.service`), and the service must present one
    with one of these IDs, of a trust domain whose roots came with ours. Instead of `ca`, `cert`, `key` and `uri_san`.
    """


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
    """A gRPC service and how it is dialled. Exactly one of `endpoints`, `consul` and `kubernetes`; each upstream has a pool of its own."""

    endpoints: tuple[Address, ...] = Field(default=(), examples=["[127.0.0.1:50051]"])
    """`host:port` each. A host may be a name, which is looked up whenever it is dialled."""
    dns: Literal["logical", "strict"] = "logical"
    """
    What a name in `endpoints` stands for. `logical`: one service behind it, as a Kubernetes ClusterIP or a load balancer; its addresses
    are tried in turn. `strict`: every address it has is an endpoint, as of a headless Service; looked up again every `dns_refresh`.
    """
    dns_refresh: Timeout = Seconds(5.0)
    """Between two look-ups, for `dns: strict`."""
    mesh: Literal["linkerd", "istio"] | None = None
    """
    Call through this mesh's proxy beside the gateway: the one endpoint is a Service's DNS name, sent as :authority, plaintext; the proxy
    does TLS, picks the pod and retries. See docs/mesh.md.
    """
    consul: UpstreamConsul | None = None
    """The service in Consul."""
    kubernetes: UpstreamKubernetes | None = None
    """The pods of a Kubernetes Service, by its EndpointSlices."""
    tls: UpstreamTls | None = None
    """Dial with TLS; without it, plaintext HTTP/2 (h2c)."""
    metadata: dict[str, Secret] = Field(default_factory=dict)
    """Added to every call, e.g. `{authorization: "Bearer ${TOKEN}"}`; values come from `${ENV}` or `file:path`."""
    authority: str | None = None
    """The :authority sent; default: the endpoint's host:port as written, with `kubernetes` SERVICE.NAMESPACE.svc."""
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

    @property
    def by_spiffe_id(self) -> bool:
        """Whether it is dialled with our certificate, and the service is known by the SPIFFE ID in its own."""
        return self.tls is not None and self.tls.spiffe_ids is not None

    @property
    def located(self) -> bool:
        """Whether it has no fixed endpoints to dial as the section says, and it is not Consul that tells them."""
        return self.consul is None and (self.dns == "strict" or self.kubernetes is not None or self.by_spiffe_id)

    @property
    def fixed(self) -> bool:
        """Whether the file says each address or name that is dialled."""
        return bool(self.endpoints) and self.dns == "logical"

    @property
    def service_name(self) -> str | None:
        """The one name its endpoints are called by, without a port, where they are dialled at addresses that are not in the file."""
        if self.kubernetes is not None:
            return f"{self.kubernetes.service}.{self.kubernetes.namespace}.svc"
        if self.dns == "strict":
            return next(address.host for address in self.endpoints if not address.is_ip).rstrip(".")
        return None
