"""
Consul's entries about how a service is called: protocol, subsets, failover, division, timeouts, retries, export, tokens.

Owns what the plan's settings are in Consul's words. Nothing here allows a call: that is `consul_intentions`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edge.core.consul_filter import metadata_filter
from meshconfig.plan import MeshPlan, PlannedService

Entry = dict[str, Any]


def proxy_defaults(plan: MeshPlan) -> Iterator[Entry]:
    """The mesh's shared defaults, only what was asked for."""
    given = plan.consul
    body: Entry = {}
    if given.mesh_gateway is not None:
        body["MeshGateway"] = {"Mode": given.mesh_gateway}
    if given.access_logs is not None:
        body["AccessLogs"] = {"Enabled": given.access_logs}
    if body:
        yield {"Kind": "proxy-defaults", "Name": "global", **body}


def service_defaults(service: PlannedService) -> Entry:
    """
    The protocol, without which no proxy can tell RPCs apart; and mTLS alone, even where the mesh lets services be permissive.

    Consul's own rate limits are Enterprise: the plan's are left out here.
    """
    return {
        "Kind": "service-defaults",
        "Name": service.consul_name,
        "Protocol": service.protocol,
        "MutualTLSMode": "strict",
    }


def resolver(service: PlannedService) -> Iterator[Entry]:
    """Subsets and failover."""
    body: Entry = {}
    if service.split is not None:
        body["Subsets"] = {
            name: {"Filter": metadata_filter(subset.labels), "OnlyPassing": True}
            for name, subset in sorted(service.split.subsets.items())
        }
    if service.failover is not None:
        body["Failover"] = {"*": {"Datacenters": list(service.failover.datacenters)}}
    if body:
        yield {"Kind": "service-resolver", "Name": service.consul_name, **body}


def splitter(service: PlannedService) -> Iterator[Entry]:
    """Weights, where there are any."""
    subsets = sorted(service.split.subsets.items()) if service.split is not None else []
    splits = [{"Weight": _number(subset.weight), "ServiceSubset": name} for name, subset in subsets if subset.weight]
    if splits:
        yield {"Kind": "service-splitter", "Name": service.consul_name, "Splits": splits}


def router(service: PlannedService) -> Iterator[Entry]:
    """Timeout and retries of every call."""
    destination: Entry = {}
    if service.timeout_s is not None:
        destination["RequestTimeout"] = duration(service.timeout_s)
    if service.retries is not None:
        destination |= {"NumRetries": service.retries.attempts, "RetryOn": list(service.retries.on)}
    if destination:
        route = {"Match": {"HTTP": {"PathPrefix": "/"}}, "Destination": destination}
        yield {"Kind": "service-router", "Name": service.consul_name, "Routes": [route]}


def exported(plan: MeshPlan) -> Iterator[Entry]:
    """One entry for the partition, which others may share: see `items`."""
    services = [
        {"Name": service.consul_name, "Consumers": [{"Peer": peer} for peer in service.export_to]}
        for service in sorted(plan.services, key=lambda service: service.consul_name)
        if service.export_to
    ]
    if services:
        yield {"Kind": "exported-services", "Name": "default", "Services": services}


def jwt_provider_name(plan: MeshPlan, service: PlannedService) -> str:
    """The gateway's name is in it: providers have one namespace in a datacenter."""
    return f"{plan.gateway.caller.service}-{service.key}"


def jwt_provider(plan: MeshPlan, service: PlannedService) -> Iterator[Entry]:
    """Who signs the tokens a service demands. Its proxies fetch the keys themselves, before the first call."""
    given = service.jwt
    if given is None:
        return
    entry: Entry = {
        "Kind": "jwt-provider",
        "Name": jwt_provider_name(plan, service),
        "Issuer": given.issuer,
        "ClockSkewSeconds": 30,
        "JSONWebKeySet": {"Remote": {"URI": given.jwks_uri, "FetchAsynchronously": True}},
        "Locations": [{"Header": {"Name": "Authorization", "ValuePrefix": "Bearer ", "Forward": True}}],
    }
    if given.audiences:
        entry["Audiences"] = sorted(given.audiences)
    yield entry


def duration(seconds: float) -> str:
    """As Go writes it, in the largest unit that leaves a whole number."""
    milliseconds = round(seconds * 1000)
    for size, unit in ((3_600_000, "h0m0s"), (60_000, "m0s"), (1000, "s")):
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"


def _number(weight: float) -> float:
    """A whole one as a whole number, as Consul gives it back."""
    return int(weight) if weight == int(weight) else weight
