"""
From configuration and environment to the plain values of this package.

Owns that an address without a configuration comes from the variables Consul's own command reads, and what a registration takes from the
gateway's configuration when it does not say it itself. Source: https://developer.hashicorp.com/consul/commands#environment-variables.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from edge.config.consul_models import Consul, ConsulCheck, ConsulRegistered, ConsulService, UpstreamConsul
from edge.config.models import Config
from edge.config.secret import Secret
from edge.consul.client import AgentPlace, Scope
from edge.consul.lookup import Lookup
from edge.consul.query import Manners
from edge.consul.token import TokenSource
from edge.consul.transport import Place
from edge.core.consul_definition import Check, Definition, Kind
from edge.core.problem import Problem, ProblemsError

GATEWAY_TTL_S = 15.0

_GATEWAY_CHECK = Check("ttl", interval_s=GATEWAY_TTL_S)


def agent_of(config: Config, consul: Consul) -> AgentPlace:
    """The agent a configuration names. Reads certificate files; raises ProblemsError for ones that do not load."""
    given = consul.tls
    paths = (None, None, None) if given is None else (given.ca, given.cert, given.key)
    ca, cert, key = (None if path is None else str(config.resolve(path)) for path in paths)
    try:
        context = _tls(consul.address, ca, cert, key)
    except OSError as error:
        reason = f"the certificates cannot be loaded: {error.strerror or error}"
        fix = "give PEM files that belong together"
        raise ProblemsError([Problem(config.place("consul.tls"), "consul.tls", reason, fix)]) from None
    return AgentPlace(
        place=_place(consul.address, context, given.server_name if given else None),
        token=TokenSource(consul.token.secret, consul.token.file),
        scope=Scope(consul.datacenter or "", consul.namespace or "", consul.partition or ""),
        consistency=consul.consistency,
    )


def agent_from_environment(env: Mapping[str, str]) -> AgentPlace:
    """The agent that Consul's own command would ask. Raises ProblemsError for variables that cannot be used."""
    address = env.get("CONSUL_HTTP_ADDR") or "127.0.0.1:8500"
    if "://" not in address:
        scheme = "https" if env.get("CONSUL_HTTP_SSL", "").lower() in {"1", "true"} else "http"
        address = f"{scheme}://{address}"
    file = env.get("CONSUL_HTTP_TOKEN_FILE")
    token = env.get("CONSUL_HTTP_TOKEN")
    try:
        url = Consul(address=address).address
        context = _tls(url, env.get("CONSUL_CACERT"), env.get("CONSUL_CLIENT_CERT"), env.get("CONSUL_CLIENT_KEY"))
    except (ValueError, OSError) as error:
        reason = str(error) if isinstance(error, OSError) else f'CONSUL_HTTP_ADDR="{address}" is no address of an agent'
        raise ProblemsError([Problem("environment", "", reason, "write http://host:port")]) from None
    if context is not None and env.get("CONSUL_HTTP_SSL_VERIFY", "").lower() in {"0", "false"}:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return AgentPlace(
        place=_place(url, context, env.get("CONSUL_TLS_SERVER_NAME")),
        token=TokenSource(Secret(token) if token else None, Path(file) if file else None),  # both: the file, as there
        scope=Scope(namespace=env.get("CONSUL_NAMESPACE", ""), partition=env.get("CONSUL_PARTITION", "")),
    )


