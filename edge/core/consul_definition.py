"""
The registration of a service with a Consul agent: what is sent, and whether what stands there is that already.

Owns the fingerprint: a digest of the whole definition, kept in the service's own metadata, by which a registration is recognised
without comparing what agents fill in, rename or never tell (gRPC checks among that). An agent that forgot a check or holds another
address, port, weight or set of tags is told again all the same. Source:
https://developer.hashicorp.com/consul/api-docs/agent/service#register-service.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

FINGERPRINT = "edge-definition"
"""The metadata key of the fingerprint; one of Consul's 64."""

Connect = Literal["none", "native", "sidecar"]
Kind = Literal["grpc", "ttl", "http", "tcp"]


@dataclass(frozen=True, slots=True)
class Check:
    """A health check of a service. `target` is `host:port[/service]` (gRPC), a URL (HTTP) or `host:port` (TCP), empty for TTL."""

    kind: Kind
    target: str = ""
    interval_s: float = 10.0
    """Between two checks; for a TTL check, how long one report of health is good."""
    timeout_s: float = 3.0
    tls: bool = False
    tls_skip_verify: bool = False
    tls_server_name: str = ""
    deregister_after_s: float | None = None
    """A service that is critical for so long is removed."""

    def body(self, check_id: str, name: str) -> dict[str, Any]:
        """As the agent reads it."""
        body: dict[str, Any] = {"CheckID": check_id, "Name": name}
        if self.kind == "ttl":
            body |= {"TTL": _seconds(self.interval_s)}
        else:
            body |= {self.kind.upper(): self.target, "Interval": _seconds(self.interval_s)}
            body |= {"Timeout": _seconds(self.timeout_s)}
            if self.kind == "grpc" and self.tls:
                body["GRPCUseTLS"] = True
            if self.tls_skip_verify:
                body["TLSSkipVerify"] = True
            if self.tls_server_name:
                body["TLSServerName"] = self.tls_server_name
        if self.deregister_after_s is not None:
            body["DeregisterCriticalServiceAfter"] = _seconds(self.deregister_after_s)
        return body


@dataclass(frozen=True, slots=True)
class Definition:
    """A service to be registered. An empty `address` is the node's; `sidecar_port` 0 lets the agent choose one."""

    name: str
    id: str
    port: int
    address: str = ""
    tags: tuple[str, ...] = ()
    meta: tuple[tuple[str, str], ...] = ()
    weight: int = 1
    warning_weight: int = 1
    checks: tuple[Check, ...] = ()
    connect: Connect = "none"
    sidecar_port: int = 0
    namespace: str = ""
    partition: str = ""

    def check_ids(self) -> tuple[str, ...]:
        """The checks' IDs at the agent, `service:<id>:<kind>-<n>`."""
        return tuple(f"service:{self.id}:{check.kind}-{number}" for number, check in enumerate(self.checks, 1))

    def ttl_checks(self) -> tuple[tuple[str, Check], ...]:
        """The checks we have to keep alive."""
        pairs = zip(self.check_ids(), self.checks, strict=True)
        return tuple((check_id, check) for check_id, check in pairs if check.kind == "ttl")

    def fingerprint(self) -> str:
        """A digest of all of it."""
        text = json.dumps(self._plain(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def body(self) -> dict[str, Any]:
        """The body of /v1/agent/service/register."""
        body = self._plain()
        body["Meta"] = {**body["Meta"], FINGERPRINT: self.fingerprint()}
        return body

    def _plain(self) -> dict[str, Any]:
        names = {"grpc": "gRPC", "ttl": "TTL", "http": "HTTP", "tcp": "TCP"}
        body: dict[str, Any] = {
            "Name": self.name,
            "ID": self.id,
            "Port": self.port,
            "Tags": list(self.tags),
            "Meta": dict(self.meta),
            "Weights": {"Passing": self.weight, "Warning": self.warning_weight},
            "Checks": [
                check.body(check_id, f"{names[check.kind]} check of {self.name}")
                for check_id, check in zip(self.check_ids(), self.checks, strict=True)
            ],
        }
        if self.address:
            body["Address"] = self.address
        if self.namespace:
            body["Namespace"] = self.namespace
        if self.partition:
            body["Partition"] = self.partition
        if self.connect == "native":
            body["Connect"] = {"Native": True}
        elif self.connect == "sidecar":
            body["Connect"] = {"SidecarService": {"Port": self.sidecar_port} if self.sidecar_port else {}}
        return body


def differences(wanted: Definition, held: Mapping[str, Any] | None, check_ids: Iterable[str]) -> tuple[str, ...]:
    """
    What an agent holds otherwise than wanted, as words; empty when it holds just this.

    `held` is the body of /v1/agent/service/:id, None when it knows no such service; `check_ids` are those of its checks.
    """
    if held is None:
        return ("not registered",)
    found = []
    weights = held.get("Weights") or {}
    pairs: tuple[tuple[str, object, object], ...] = (
        ("name", wanted.name, held.get("Service")),
        ("address", wanted.address, held.get("Address") or ""),
        ("port", wanted.port, held.get("Port") or 0),
        ("tags", sorted(wanted.tags), sorted(held.get("Tags") or ())),
        ("weights", (wanted.weight, wanted.warning_weight), (weights.get("Passing", 1), weights.get("Warning", 1))),
        ("definition", wanted.fingerprint(), (held.get("Meta") or {}).get(FINGERPRINT)),
        ("meta", dict(wanted.meta), {k: v for k, v in (held.get("Meta") or {}).items() if k != FINGERPRINT}),
    )
    found += [f"{name} differs" for name, ours, theirs in pairs if ours != theirs]
    missing = set(wanted.check_ids()) - set(check_ids)
    if missing:
        found.append(f"checks are missing: {', '.join(sorted(missing))}")
    return tuple(found)


def _seconds(value: float) -> str:
    """A duration as Go reads it."""
    return f"{value:.3f}".rstrip("0").rstrip(".") + "s"
