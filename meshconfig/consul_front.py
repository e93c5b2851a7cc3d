"""
Consul's own API gateway in front of the edge gateway: a listener, a route to the gateway, and leave to call it.

Owns that the front reaches the gateway and nothing behind it: it is a caller of the gateway, never of a service.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshconfig.ownership import description, owner_of
from meshconfig.plan import MeshPlan

_LISTENER = "edge"


def front(plan: MeshPlan, *, audit: bool = False) -> Iterator[dict[str, Any]]:
    """The entries, none when no front is asked for."""
    given, gateway = plan.consul.front, plan.gateway.caller.service
    if given is None:
        return
    listener: dict[str, Any] = {"Name": _LISTENER, "Port": given.port, "Protocol": "http"}
    if given.certificate is not None:
        listener["TLS"] = {"Certificates": [{"Kind": given.certificate_kind, "Name": given.certificate}]}
    yield {"Kind": "service-defaults", "Name": gateway, "Protocol": "http", "MutualTLSMode": "strict"}
    sources: list[dict[str, Any]] = [{"Name": given.name, "Action": "allow"}]
    if plan.default_allow and not audit:
        sources.append({"Name": "*", "Action": "deny"})
    yield {
        "Kind": "service-intentions",
        "Name": gateway,
        "Sources": [{**source, "Description": description(owner_of(plan), source)} for source in sources],
    }
    yield {"Kind": "api-gateway", "Name": given.name, "Listeners": [listener]}
    route: dict[str, Any] = {
        "Kind": "http-route",
        "Name": gateway,
        "Parents": [{"Kind": "api-gateway", "Name": given.name, "SectionName": _LISTENER}],
        "Rules": [
            {"Matches": [{"Path": {"Match": "prefix", "Value": "/"}}], "Services": [{"Name": gateway, "Weight": 1}]}
        ],
    }
    if given.hostnames:
        route["Hostnames"] = sorted(given.hostnames)
    yield route
