"""
What Linkerd's objects let whom do: policies on routes, on Servers, on whole namespaces.

Owns that a policy on a Server or Namespace opens every path of it, whatever routes there are. Source: mesh.md 3.2 to 3.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from meshconfig.consul_access import ANYTHING_ELSE
from meshconfig.grants import ANY_IDENTITY, ANYONE, Grant

Manifest = Mapping[str, Any]
_OPEN = {"all-unauthenticated", "all-authenticated", "cluster-unauthenticated", "cluster-authenticated", "audit"}


def linkerd_servers(manifests: Iterable[Manifest]) -> dict[str, Manifest]:
    """The Servers, as `namespace/name`: what has none is not guarded."""
    return {_id(each): each for each in manifests if each["kind"] == "Server"}


def linkerd_grants(manifests: Iterable[Manifest]) -> Iterator[Grant]:
    """Every allowance of these objects."""
    known = list(manifests)
    servers = linkerd_servers(known)
    for server, manifest in servers.items():
        policy = manifest["spec"].get("accessPolicy", "deny")
        if policy in _OPEN:
            caller = ANY_IDENTITY if policy.endswith("-authenticated") else ANYONE
            yield Grant("linkerd", server, caller, frozenset({ANYTHING_ELSE}), f"Server {server} accessPolicy {policy}")
    for policy in known:
        if policy["kind"] != "AuthorizationPolicy" or "targetRef" not in policy["spec"]:
            continue
        callers = list(_callers(policy, known))
        for server, paths, on in _targets(policy, known, servers):
            for caller in callers:
                yield Grant("linkerd", server, caller, paths, f"AuthorizationPolicy {_id(policy)} on {on}")


def _targets(
    policy: Manifest, known: list[Manifest], servers: Mapping[str, Manifest]
) -> Iterator[tuple[str, frozenset[str], str]]:
    target, namespace = policy["spec"]["targetRef"], _namespace(policy)
    name = f"{namespace}/{target['name']}"
    everything = frozenset({ANYTHING_ELSE})
    if target["kind"] == "Server" and name in servers:
        yield name, everything, f"Server {name}"
    elif target["kind"] == "Namespace":
        for server in servers:
            if server.startswith(f"{target['name']}/"):
                yield server, everything, f"Namespace {target['name']}"
    for route in known:
        if route["kind"] == target["kind"] and route["kind"].endswith("Route") and _id(route) == name:
            for parent in route["spec"].get("parentRefs") or ():
                if parent.get("kind") == "Server":
                    yield f"{namespace}/{parent['name']}", frozenset(_paths(route)), f"{route['kind']} {name}"


def _paths(route: Manifest) -> Iterator[str]:
    for rule in route["spec"].get("rules") or ():
        matches = rule.get("matches")
        if not matches:
            yield ANYTHING_ELSE
        for match in matches or ():
            method, path = match.get("method"), match.get("path")
            if isinstance(method, Mapping):
                service, name = method.get("service"), method.get("method")
                yield f"/{service}/{name}" if service and name else ANYTHING_ELSE
            elif path and path.get("type") == "Exact":
                yield path["value"]
            else:
                yield ANYTHING_ELSE


def _callers(policy: Manifest, known: list[Manifest]) -> Iterator[str]:
    references = policy["spec"].get("requiredAuthenticationRefs") or ()
    kinds = {reference["kind"] for reference in references}
    if not kinds or kinds == {"NetworkAuthentication"}:
        yield ANYONE
    for reference in references:
        namespace = reference.get("namespace") or _namespace(policy)
        if reference["kind"] == "ServiceAccount":
            yield f"{namespace}/{reference['name']}"
        wanted = ("MeshTLSAuthentication", f"{namespace}/{reference['name']}")
        for authentication in known if reference["kind"] == wanted[0] else ():
            if (authentication["kind"], _id(authentication)) == wanted:
                yield from _identities(authentication)


def _identities(authentication: Manifest) -> Iterator[str]:
    for identity in authentication["spec"].get("identities") or ():
        account, _, rest = str(identity).partition(".")
        yield ANY_IDENTITY if identity == "*" else f"{rest.partition('.')[0]}/{account}"
    for reference in authentication["spec"].get("identityRefs") or ():
        namespace = reference.get("namespace") or _namespace(authentication)
        yield f"{reference['name']}/*" if reference["kind"] == "Namespace" else f"{namespace}/{reference['name']}"


def _namespace(manifest: Manifest) -> str:
    return str(manifest["metadata"].get("namespace") or "default")


def _id(manifest: Manifest) -> str:
    return f"{_namespace(manifest)}/{manifest['metadata']['name']}"