def agent_for_command(
    config: Config, env: Mapping[str, str], address: str = "", token_file: Path | None = None, datacenter: str = ""
) -> AgentPlace:
    """
    The agent of a command that has a configuration: what a flag says, else Consul's own variables, else the configuration.

    As with Consul's own command a flag goes before a variable; who has set a variable in this shell means this shell. Raises ProblemsError.
    """
    consul = config.consul or Consul()
    tls = consul.tls
    files = (None, None, None) if tls is None else (tls.ca, tls.cert, tls.key)
    ca, cert, key = ("" if path is None else str(config.resolve(path)) for path in files)
    said = {
        "CONSUL_HTTP_ADDR": consul.address,
        "CONSUL_CACERT": ca,
        "CONSUL_CLIENT_CERT": cert,
        "CONSUL_CLIENT_KEY": key,
        "CONSUL_TLS_SERVER_NAME": (tls.server_name or "") if tls else "",
        "CONSUL_NAMESPACE": consul.namespace or "",
        "CONSUL_PARTITION": consul.partition or "",
    }
    given = {name: value for name, value in env.items() if name.startswith("CONSUL_") and value}
    flags = {"CONSUL_HTTP_ADDR": address} if address else {}
    found = agent_from_environment({name: value for name, value in {**said, **given, **flags}.items() if value})
    token = found.token
    if token_file is not None:
        token = TokenSource(file=token_file)
    elif not {"CONSUL_HTTP_TOKEN", "CONSUL_HTTP_TOKEN_FILE"} & given.keys():
        token = TokenSource(consul.token.secret, consul.token.file)
    return replace(found, token=token, scope=replace(found.scope, datacenter=datacenter or consul.datacenter or ""))


def _tls(url: str, ca: str | None, cert: str | None, key: str | None) -> ssl.SSLContext | None:
    if not url.startswith("https://"):
        return None
    context = ssl.create_default_context(cafile=ca)
    if cert:
        context.load_cert_chain(cert, key)
    return context


def _place(url: str, context: ssl.SSLContext | None, server_name: str | None) -> Place:
    if url.startswith("unix://"):
        return Place("http://localhost", socket=urlsplit(url).path)
    return Place(url, tls=context, server_name=server_name)


def manners_of(consul: Consul) -> Manners:
    """How the watches of a configuration treat the agent."""
    return Manners(block_s=consul.wait)


def lookup_of(given: UpstreamConsul) -> Lookup | None:
    """Which instances an upstream means; None where its sidecar chooses."""
    if given.dial == "sidecar":
        return None
    scope = Scope(given.datacenter or "", given.namespace or "", given.partition or "", given.peer or "")
    return Lookup(
        service=given.service or "",
        prepared=given.query or "",
        connect=given.dial != "plain",
        gateway="local" if given.dial == "mesh-gateway" else "",
        tags=given.tags,
        subset=given.subset or "",
        filter=given.filter or "",
        near=given.near or "",
        only_passing=given.only_passing,
        scope=scope,
    )


def gateway_definition(config: Config) -> Definition | None:
    """The registration of the gateway itself, None when it is not to be registered."""
    consul = config.consul
    if consul is None or consul.register_ is None or consul.service is None:
        return None
    given, bind = consul.register_, config.listeners[0].bind
    address = given.address or ("" if bind.is_wildcard else bind.host)
    port = given.port or bind.port
    # Two gateways on one machine differ by their port, and must not take each other's registration.
    definition = _definition(given, consul.service, port, address, given.id or f"{consul.service}-{port}")
    return definition if definition.checks else replace(definition, checks=(_GATEWAY_CHECK,))


def service_definition(given: ConsulService) -> Definition:
    """The registration of another service."""
    return _definition(given, given.name, given.port, given.address or "", given.id or given.name)


def _definition(given: ConsulRegistered, name: str, port: int, address: str, service_id: str) -> Definition:
    return Definition(
        name=name,
        id=service_id,
        port=port,
        address=address,
        tags=given.tags,
        meta=tuple(sorted(given.meta.items())),
        weight=given.weights.passing,
        warning_weight=given.weights.warning,
        checks=tuple(check_of(check) for check in given.checks),
        connect=given.connect,
        sidecar_port=given.sidecar_port or 0,
        namespace=given.namespace or "",
        partition=given.partition or "",
    )


def check_of(given: ConsulCheck) -> Check:
    """A check as the core knows it."""
    kinds: tuple[tuple[Kind, str | None], ...] = (("grpc", given.grpc), ("http", given.http), ("tcp", given.tcp))
    kind, target = next(((kind, written) for kind, written in kinds if written is not None), ("ttl", ""))
    return Check(
        kind=kind,
        target=target or "",
        interval_s=given.ttl if given.ttl is not None else given.interval,
        timeout_s=given.timeout,
        tls=given.tls,
        tls_skip_verify=given.tls_skip_verify,
        tls_server_name=given.tls_server_name or "",
        deregister_after_s=given.deregister_after,
    )
