"""
The configuration file as frozen models; the docstring under each field is its reference (docs/configuration.md is made of them).

Owns the file as a whole: listeners, admin, limits, logs; `api_models`, `upstream_models` and `consul_models` hold the large sections.
Defaults are safe: loopback admin, bounded sizes and times, strict JSON. What one field says about another is checked in
`cross_checks` and `http_checks`, what it says about the file system in `file_checks`.
"""

from __future__ import annotations

import re
from pathlib import Path as FilePath
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, field_validator

from edge.config.address import Address, Network
from edge.config.api_models import (
    Api,
    CustomPattern,
    Http,
    HttpRule,
    Json,
    Metadata,
    Path,
    ProtoSource,
    Query,
    ReflectionSource,
)
from edge.config.consul_models import Consul
from edge.config.identity_models import Identity
from edge.config.kubernetes_models import Kubernetes
from edge.config.mesh_models import MeshPolicies
from edge.config.profiles import profiled
from edge.config.section import Count, FileName, Model, Timeout
from edge.config.units import Bytes, Seconds, true_as_section, written_as_text
from edge.config.upstream_models import Keepalive, Reconnect, Upstream, UpstreamTls
from edge.core.problem import Problem

__all__ = [
    "AccessLog", "Admin", "Api", "Builtin", "Config", "Consul", "CustomPattern", "Http", "HttpRule", "Json", "Keepalive", "Limits",
    "Listener",
    "ListenerMesh", "ListenerTls", "Metadata", "Model", "Path", "ProtoSource", "Query", "Reconnect", "ReflectionSource", "Upstream",
    "UpstreamTls",
]  # fmt: skip


_LAST_STEP = re.compile(r"(\.|^)[^.\[\]]*$|\[\d+\]$")


class ListenerTls(Model):
    """TLS on a listener, 1.2 or later."""

    cert: FileName = Field(examples=["tls/cert.pem"])
    """PEM certificate chain, a path."""
    key: FileName = Field(examples=["tls/key.pem"])
    """PEM private key without a passphrase, a path."""
    client_ca: FileName | None = None
    """PEM bundle, a path; when set, clients must present a certificate it signed."""
    min_version: Annotated[Literal["1.2", "1.3"], BeforeValidator(written_as_text)] = "1.2"
    """The oldest TLS version accepted."""


class ListenerMesh(Model):
    """Being called from the mesh: mTLS with the certificate of `consul.service`, and its intentions decide who may call what."""

    max_connection_age: Timeout = Seconds(600.0)
    """A connection of this age (a tenth more or less) is told to end: what was decided when it was made is decided anew."""
    max_connection_age_grace: Timeout = Seconds(30.0)
    """Calls that still run on a connection that was told to end are cut off after so long."""


class Listener(Model):
    """An address the gateway answers on."""

    bind: Address = Field(examples=["127.0.0.1:8080"])
    """`host:port`, `[v6]:port`, or `:port` for all interfaces."""
    tls: ListenerTls | None = None
    """Serve TLS; without it the listener is plaintext."""
    mesh: Annotated[
        ListenerMesh | None, BeforeValidator(true_as_section, json_schema_input_type=ListenerMesh | bool | None)
    ] = None
    """Serve the mesh, in place of `tls`: sidecars and native services that the intentions allow; `true` takes the defaults."""


class Admin(Model):
    """Health, readiness and metrics; keep it off public networks."""

    bind: Address = Address("127.0.0.1", 9901)
    """Where the admin listener answers."""


