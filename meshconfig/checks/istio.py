"""
Istio's CEL rules for what edge can write, and what it takes for something else than is meant.

Owns their messages, which are the CRDs' own; what Istio would read differently (a star, a service name among HTTP methods) is said in ours.
Source: istio/api customresourcedefinitions.gen.yaml; mesh.md 4.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from meshconfig.document import Document

_MOST_RULES = 512
_DURATION = re.compile(r"([0-9]+(\.[0-9]+)?(h|m|s|ms|us|ns))+", re.ASCII)
_ZERO = re.compile(r"(0+(\.0+)?(h|m|s|ms)|[0-9.]+(us|ns))+", re.ASCII)
_URL = re.compile(r"https?://", re.IGNORECASE)
_METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}

Spec = Mapping[str, Any]


def refusals(document: Document) -> Iterator[str]:
    """Why Istio would refuse it, or not mean what is meant."""
    if ".istio.io/" not in str(document.body.get("apiVersion", "")):
        return
    spec: Spec = document.body.get("spec") or {}
    yield from _labels((spec.get("selector") or {}).get("matchLabels") or {})
    match document.kind:
        case "AuthorizationPolicy":
            yield from _authorization(spec)
        case "PeerAuthentication":
            yield from _peer(spec)
        case "RequestAuthentication":
            yield from _request(spec)
        case "DestinationRule":
            for subset in spec.get("subsets") or ():
                yield from _labels(subset.get("labels") or {})
        case "VirtualService":
            yield from _virtual(spec)


def _labels(labels: Mapping[str, str]) -> Iterator[str]:
    for key, value in labels.items():
        if "*" in key:
            yield "wildcard not allowed in label key match"
        if not key:
            yield "key must not be empty"
        if "*" in value:
            yield "wildcard not allowed in label value match"


def _authorization(spec: Spec) -> Iterator[str]:
    if sum(name in spec for name in ("selector", "targetRef", "targetRefs")) > 1:
        yield "only one of targetRefs or selector can be set"
    rules = spec.get("rules") or ()
    if len(rules) > _MOST_RULES:
        yield f"spec.rules: Too many: {len(rules)}: must have at most {_MOST_RULES} items"
    for rule in rules:
        for each in rule.get("from") or ():
            source = each["source"]
            accounts = {"serviceAccounts", "notServiceAccounts"} & set(source)
            if accounts and {"principals", "notPrincipals", "namespaces", "notNamespaces"} & set(source):
                yield "Cannot set serviceAccounts with namespaces or principals"
            for principal in source.get("principals") or ():
                if principal.startswith("spiffe://"):
                    yield f"{principal}: a principal is written without spiffe://"
                if "*" in principal:
                    yield f"{principal}: a star lets in more than one caller"
        for each in rule.get("to") or ():
            operation = each["operation"]
            for method in operation.get("methods") or ():
                if method not in _METHODS:
                    yield f"{method}: is no HTTP method; an RPC is a path"
            for path in operation.get("paths") or ():
                if "*" in path or "{" in path:
                    yield f"{path}: a pattern lets in more than one RPC"


def _peer(spec: Spec) -> Iterator[str]:
    ports = spec.get("portLevelMtls")
    if ports is not None and not (spec.get("selector") or {}).get("matchLabels"):
        yield "portLevelMtls requires selector"
    if any(not port.isdecimal() or not 0 < int(port) <= 65535 for port in ports or ()):
        yield "port must be between 1-65535"


def _request(spec: Spec) -> Iterator[str]:
    for rule in spec.get("jwtRules") or ():
        if sum(name in rule for name in ("jwksUri", "jwks_uri", "jwks")) > 1:
            yield "only one of jwks or jwksUri can be set"
        if "jwksUri" in rule and not _URL.match(rule["jwksUri"]):
            yield "url must have scheme http:// or https://"


def _virtual(spec: Spec) -> Iterator[str]:
    for route in spec.get("http") or ():
        for value in (route.get("timeout"), (route.get("retries") or {}).get("perTryTimeout")):
            if value is not None and (not _DURATION.fullmatch(value) or _ZERO.fullmatch(value)):
                yield "must be a valid duration greater than 1ms"
        parts = route.get("route") or ()
        if len(parts) > 1 and not sum(part.get("weight", 0) for part in parts):
            yield "total destination weight = 0"
