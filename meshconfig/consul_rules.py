"""
What Consul refuses about one config entry, in Consul's own words.

Owns the rules that need no other entry; `consul_graph` has those that do. Only the fields we write are looked at.
Source: consul v1.16.2 agent/structs/config_entry*.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from meshconfig.items import Entry

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE"}
_RETRY_ON = {
    "5xx", "gateway-error", "reset", "connect-failure", "envoy-ratelimited", "retriable-4xx", "refused-stream", "cancelled",
    "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
}  # fmt: skip
_PATHS = ("PathExact", "PathPrefix", "PathRegex")
_MAX_META, _MAX_META_KEY, _MAX_META_VALUE = 64, 128, 512


def refused(entry: Entry) -> Iterator[str]:
    """Every reason Consul has, none when it takes the entry."""
    meta = entry.get("Meta") or {}
    if len(meta) > _MAX_META:
        yield f"Meta exceeds maximum element count {_MAX_META}"
    for key, value in meta.items():
        if len(key) > _MAX_META_KEY:
            yield f'Meta key "{key}" exceeds maximum length {_MAX_META_KEY}'
        if len(value) > _MAX_META_VALUE:
            yield f'Meta value for key "{key}" exceeds maximum length {_MAX_META_VALUE}'
    if rule := _RULES.get(entry["Kind"]):
        yield from rule(entry)


def _proxy_defaults(entry: Entry) -> Iterator[str]:
    if entry["Name"] != "global":
        yield f'invalid name ("{entry["Name"]}"), only "global" is supported'


def _intentions(entry: Entry) -> Iterator[str]:
    sources = entry.get("Sources") or ()
    if not sources:
        yield "At least one source is required"
    seen: set[str] = set()
    for at, source in enumerate(sources):
        name = source.get("Name") or ""
        where = f"Sources[{at}]"
        if not name:
            yield f"{where}.Name is required"
        elif "*" in name and name != "*":
            yield f"{where}.Name: wildcard character '*' cannot be used with partial values"
        permissions = source.get("Permissions") or ()
        if not permissions and source.get("Action") not in {"allow", "deny"}:
            yield f"{where}.Action must be set to 'allow' or 'deny'"
        if permissions and source.get("Action"):
            yield f"{where}.Action must be omitted if Permissions are specified"
        if permissions and entry["Name"] == "*":
            yield f"{where}.Permissions cannot be specified on intentions with wildcarded destinations"
        if len(source.get("Description") or "") > _MAX_META_VALUE:
            yield f"{where}.Description exceeds maximum length {_MAX_META_VALUE}"
        for number, permission in enumerate(permissions):
            yield from _permission(permission, f"{where}.Permissions[{number}]")
        if source.get("Peer"):
            continue  # another service, of another mesh
        if name in seen:
            yield f'{where} defines "{name}" more than once'
        seen.add(name)


def _permission(permission: Mapping[str, Any], where: str) -> Iterator[str]:
    if permission.get("Action") not in {"allow", "deny"}:
        yield f"{where}.Action must be set to 'allow' or 'deny'"
    http = permission.get("HTTP")
    if http is None:
        yield f"{where}.HTTP is required"
        return
    for kind in ("PathExact", "PathPrefix"):
        if http.get(kind) and not http[kind].startswith("/"):
            yield f"{where}.HTTP.{kind} doesn't start with '/': \"{http[kind]}\""
    if sum(bool(http.get(kind)) for kind in _PATHS) > 1:
        yield f"{where}.HTTP should only contain at most one of PathExact, PathPrefix, or PathRegex"
    methods = [method.upper() for method in http.get("Methods") or ()]
    for at, method in enumerate(methods):
        if method not in _METHODS:
            yield f'{where}.HTTP.Methods contains an invalid method "{method}"'
        elif method in methods[:at]:
            yield f'{where}.HTTP.Methods contains "{method}" more than once'
    if not any(http.values()):
        yield f"{where}.HTTP should not be empty"


def _splitter(entry: Entry) -> Iterator[str]:
    splits = entry.get("Splits") or ()
    if not splits:
        yield "no splits configured"
        return
    total = sum(round(float(split.get("Weight") or 0) * 100) for split in splits)
    if total != 100 * 100:
        yield f"the sum of all split weights must be 100, not {total / 100:f}"


def _resolver(entry: Entry) -> Iterator[str]:
    subsets = entry.get("Subsets") or {}
    default = entry.get("DefaultSubset")
    if default and default not in subsets:
        yield f'DefaultSubset "{default}" is not a valid subset'
    if entry.get("Redirect") and entry.get("Failover"):
        yield "Redirect and Failover cannot both be set"
    for subset, failover in (entry.get("Failover") or {}).items():
        if subset != "*" and subset not in subsets:
            yield f'Bad Failover["{subset}"]: not a valid subset subset'
        if not any(failover.values()):
            needed = "one of Service, ServiceSubset, Namespace, Targets, SamenessGroup, or Datacenters is required"
            yield f'Bad Failover["{subset}"]: {needed}'


def _router(entry: Entry) -> Iterator[str]:
    for at, route in enumerate(entry.get("Routes") or ()):
        http = (route.get("Match") or {}).get("HTTP") or {}
        destination = route.get("Destination") or {}
        if sum(bool(http.get(kind)) for kind in _PATHS) > 1:
            yield f"Route[{at}] should only contain at most one of PathExact, PathPrefix, or PathRegex"
        if destination.get("PrefixRewrite") and not (http.get("PathExact") or http.get("PathPrefix")):
            yield f"Route[{at}] cannot make use of PrefixRewrite without configuring either PathExact or PathPrefix"
        for condition in destination.get("RetryOn") or ():
            if condition not in _RETRY_ON:
                yield f'Route[{at}] contains an invalid retry condition: "{condition}"'


def _exported(entry: Entry) -> Iterator[str]:
    if entry["Name"] != "default":
        yield 'exported-services Name must be "default"'
    for at, service in enumerate(entry.get("Services") or ()):
        if not service.get("Name"):
            yield f"Services[{at}]: service name cannot be empty"
        if not service.get("Consumers"):
            yield f"Services[{at}]: must have at least one consumer"
        for number, consumer in enumerate(service.get("Consumers") or ()):
            if "*" in consumer.values():
                kind = "peers" if consumer.get("Peer") == "*" else "partitions"
                yield f"Services[{at}].Consumers[{number}]: exporting to all {kind} (wildcard) is not supported"


def _jwt_provider(entry: Entry) -> Iterator[str]:
    keys = entry.get("JSONWebKeySet")
    if not keys:
        yield "JSONWebKeySet is required"
        return
    if bool(keys.get("Local")) == bool(keys.get("Remote")):
        yield "must specify exactly one of Local or Remote JSON Web key set"
    elif keys.get("Remote") and not keys["Remote"].get("URI"):
        yield "Remote JWKS URI is required"


_RULES: Mapping[str, Callable[[Entry], Iterator[str]]] = {
    "proxy-defaults": _proxy_defaults,
    "service-intentions": _intentions,
    "service-splitter": _splitter,
    "service-resolver": _resolver,
    "service-router": _router,
    "exported-services": _exported,
    "jwt-provider": _jwt_provider,
}
