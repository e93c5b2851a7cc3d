"""
Consul in the configuration: the agent, who the gateway is in the mesh, what is registered, and upstreams found by service name.

Owns these names, types and defaults. What one key says about another is checked in `consul_checks`. The names follow Consul's own
configuration where it has one.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from edge.config.address import Address
from edge.config.rotating_secret import RotatingSecret
from edge.config.section import Count, FileName, Model, Timeout
from edge.config.units import Seconds, no_bool, wrong

MAX_WAIT_S = 600
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._:-]{0,253}[A-Za-z0-9])?", re.ASCII)
_META_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_NEAR_US = frozenset({"_agent", "_ip"})  # no nodes' names: Consul's words for the agent that is asked, and for who asks
_MAX_META, _MAX_META_VALUE, _MAX_PORT = 63, 512, 65535


def _agent_url(written: str) -> str:
    fix = "write http://127.0.0.1:8500, https://consul.example:8501 or unix:///run/consul/http.sock"
    try:
        parts = urlsplit(written if "://" in written else f"http://{written}")
        port = parts.port
    except ValueError:
        raise wrong("is no URL", fix) from None
    if parts.scheme == "unix":
        if not parts.path.startswith("/") or parts.netloc:
            raise wrong("names no socket by an absolute path", fix)
    elif parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise wrong("is no URL of an agent", fix)
    if parts.query or parts.fragment or parts.username or parts.password:
        raise wrong("has more than scheme, host, port and path", fix)
    return written.rstrip("/") if "://" in written else f"http://{written}".rstrip("/")


def _name(written: str) -> str:
    if not _NAME.fullmatch(written):
        raise wrong(
            "is no service name", "use letters, digits, - _ and ., at most 128; begin and end with a letter or digit"
        )
    return written


def _word(written: str) -> str:
    if not _NAME.fullmatch(written):
        raise wrong("is no name in Consul", "use letters, digits, - _ and .; begin and end with a letter or digit")
    return written


def _near(written: str) -> str:
    return written if written in _NEAR_US else _word(written)


def _id(written: str) -> str:
    if not _ID.fullmatch(written):
        raise wrong("is no service ID", "use letters, digits, - _ . and :, at most 255")
    return written


def _meta(given: dict[str, str]) -> dict[str, str]:
    if len(given) > _MAX_META:
        raise wrong("has too many keys", f"keep {_MAX_META}: Consul takes 64, one of them is ours")
    for key, value in given.items():
        if not _META_KEY.fullmatch(key) or key.startswith("consul-") or len(value) > _MAX_META_VALUE:
            fix = f"keys: letters, digits, - and _, not consul-…; values: at most {_MAX_META_VALUE} characters"
            raise wrong(f'has a key or value that Consul does not take, "{key}"', fix)
    return given


def _port(value: int) -> int:
    if not 0 < value <= _MAX_PORT:
        raise wrong("is no port", "write a number from 1 to 65535")
    return value


def _wait(value: float) -> float:
    if value > MAX_WAIT_S:
        raise wrong("is longer than a Consul agent waits", "write at most 10m")
    return value


AgentUrl = Annotated[str, AfterValidator(_agent_url)]
ServiceName = Annotated[str, AfterValidator(_name)]
ServiceId = Annotated[str, AfterValidator(_id)]
Port = Annotated[int, BeforeValidator(no_bool), AfterValidator(_port)]
Word = Annotated[str, AfterValidator(_word)]
Near = Annotated[str, AfterValidator(_near)]


class ConsulTls(Model):
    """TLS to the agent."""

    ca: FileName | None = None
    """PEM bundle to trust, a path; default: the system's."""
    cert: FileName | None = None
    """PEM certificate chain to present, a path; needs `key`."""
    key: FileName | None = None
    """PEM private key, a path; needs `cert`."""
    server_name: str | None = None
    """The DNS name the agent's certificate must carry, as in `server.dc1.consul`; default: the address's host."""


class ConsulCheck(Model):
    """A health check the agent makes; exactly one of `grpc`, `ttl`, `http` and `tcp`."""

    grpc: str | None = Field(default=None, min_length=1)
    """`host:port` or `host:port/service`: the standard gRPC health protocol."""
    ttl: Timeout | None = None
    """No check is made: the gateway reports, three times within this time, that the service lives."""
    http: str | None = Field(default=None, min_length=1)
    """A URL that answers with 2xx."""
    tcp: str | None = Field(default=None, min_length=1)
    """`host:port` that accepts connections."""
    interval: Timeout = Seconds(10.0)
    """Between two checks."""
    timeout: Timeout = Seconds(3.0)
    """For one check."""
    tls: bool = False
    """`grpc` over TLS."""
    tls_skip_verify: bool = False
    """Take any certificate."""
    tls_server_name: str | None = None
    """The name the certificate must carry."""
    deregister_after: Timeout | None = None
    """A service that is critical for so long is removed; Consul looks every 30 s, and waits for a minute at least."""


