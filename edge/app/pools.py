"""
Pools for a configuration's upstreams: config models to plain values, kept across reloads where nothing changed.

Owns which pools live: one per upstream and per subset or datacenter the gateway itself chooses among, the same object as long as its
section of the file and the certificates that it names are the same, so that a reload does not cut warm connections, and a renewed
certificate is used after one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from edge.app.mesh_peers import refusing
from edge.config.address import Address
from edge.config.models import Config, Upstream, UpstreamTls
from edge.config.ways import pooled
from edge.core.problem import Problem, ProblemsError
from edge.upstream.dial import Security, TlsOptions, make_security
from edge.upstream.endpoint import DialPlan
from edge.upstream.heartbeat import Timing
from edge.upstream.pool import Pool
from edge.wire.engines import engine
from edge.wire.session import Role, SessionSettings

Given = tuple[Upstream, tuple[bytes, ...]]
"""What a pool was made from: its section of the file, and digests of the certificate files."""

Pools = dict[str, tuple[Given, Pool]]


def make_pools(config: Config, old: Mapping[str, tuple[Given, Pool]]) -> Pools:
    """A pool per section of `pooled`; an old one made from the same is kept. Raises ProblemsError for certificates that do not load."""
    pools: Pools = {}
    problems: list[Problem] = []
    for name, upstream in pooled(config).items():
        kept = old.get(name)
        try:
            given = (upstream, _digests(upstream.tls, config))
            pools[name] = kept if kept is not None and kept[0] == given else (given, _pool(name, upstream, config))
        except OSError as error:
            if name not in config.upstreams:
                continue  # made of an upstream that says the same
            path = f"upstreams.{name}.tls"
            reason = f"the certificates cannot be loaded: {error.strerror or error}"
            problems.append(Problem(config.place(path), path, reason, "give PEM files that belong together"))
    if problems:
        raise ProblemsError(problems)
    return pools


def _digests(tls: UpstreamTls | None, config: Config) -> tuple[bytes, ...]:
    paths = () if tls is None else (tls.ca, tls.cert, tls.key)
    return tuple(hashlib.sha256(Path(config.resolve(path)).read_bytes()).digest() for path in paths if path is not None)


def _pool(name: str, upstream: Upstream, config: Config) -> Pool:
    plan = DialPlan(
        security=_security(upstream, config),
        make_session=partial(engine().session, Role.CLIENT, SessionSettings()),
        timing=Timing(
            keepalive_interval_s=upstream.keepalive.interval,
            keepalive_timeout_s=upstream.keepalive.timeout,
            idle_timeout_s=upstream.idle_timeout,
        ),
        connect_timeout_s=upstream.connect_timeout,
        backoff_initial_s=upstream.reconnect.initial,
        backoff_max_s=upstream.reconnect.max,
    )
    return Pool(
        name,
        [(address.host or "127.0.0.1", address.port) for address in _fixed(upstream)],
        plan,
        authority=_authority(upstream),
        metadata=[(key.lower().encode(), value.reveal().encode()) for key, value in upstream.metadata.items()],
        max_connections=upstream.max_connections,
        max_pending=upstream.max_pending,
    )


def _fixed(upstream: Upstream) -> tuple[Address, ...]:
    """The endpoints the file says; those of the rest come from Consul (`edge.app.mesh`) or `edge.app.locating`."""
    given = upstream.consul
    if upstream.located:
        return ()
    return upstream.endpoints if given is None or given.listener is None else (given.listener,)


def _authority(upstream: Upstream) -> str | None:
    """What calls say in :authority; None: the address dialled. A mesh's proxy finds its routes by it, and knows no trailing dot."""
    if upstream.authority is not None or upstream.kubernetes is not None:
        return upstream.authority or upstream.service_name
    if upstream.mesh is None and upstream.dns == "logical":
        return None
    host = upstream.service_name or upstream.endpoints[0].host.rstrip(".")
    ports = {address.port for address in upstream.endpoints if not address.is_ip}
    return f"{host}:{ports.pop()}" if len(ports) == 1 else host


def _security(upstream: Upstream, config: Config) -> Security:
    tls = upstream.tls
    if upstream.by_spiffe_id or (upstream.consul is not None and upstream.consul.by_identity):
        return refusing("nobody is known who should answer there")  # each endpoint brings its own
    if tls is None:
        return make_security(None)

    def absolute(path: str | None) -> str | None:
        return None if path is None else str(config.resolve(path))

    return make_security(
        TlsOptions(
            absolute(tls.ca),
            absolute(tls.cert),
            absolute(tls.key),
            tls.server_name or (None if tls.uri_san else upstream.service_name),
            tls.uri_san,
        )
    )
