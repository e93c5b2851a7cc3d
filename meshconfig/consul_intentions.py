"""
Consul's entries about who may call: service-intentions, one a service.

Owns that an allowance becomes exactly its RPCs, each by its whole path and POST, and that every list ends in an explicit deny: what it
does not name falls to the default policy otherwise, which need not be deny. On `tcp` Consul takes permissions for a deny, so there a
caller is allowed as a whole. Source: mesh.md 4.1; consul#10536, #10753.
"""

from __future__ import annotations

from typing import Any

from meshconfig.consul_traffic import jwt_provider_name
from meshconfig.ownership import description, owner_of
from meshconfig.plan import Allowance, MeshPlan, PlannedService

Source = dict[str, Any]
EVERYTHING: dict[str, Any] = {"Action": "deny", "HTTP": {"PathPrefix": "/"}}


def intentions(plan: MeshPlan, service: PlannedService, *, audit: bool = False) -> dict[str, Any]:
    """
    The whole entry of one service; `audit` leaves every explicit deny out, for Consul has no mode that only reports.

    A service nobody may call has a lone deny: an entry without sources is refused, and no entry would leave it to the default.
    """
    sources = [_source(plan, service, allowance, audit=audit) for allowance in plan.callers_of(service.key)]
    sources.sort(key=lambda source: str(source["Name"]))
    if not audit and (plan.default_allow or not sources):
        sources.append({"Name": "*", "Action": "deny"})
    return {
        "Kind": "service-intentions",
        "Name": service.consul_name,
        "Sources": [{**source, "Description": description(owner_of(plan), source)} for source in sources],
    }


def _source(plan: MeshPlan, service: PlannedService, allowance: Allowance, *, audit: bool) -> Source:
    name = allowance.caller.service
    if not service.by_rpc:
        return {"Name": name, "Action": "allow"}
    permissions = [_permission(plan, service, rpc.path) for rpc in allowance.rpcs]
    return {"Name": name, "Permissions": permissions if audit else [*permissions, EVERYTHING]}


def _permission(plan: MeshPlan, service: PlannedService, path: str) -> dict[str, Any]:
    permission: dict[str, Any] = {"Action": "allow", "HTTP": {"PathExact": path, "Methods": ["POST"]}}
    if service.jwt is not None:
        permission["JWT"] = {"Providers": [{"Name": jwt_provider_name(plan, service)}]}
    return permission