class Limits(Model):
    """What a downstream may cost before it is refused. Applies to every listener."""

    max_uri_bytes: Annotated[Bytes, Field(ge=1)] = Bytes(8 * 1024)
    """The request target; over: 414."""
    max_header_bytes: Annotated[Bytes, Field(ge=1)] = Bytes(64 * 1024)
    """Header names and values together; over: 431."""
    max_header_count: Count = 100
    """Header fields; over: 431."""
    max_body_bytes: Bytes = Bytes(4 * 1024 * 1024)
    """The body, as sent and as inflated; over: 413."""
    header_timeout: Timeout = Seconds(10.0)
    """First byte to end of headers; over: 408."""
    body_timeout: Timeout = Seconds(30.0)
    """End of headers to end of body; over: 408."""
    idle_timeout: Timeout = Seconds(60.0)
    """Between requests of a kept connection; then it is closed."""
    write_timeout: Timeout = Seconds(30.0)
    """A reader that takes nothing for so long is cut off."""
    stream_idle_timeout: Timeout | None = Seconds(300.0)
    """A streaming call on which neither side sends anything for so long is ended: UNAVAILABLE, 504. `null`: it may rest for ever."""
    max_connections: Count = 10_000
    """Per worker; over: refused with 503."""
    max_in_flight: Count = 1024
    """Calls running at once, per worker; over: 503 with Retry-After."""


class AccessLog(Model):
    """One JSON line per call."""

    enabled: bool = True
    """Write it."""
    path: FileName = "-"
    """A file, or `-` for standard output."""


class Builtin(Model):
    """Services the gateway answers itself, over gRPC, gRPC-Web and Connect. An API's own service of the same name comes first."""

    health: bool = True
    """`grpc.health.v1.Health` of the gateway: SERVING for what it exposes, until it drains."""
    reflection: bool = True
    """`grpc.reflection.v1.ServerReflection` and v1alpha: tells anyone who may call which services are exposed, and their descriptors."""


class Config(Model):
    """The whole file."""

    listeners: tuple[Listener, ...] = Field(min_length=1, examples=["[{bind: 127.0.0.1:8080}]"])
    """Where clients reach the gateway."""
    admin: Admin | None = Admin()
    """The admin listener; `null` turns it off."""
    limits: Limits = Limits()
    """What clients may cost."""
    access_log: AccessLog = AccessLog()
    """The log of calls."""
    trusted_proxies: tuple[Network, ...] = ()
    """Proxies before the gateway, as IP networks (`10.0.0.0/8`): their X-Forwarded-* headers are believed, others' are replaced."""
    builtin: Builtin = Builtin()
    """Health and reflection, by the gateway itself."""
    consul: Consul | None = None
    """The Consul agent, for upstreams found by name and for our place in the mesh."""
    identity: Identity | None = None
    """Who we are, where it is not Consul that says so: for upstreams with `tls: {spiffe_ids: …}`."""
    kubernetes: Kubernetes | None = None
    """The cluster, for upstreams with `kubernetes`; default: the one the gateway runs in, else the current context of kubectl."""
    drain_timeout: Seconds = Seconds(30.0)
    """How long SIGTERM waits for running calls."""
    apis: tuple[Api, ...] = Field(min_length=1, examples=["[{name: …, protos: …, upstream: …}]"])
    """What is exposed."""
    upstreams: dict[str, Upstream] = Field(min_length=1, examples=["{bookstore: {endpoints: [127.0.0.1:50051]}}"])
    """Who serves it, by name."""
    mesh: MeshPolicies | None = None
    """What `edge mesh` generates policies from; the gateway itself reads a split or failover `by: edge` alone."""
    _base: str = PrivateAttr(".")
    _places: dict[str, str] = PrivateAttr(default_factory=dict)
    _warnings: tuple[Problem, ...] = PrivateAttr(())

    @field_validator("apis")
    @classmethod
    def _apply_profiles(cls, apis: tuple[Api, ...]) -> tuple[Api, ...]:
        return tuple(profiled(api) for api in apis)

    @property
    def base(self) -> str:
        """The folder relative paths start from: the file's own."""
        return self._base

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is odd but does not stop the gateway."""
        return self._warnings

    def resolve(self, path: str) -> FilePath:
        """A path of the file, made absolute against the file's folder."""
        return FilePath(self._base, path).absolute()

    def place(self, path: str) -> str:
        """`edge.yaml:12` for a path such as `apis[0].descriptors`, or for what is around it; empty when nothing of it is written."""
        while path and path not in self._places:
            path = _LAST_STEP.sub("", path)
        return self._places.get(path, "") if path else ""
