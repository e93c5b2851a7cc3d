"""
Gateway API's own rules for routes, Gateways and grants, at version 1.2.1.

Owns the fields that version knows, and its CEL rules for what edge can write; an API server that has newer definitions takes newer fields,
and Linkerd then ignores the whole route. Source: the CRDs' x-kubernetes-validations at v1.2.1, whose messages these are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from meshconfig.document import Document

_RULES, _GRPC_MATCHES, _HTTP_MATCHES, _ALL_MATCHES, _TEXT = 16, 8, 64, 128, 1024
_SERVICE = re.compile(r"\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*", re.ASCII | re.IGNORECASE)
_METHOD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*", re.ASCII)
_PATH = re.compile(r"(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+", re.ASCII)
_PATH_NEVER = ("//", "/./", "/../", "%2f", "%2F", "#")
_PATH_END = ("/..", "/.")
_DURATION = re.compile(r"([0-9]{1,5}(h|m|s|ms)){1,4}", re.ASCII)

_PARENT = {"group", "kind", "namespace", "name", "sectionName", "port"}
_BACKEND = {"group", "kind", "name", "namespace", "port", "weight", "filters"}
_FIELDS: Mapping[str, Mapping[str, set[str]]] = {
    "GRPCRoute": {
        "spec": {"parentRefs", "hostnames", "rules"},
        "parentRefs": _PARENT,
        "rules": {"matches", "filters", "backendRefs"},
        "matches": {"method", "headers"},
        "backendRefs": _BACKEND,
    },
    "HTTPRoute": {
        "spec": {"parentRefs", "hostnames", "rules"},
        "parentRefs": _PARENT,
        "rules": {"matches", "filters", "backendRefs", "timeouts"},
        "matches": {"path", "headers", "queryParams", "method"},
        "backendRefs": _BACKEND,
    },
}
"""What the standard channel of 1.2.1 knows, by the field that holds it."""

Spec = Mapping[str, Any]


def ignored_fields(document: Document) -> Iterator[str]:
    """Fields of a route that 1.2.1 does not know."""
    known, spec = _FIELDS[document.kind], document.body.get("spec") or {}
    yield from (f"spec.{field}" for field in sorted(set(spec) - known["spec"]))
    for parent in spec.get("parentRefs") or ():
        yield from (f"spec.parentRefs.{field}" for field in sorted(set(parent) - known["parentRefs"]))
    for rule in spec.get("rules") or ():
        yield from (f"spec.rules.{field}" for field in sorted(set(rule) - known["rules"]))
        for name in ("matches", "backendRefs"):
            for each in rule.get(name) or ():
                yield from (f"spec.rules.{name}.{field}" for field in sorted(set(each) - known[name]))


def refusals(document: Document) -> Iterator[str]:
    """Why an API server with these definitions would refuse it."""
    spec: Spec = document.body.get("spec") or {}
    if not str(document.body.get("apiVersion", "")).startswith("gateway.networking.k8s.io/"):
        return
    if document.kind in _FIELDS:
        if document.target == "gateway-api":
            yield from (f'unknown field "{field}"' for field in ignored_fields(document))
        yield from _route(document.kind, spec)
    elif document.kind == "Gateway":
        yield from _gateway(spec)


def _route(kind: str, spec: Spec) -> Iterator[str]:
    rules = spec.get("rules") or ()
    if len(rules) > _RULES:
        yield f"spec.rules: Too many: {len(rules)}: must have at most {_RULES} items"
    sizes = [len(rule.get("matches") or ()) for rule in rules]
    most = _GRPC_MATCHES if kind == "GRPCRoute" else _HTTP_MATCHES
    yield from (
        f"spec.rules.matches: Too many: {size}: must have at most {most} items" for size in sizes if size > most
    )
    if sum(sizes[:_RULES]) > _ALL_MATCHES:
        yield (
            "While 16 rules and 64 matches per rule are allowed, the total number of matches across all rules in a route "
            "must be less than 128"
        )
    for rule in rules:
        for match in rule.get("matches") or ():
            yield from _grpc_match(match) if kind == "GRPCRoute" else _http_match(match)
        yield from _timeouts(rule.get("timeouts") or {})
        for backend in rule.get("backendRefs") or ():
            if not backend.get("group") and backend.get("kind", "Service") == "Service" and "port" not in backend:
                yield "Must have port for Service reference"


def _grpc_match(match: Spec) -> Iterator[str]:
    method = match.get("method")
    if method is None:
        return
    if "service" not in method and "method" not in method:
        yield "One or both of 'service' or 'method' must be specified"
    if method.get("type", "Exact") != "Exact":
        return
    if "service" in method and not _SERVICE.fullmatch(method["service"]):
        yield r"service must only contain valid characters (matching ^(?i)\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*$)"
    if "method" in method and not _METHOD.fullmatch(method["method"]):
        yield "method must only contain valid characters (matching ^[A-Za-z_][A-Za-z_0-9]*$)"
    for name in ("service", "method"):
        if len(method.get(name, "")) > _TEXT:
            yield f"spec.rules.matches.method.{name}: Too long: may not be more than {_TEXT} bytes"


def _http_match(match: Spec) -> Iterator[str]:
    path = match.get("path") or {}
    value, kind = path.get("value", "/"), path.get("type", "PathPrefix")
    if kind == "RegularExpression":
        return
    of = "when type one of ['Exact', 'PathPrefix']"
    if not value.startswith("/"):
        yield f"value must be an absolute path and start with '/' {of}"
    yield from (f"must not contain '{part}' {of}" for part in _PATH_NEVER if part in value)
    yield from (f"must not end with '{part}' {of}" for part in _PATH_END if value.endswith(part))
    if not _PATH.fullmatch(value):
        pattern = "^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$"
        yield f"must only contain valid characters (matching {pattern}) for types ['Exact', 'PathPrefix']"
    if len(value) > _TEXT:
        yield f"spec.rules.matches.path.value: Too long: may not be more than {_TEXT} bytes"


def _timeouts(timeouts: Spec) -> Iterator[str]:
    for name, value in timeouts.items():
        if not _DURATION.fullmatch(str(value)):
            yield f"spec.rules.timeouts.{name}: should match '^([0-9]{{1,5}}(h|m|s|ms)){{1,4}}$'"


def _gateway(spec: Spec) -> Iterator[str]:
    listeners = spec.get("listeners") or ()
    if any(count > 1 for count in Counter(each["name"] for each in listeners).values()):
        yield "Listener name must be unique within the Gateway"
    places = Counter((each["port"], each["protocol"], each.get("hostname")) for each in listeners)
    if any(count > 1 for count in places.values()):
        yield "Combination of port, protocol and hostname must be unique for each listener"
    for each in listeners:
        tls = each.get("tls")
        if each["protocol"] in {"HTTP", "TCP", "UDP"} and tls is not None:
            yield "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']"
        if each["protocol"] == "HTTPS" and tls is not None and tls.get("mode", "Terminate") != "Terminate":
            yield "tls mode must be Terminate for protocol HTTPS"
        terminates = tls is not None and tls.get("mode", "Terminate") == "Terminate"
        if terminates and not tls.get("certificateRefs") and not tls.get("options"):
            yield "certificateRefs or options must be specified when mode is Terminate"
        if each["protocol"] in {"TCP", "UDP"} and each.get("hostname"):
            yield "hostname must not be specified for protocols ['TCP', 'UDP']"
