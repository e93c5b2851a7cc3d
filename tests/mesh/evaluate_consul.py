"""
Who may call what, by Consul's config entries. Written from Consul's semantics, not from the renderer.

The first source that matches decides (an exact name before `*`), then its permissions in order; what none matches falls to the default
policy. On a service whose protocol is tcp, permissions are a deny. Source: mesh.md 2.6, 4.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tests.mesh.question import Call

Entry = Mapping[str, Any]


def allows(entries: Iterable[Entry], call: Call, *, default: bool = False) -> bool:
    """Whether the callee's proxy lets the call through."""
    if call.caller is None:
        return False  # a sidecar's public listener takes only mutual TLS
    known = list(entries)
    intention = _entry(known, "service-intentions", call.callee.consul)
    protocol = str((_entry(known, "service-defaults", call.callee.consul) or {}).get("Protocol", "tcp"))
    sources = sorted((intention or {}).get("Sources") or (), key=lambda source: bool(source["Name"] == "*"))
    for source in sources:
        if source["Name"] in {call.caller.service, "*"}:
            return _source(known, source, call, protocol, default=default)
    return default


def _source(entries: list[Entry], source: Entry, call: Call, protocol: str, *, default: bool) -> bool:
    if "Permissions" not in source:
        return bool(source["Action"] == "allow")
    if protocol not in {"http", "http2", "grpc"}:
        return False
    for permission in source["Permissions"]:
        if _http(permission["HTTP"], call) and _token(entries, permission.get("JWT"), call):
            return bool(permission["Action"] == "allow")
    return default


def _http(http: Entry, call: Call) -> bool:
    if http.get("Methods") and call.method not in http["Methods"]:
        return False
    if "PathExact" in http:
        return bool(call.path == http["PathExact"])
    if "PathPrefix" in http:
        return call.path.startswith(http["PathPrefix"])
    return re.fullmatch(http["PathRegex"], call.path) is not None if "PathRegex" in http else True


def _token(entries: list[Entry], jwt: Entry | None, call: Call) -> bool:
    if jwt is None:
        return True
    providers = [_entry(entries, "jwt-provider", each["Name"]) for each in jwt["Providers"]]
    return any(provider is not None and provider["Issuer"] == call.issuer for provider in providers)


def _entry(entries: list[Entry], kind: str, name: str) -> Entry | None:
    return next((entry for entry in entries if (entry["Kind"], entry["Name"]) == (kind, name)), None)
