"""
What others have put into Consul that opens more than the plan does.

Owns these warnings. We change none of it: it is somebody's. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from meshconfig.items import Item, Key
from meshconfig.plan import MeshPlan


def widened(state: Mapping[Key, Item], plan: MeshPlan, owner: str) -> tuple[str, ...]:
    """A sentence for each foreign entry that lets in whom the plan does not, sorted."""
    ours = {service.consul_name: service for service in plan.services}
    found: list[str] = []
    for key, item in state.items():
        if item.owner == owner:
            continue
        if key.kind == "service-intentions" and (key.name in ours or key.name == "*"):
            found += _intention(key, item)
        elif key.kind == "service-defaults" and key.name in ours:
            found += _defaults(key, item, by_rpc=ours[key.name].by_rpc)
    found += _mesh(state)
    found += _default_policy(plan)
    return tuple(sorted(found))


def _intention(key: Key, item: Item) -> Iterator[str]:
    permissions = item.raw.get("Permissions") or ()
    allows = item.raw.get("Action") == "allow" or any(each.get("Action") == "allow" for each in permissions)
    if not allows:
        return
    who = "any service" if key.part == "*" else key.part
    where = "every service" if key.name == "*" else key.name
    what = "call some of" if permissions else "call all of"
    yield f"{key}: not ours, lets {who} {what} {where}"


def _defaults(key: Key, item: Item, *, by_rpc: bool) -> Iterator[str]:
    if by_rpc and str(item.body.get("Protocol") or "tcp") == "tcp":
        yield f"{key}: not ours, says tcp, on which Consul takes every permission for a deny"
    if item.body.get("MutualTLSMode") == "permissive":
        yield f"{key}: not ours, lets calls without mTLS in, which no intention sees"


def _mesh(state: Mapping[Key, Item]) -> Iterator[str]:
    for key, item in state.items():
        if key.kind == "proxy-defaults" and item.body.get("MutualTLSMode") == "permissive":
            yield f"{key}: lets calls without mTLS in, which no intention sees, where a service does not say strict"
        if key.kind == "mesh" and item.body.get("AllowEnablingPermissiveMutualTLS"):
            yield f"{key}: lets services be made permissive, that is, open to calls without mTLS"


def _default_policy(plan: MeshPlan) -> Iterator[str]:
    if plan.default_allow:
        yield "Consul's default policy is allow (mesh.default_allow): services without intentions are open to all"
