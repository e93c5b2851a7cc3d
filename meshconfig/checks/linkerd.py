"""
Linkerd's admission rules, and what it takes and ignores.

Owns their messages, which are the policy controller's own. Since 2026-04 it admits routes it cannot read and ignores them, so that for
those this is the only warning. Source: linkerd2 policy-controller/runtime/src/admission.rs, validation.rs; mesh.md 3.4.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from meshconfig.checks.gateway_api import ignored_fields
from meshconfig.document import Document

_DNS_NAME = re.compile(r"(\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?)(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", re.ASCII)
_TRUST_DOMAIN = re.compile(r"[a-z0-9._-]+", re.ASCII)
_SEGMENT = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
_DURATION = re.compile(r"\d+(ms|s|m|h|d)", re.ASCII)
_HTTP_RETRY = re.compile(r"\d{3}(-\d{3})?|5xx|gateway-error", re.ASCII)
_GRPC_RETRY = {"cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"}
_ACCESS = {
    "all-unauthenticated", "all-authenticated", "cluster-unauthenticated", "cluster-authenticated", "deny", "audit",
}  # fmt: skip
_PROTOCOLS = {"unknown", "HTTP/1", "HTTP/2", "gRPC", "opaque", "TLS"}
_TARGETS = {
    ("policy.linkerd.io", "Server"), ("policy.linkerd.io", "HTTPRoute"),
    ("gateway.networking.k8s.io", "HTTPRoute"), ("gateway.networking.k8s.io", "GRPCRoute"), ("", "Namespace"),
}  # fmt: skip
_OUTBOUND_FILTERS = {"RequestMirror", "URLRewrite", "ExtensionRef"}

Spec = Mapping[str, Any]


def refusals(document: Document) -> Iterator[str]:
    """Why the policy controller would refuse it, or ignore it."""
    if document.target != "linkerd":
        return
    spec: Spec = document.body.get("spec") or {}
    match document.kind:
        case "AuthorizationPolicy":
            yield from _authorization(document, spec)
        case "MeshTLSAuthentication":
            yield from _mesh_tls(spec)
        case "NetworkAuthentication":
            yield from _network(spec)
        case "Server":
            yield from _server(spec)
        case "HTTPLocalRateLimitPolicy":
            yield from _rate_limit(spec)
        case "GRPCRoute" | "HTTPRoute":
            yield from _route(document, spec)


def overlaps(documents: Iterable[Document]) -> Iterator[tuple[Document, str]]:
    """Two Servers of the same pods and port: the second is refused."""
    seen: list[Document] = []
    for document in documents:
        if document.kind != "Server":
            continue
        spec = document.body["spec"]
        for other in seen:
            theirs = other.body["spec"]
            if other.namespace == document.namespace and theirs["port"] == spec["port"] and _both(theirs, spec):
                where = f"{other.namespace}/{other.name}"
                message = f"Server spec '{where}' already defines a policy for port {spec['port']}"
                yield document, f"{message}, and selects pods that would be selected by this Server"
        seen.append(document)


def _both(one: Spec, other: Spec) -> bool:
    left, right = one.get("podSelector"), other.get("podSelector")
    return left == right or not left or not right or not left.get("matchLabels") or not right.get("matchLabels")


def _authorization(document: Document, spec: Spec) -> Iterator[str]:
    target = spec["targetRef"]
    kind = (target.get("group", ""), target["kind"])
    if kind not in _TARGETS:
        yield f"unsupported authorization target type: {_canonical(*kind)}"
    elif kind[1] == "Namespace" and target["name"] != document.namespace:
        yield f"cannot target another namespace: {target['name']}"
    kinds = [(ref.get("group", ""), ref["kind"]) for ref in spec["requiredAuthenticationRefs"]]
    mesh = kinds.count(("policy.linkerd.io", "MeshTLSAuthentication"))
    accounts = kinds.count(("", "ServiceAccount"))
    networks = kinds.count(("policy.linkerd.io", "NetworkAuthentication"))
    if mesh > 1:
        yield "only a single MeshTLSAuthentication may be set"
    elif accounts > 1:
        yield "only a single ServiceAccount may be set"
    elif mesh + accounts > 1:
        yield "a MeshTLSAuthentication and ServiceAccount may not be set together"
    elif networks > 1:
        yield "only a single NetworkAuthentication may be set"
    elif mesh + accounts + networks < len(kinds):
        known = {("policy.linkerd.io", "MeshTLSAuthentication"), ("policy.linkerd.io", "NetworkAuthentication")}
        others = [_canonical(*each) for each in kinds if each not in {*known, ("", "ServiceAccount")}]
        yield f"unsupported authentication kind(s): {', '.join(others)}"


def _canonical(group: str, kind: str) -> str:
    return f"{kind}.{group}" if group else kind


def _mesh_tls(spec: Spec) -> Iterator[str]:
    for identity in spec.get("identities") or ():
        if reason := _identity(identity):
            yield f"id {identity} is invalid: {reason}"
    for ref in spec.get("identityRefs") or ():
        if (ref.get("group", ""), ref["kind"]) == ("", "Namespace"):
            if ref.get("namespace"):
                yield "Namespace identity_ref is cluster-scoped and cannot have a namespace"
        elif (ref.get("group", ""), ref["kind"]) != ("", "ServiceAccount"):
            yield f"invalid identity target kind: {_canonical(ref.get('group', ''), ref['kind'])}"


def _identity(identity: str) -> str:
    if identity.startswith("spiffe://"):
        domain, *path = identity.removeprefix("spiffe://").split("/")
        fine = _TRUST_DOMAIN.fullmatch(domain) and path
        return (
            ""
            if fine and all(_SEGMENT.fullmatch(part) and part not in {".", ".."} for part in path)
            else "no SPIFFE ID"
        )
    return "" if identity == "*" or _DNS_NAME.fullmatch(identity) else "no DNS-like identity"


def _network(spec: Spec) -> Iterator[str]:
    if not spec["networks"]:
        yield "at least one network must be specified"
    for network in spec["networks"]:
        cidr = ipaddress.ip_network(network["cidr"], strict=False)
        for text in network.get("except") or ():
            hole = ipaddress.ip_network(text, strict=False)
            if hole.version != cidr.version or not _inside(hole, cidr):
                covered = hole.version == cidr.version and _inside(cidr, hole)
                what = "is completely negated by" if covered else "does not include"
                yield f"cidr '{cidr}' {what} exception '{hole}'"
            elif hole == cidr:
                yield f"cidr '{cidr}' is completely negated by exception '{hole}'"


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _inside(inner: Network, outer: Network) -> bool:
    return inner.network_address in outer and inner.broadcast_address in outer


def _server(spec: Spec) -> Iterator[str]:
    if spec.get("accessPolicy", "deny") not in _ACCESS:
        yield f"Invalid 'accessPolicy' field: invalid default policy: {spec['accessPolicy']}"
    if spec.get("proxyProtocol", "unknown") not in _PROTOCOLS:
        yield f"unknown variant `{spec['proxyProtocol']}`, expected one of {', '.join(sorted(_PROTOCOLS))}"


def _rate_limit(spec: Spec) -> Iterator[str]:
    target = spec["targetRef"]
    if (target.get("group", ""), target["kind"]) != ("policy.linkerd.io", "Server"):
        yield f"invalid targetRef kind: {_canonical(target.get('group', ''), target['kind'])}"
    total = (spec.get("total") or {}).get("requestsPerSecond")
    if total == 0:
        yield "total.requestsPerSecond must be greater than 0"
    limits: Sequence[tuple[str, Spec]] = [
        *([("identity", spec["identity"])] if spec.get("identity") else []),
        *(("override", each) for each in spec.get("overrides") or ()),
    ]
    for name, limit in limits:
        rate = limit["requestsPerSecond"]
        if total is not None and rate > total:
            yield f"{name}.requestsPerSecond must be less than or equal to total.requestsPerSecond"
        if rate == 0:
            yield f"{name}.requestsPerSecond must be greater than 0"
        if any((ref.get("group", ""), ref["kind"]) != ("", "ServiceAccount") for ref in limit.get("clientRefs") or ()):
            yield "overrides.clientRefs must target a ServiceAccount"


def _route(document: Document, spec: Spec) -> Iterator[str]:
    for field in ignored_fields(document):
        yield f"{field}: unknown field or value; Linkerd ignores the resource"
    parents = spec.get("parentRefs") or ()
    outbound = any(parent.get("kind") == "Service" for parent in parents)
    if outbound:
        yield from _annotations(document)
    for rule in spec.get("rules") or ():
        for match in rule.get("matches") or ():
            if (
                (match.get("method") or {})
                and document.kind == "GRPCRoute"
                and match["method"].get("type") == "RegularExpression"
            ):
                yield "regular expression gRPC method match is not supported; Linkerd ignores the resource"
        for each in rule.get("filters") or ():
            if outbound and each["type"] in _OUTBOUND_FILTERS:
                yield f"{each['type']} filter is not supported"
        for backend in rule.get("backendRefs") or ():
            service = backend.get("group", "") in {"", "core"} and backend.get("kind", "Service") == "Service"
            if service and not backend.get("port"):
                yield "invalid backendRef: cannot reference a Service without a port"


def _annotations(document: Document) -> Iterator[str]:
    given: Mapping[str, str] = document.body["metadata"].get("annotations") or {}
    for key, value in given.items():
        name = key.rpartition("/")[2]
        if key.startswith("timeout.linkerd.io/") or key == "retry.linkerd.io/timeout":
            if not _DURATION.fullmatch(value):
                yield f"invalid duration in {key}: {value}"
        elif key == "retry.linkerd.io/limit":
            if not value.isascii() or not value.isdecimal():
                yield f"invalid digit found in {key}: {value}"
        elif key == f"retry.linkerd.io/{name}" and name in {"grpc", "http"}:
            for part in value.split(","):
                known = part.lower() in _GRPC_RETRY if name == "grpc" else bool(_HTTP_RETRY.fullmatch(part))
                if not known:
                    yield f"invalid {name} retry condition: {part}"