class ConsulWeights(Model):
    """How many calls an instance takes, relative to the others."""

    passing: Count = 1
    """While all checks pass."""
    warning: Annotated[int, BeforeValidator(no_bool), Field(ge=0)] = 1
    """While one warns; 0: none."""


class ConsulRegistered(Model):
    """What any registration says."""

    id: ServiceId | None = None
    """The instance's ID at the agent; default: the name, of the gateway `name-port`."""
    address: str | None = Field(default=None, min_length=1)
    """Where it is reached; default: the agent's own address."""
    tags: tuple[str, ...] = ()
    """Tags."""
    meta: Annotated[dict[str, str], AfterValidator(_meta)] = Field(default_factory=dict)
    """Metadata."""
    weights: ConsulWeights = ConsulWeights()
    """Its share of calls."""
    checks: tuple[ConsulCheck, ...] = ()
    """Health checks."""
    connect: Literal["none", "native", "sidecar"] = "none"
    """`native`: it speaks mTLS with the mesh's certificates itself; `sidecar`: a proxy is registered with it."""
    sidecar_port: Port | None = None
    """The sidecar's public port; default: the agent chooses one from 21000 on."""
    namespace: Word | None = None
    """Consul Enterprise; default: the token's."""
    partition: Word | None = None
    """Consul Enterprise; default: the agent's."""


class GatewayRegistration(ConsulRegistered):
    """
    The gateway itself, under `consul.service`: registered at start, deregistered when it drains. Without checks, a TTL of 15 s. Where a
    listener serves the mesh it is `connect: native`.
    """

    port: Port | None = None
    """Default: that of the listener that serves the mesh, else the first listener's."""


class ConsulService(ConsulRegistered):
    """Another service, registered by `edge services register`."""

    name: ServiceName = Field(examples=["bookstore"])
    """Its name in the catalog."""
    port: Port = Field(examples=[50051])
    """Where it listens."""


class Consul(Model):
    """The agent, and who the gateway is in the mesh."""

    address: AgentUrl = "http://127.0.0.1:8500"
    """The agent: `http://host:port`, `https://host:port` or `unix:///path`."""
    token: RotatingSecret = RotatingSecret(None)
    """The ACL token, from `${ENV}` or `file:path`; a file is read again when it changes. Empty: none."""
    tls: ConsulTls | None = None
    """TLS to the agent, for an `https` address."""
    service: ServiceName | None = None
    """Who we are: the service whose certificate the gateway presents and whose intentions apply to its calls."""
    datacenter: Word | None = None
    """Default: the agent's."""
    namespace: Word | None = None
    """Consul Enterprise; default: the token's."""
    partition: Word | None = None
    """Consul Enterprise; default: the agent's."""
    consistency: Literal["default", "stale", "consistent"] = "default"
    """Which servers may answer: the leader, any (cheaper, may be behind), the leader once it has made sure that it is."""
    wait: Annotated[Timeout, AfterValidator(_wait)] = Seconds(300.0)
    """How long a query may stay open while nothing changes."""
    register_: GatewayRegistration | None = Field(default=None, alias="register")
    """Register the gateway; `{}` with all defaults. Default: it is not registered."""
    services: tuple[ConsulService, ...] = ()
    """Further services for `edge services register -c`; the running gateway does not register them."""


class UpstreamConsul(Model):
    """The instances of a service, from Consul. Exactly one of `service` and `query`."""

    service: ServiceName | None = None
    """The service's name."""
    query: Word | None = None
    """A prepared query's name or ID."""
    dial: Literal["native", "sidecar", "mesh-gateway", "plain"] = "native"
    """
    `native`: mTLS straight to the sidecar or native service; `sidecar`: through our own sidecar's `listener`;
    `mesh-gateway`: to another datacenter or peer; `plain`: to the service itself, outside the mesh.
    """
    listener: Address | None = None
    """The address our sidecar listens on for this upstream, for `dial: sidecar`."""
    tags: tuple[str, ...] = ()
    """Only instances with all of these."""
    subset: Word | None = None
    """A subset the service's resolver defines; default: what its discovery chain leads to."""
    datacenter: Word | None = None
    """Default: `consul.datacenter`."""
    namespace: Word | None = None
    """Default: `consul.namespace`."""
    partition: Word | None = None
    """Default: `consul.partition`."""
    peer: Word | None = None
    """The cluster peering the service was imported through."""
    filter: str | None = Field(default=None, min_length=1)
    """A filter expression of Consul's, as in `Service.Meta.version == "2"`."""
    near: Near | None = None
    """Prefer instances near this node, for a prepared query; `_agent` is our own."""
    only_passing: bool = False
    """Leave out instances with a check that warns."""

    @property
    def by_identity(self) -> bool:
        """Whether it is dialled with our certificate, and its own is looked at."""
        return self.dial in {"native", "mesh-gateway"}
