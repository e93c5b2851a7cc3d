"""
A Consul config entry as the custom resource consul-k8s makes the same entry of (consul.hashicorp.com/v1alpha1).

Owns the translation: the kinds consul-k8s has, its spelling of keys, where it puts the name. It writes the entry's Meta itself, so that the
marks stand in labels and annotations. Consul's API gateway has no custom resource: on Kubernetes it reads Gateway API.
"""

from __future__ import annotations

from typing import Any

from meshconfig.ownership import MARKS, labels
from meshconfig.plan import MeshPlan

_KINDS = {
    "proxy-defaults": "ProxyDefaults",
    "service-defaults": "ServiceDefaults",
    "service-resolver": "ServiceResolver",
    "service-splitter": "ServiceSplitter",
    "service-router": "ServiceRouter",
    "service-intentions": "ServiceIntentions",
    "exported-services": "ExportedServices",
    "jwt-provider": "JWTProvider",
}
_SPELT = {"HTTP": "http", "JWT": "jwt", "URI": "uri", "JSONWebKeySet": "jsonWebKeySet"}
_MAPS = {"Subsets", "Failover"}
"""Their keys are names, not words of Consul."""


def custom_resource(plan: MeshPlan, entry: dict[str, Any]) -> dict[str, Any] | None:
    """The resource, None where consul-k8s has none."""
    kind = _KINDS.get(entry["Kind"])
    if kind is None:
        return None
    spec = {_key(key): _value(key, value) for key, value in entry.items() if key not in {"Kind", "Name", "Meta"}}
    if kind == "ServiceIntentions":
        spec = {"destination": {"name": entry["Name"]}, **spec}
    return {
        "apiVersion": "consul.hashicorp.com/v1alpha1",
        "kind": kind,
        "metadata": {
            "name": entry["Name"],
            "namespace": _namespace(plan, entry),
            "labels": labels(plan),
            "annotations": {f"edge/{key}": value for key, value in sorted(entry["Meta"].items()) if key in MARKS},
        },
        "spec": spec,
    }


def _namespace(plan: MeshPlan, entry: dict[str, Any]) -> str:
    """Beside the service it is about; what is about all stands with the gateway."""
    homes = {service.consul_name: service.namespace for service in plan.services}
    return homes.get(entry["Name"], plan.gateway.caller.namespace)


def _value(key: str, value: object) -> object:
    if isinstance(value, dict):
        return {name if key in _MAPS else _key(name): _value(name, inner) for name, inner in value.items()}
    return [_value("", inner) for inner in value] if isinstance(value, list) else value


def _key(key: str) -> str:
    return _SPELT.get(key) or key[:1].lower() + key[1:]
