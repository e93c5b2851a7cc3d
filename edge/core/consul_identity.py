"""
Who answers at an address of the mesh: the SPIFFE ID its certificate must carry, and the SNI that leads to it.

Owns both spellings as Consul's agent/connect/uri_service.go and agent/connect/sni.go make them. The default partition is left out of
the one and of the other; a partition is lower case; a trust domain is `<cluster id>.consul`, lower case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

DEFAULT = "default"

_SERVICE_PATH = re.compile(r"(?:/ap/([^/]+))?/ns/([^/]+)/dc/([^/]+)/svc/([^/]+)")


@dataclass(frozen=True, slots=True)
class MeshService:
    """A service as the mesh knows it. `peer` is the name of the cluster peering it was imported through, empty for our own."""

    service: str
    datacenter: str
    namespace: str = DEFAULT
    partition: str = DEFAULT
    peer: str = ""

    def spiffe_id(self, trust_domain: str) -> str:
        """The URI SAN of its certificate, `spiffe://<td>[/ap/<partition>]/ns/<ns>/dc/<dc>/svc/<service>`."""
        partition = self.partition.lower()
        ap = "" if partition in {"", DEFAULT} else f"/ap/{quote(partition, safe='')}"
        names = (self.namespace or DEFAULT, self.datacenter, self.service)
        ns, dc, svc = (quote(name, safe="") for name in names)
        return f"spiffe://{trust_domain.lower()}{ap}/ns/{ns}/dc/{dc}/svc/{svc}"

    def sni(self, trust_domain: str, subset: str = "") -> str:
        """The server name by which mesh gateways route to it."""
        namespace, partition = self.namespace or DEFAULT, self.partition.lower() or DEFAULT
        head = f"{subset}.{self.service}" if subset else self.service
        if self.peer:
            return f"{self.service}.{namespace}.{partition}.{self.peer}.external.{trust_domain}"
        if partition == DEFAULT:
            return f"{head}.{namespace}.{self.datacenter}.internal.{trust_domain}"
        return f"{head}.{namespace}.{partition}.{self.datacenter}.internal-v1.{trust_domain}"


def service_at(path: str) -> MeshService | None:
    """The service whose SPIFFE ID has this path (as it is written, escapes and all); None for what is no service: a gateway, an agent."""
    found = _SERVICE_PATH.fullmatch(path)
    if found is None:
        return None
    partition, namespace, datacenter, service = (unquote(part or "") for part in found.groups())
    return MeshService(service, datacenter, namespace, partition or DEFAULT)
