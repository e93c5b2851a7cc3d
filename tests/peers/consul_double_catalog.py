"""
The catalog of the double: services of its one agent, their sidecars and checks, health as the HTTP API shows it, prepared queries.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from tests.peers.consul_double_checks import Check
from tests.peers.consul_double_index import Index

Body = dict[str, Any]


class Catalog:
    """Everything that is registered. Each write moves the index of the one table `catalog`: watchers wake without a change to theirs."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self.services: dict[str, Body] = {}
        self.checks: dict[str, Check] = {}
        self._queries: dict[str, Body] = {}
        at = index.write("catalog")
        self.node: Body = {
            "ID": str(uuid.uuid4()), "Node": "node1", "Address": "127.0.0.1", "Datacenter": "dc1",
            "TaggedAddresses": {"lan": "127.0.0.1", "wan": "127.0.0.1"}, "Meta": {}, "CreateIndex": at, "ModifyIndex": at,
        }  # fmt: skip

    async def close(self) -> None:
        """Stop making checks."""
        for check in self.checks.values():
            await check.stop()

    def register(self, given: Body, *, replace: bool) -> None:
        """Register from a body whose keys are lower case without underscores."""
        service_id = given.get("id") or given["name"]
        weights = given.get("weights") or {}
        connect = given.get("connect") or {}
        proxy = given.get("proxy")
        held: Body = {
            "Kind": given.get("kind", ""),
            "ID": service_id,
            "Service": given["name"],
            "Tags": given.get("tags") or [],
            "Meta": given.get("meta") or {},
            "Port": given.get("port", 0),
            "Address": given.get("address", ""),
            "Weights": {"Passing": weights.get("Passing", 1), "Warning": weights.get("Warning", 1)},
            "EnableTagOverride": bool(given.get("enabletagoverride")),
        }
        if connect.get("Native") or connect.get("native"):
            held["Connect"] = {"Native": True}
        if proxy:
            held["Proxy"] = proxy
        self._index.write("catalog")
        self.services[service_id] = held
        self._check_all(held, given.get("checks") or ([given["check"]] if given.get("check") else []), replace=replace)
        sidecar = connect.get("SidecarService")
        if sidecar is not None:
            self._register_sidecar(held, sidecar)

    def _register_sidecar(self, held: Body, sidecar: Body) -> None:
        used = {each["Port"] for each in self.services.values()}
        port = sidecar.get("Port") or next(port for port in range(21000, 21256) if port not in used)
        name, own = f"{held['Service']}-sidecar-proxy", f"{held['ID']}-sidecar-proxy"
        proxy = {
            "DestinationServiceName": held["Service"], "DestinationServiceID": held["ID"],
            "LocalServiceAddress": "127.0.0.1", "LocalServicePort": held["Port"],
        }  # fmt: skip
        self.services[own] = {
            **held, "Kind": "connect-proxy", "ID": own, "Service": name, "Port": port, "Proxy": proxy, "Connect": {},
        }  # fmt: skip
        self._check_all(self.services[own], [{"CheckID": f"service:{own}:2", "AliasService": held["ID"]}], replace=True)

    def _check_all(self, held: Body, bodies: list[Body], *, replace: bool) -> None:
        wanted = {}
        for number, body in enumerate(bodies, 1):
            check = Check(
                {key.lower().replace("_", ""): value for key, value in body.items()},
                held,
                number,
                self._touch,
                self.checks,
            )
            wanted[check.id] = check
        if replace:
            for check_id in [key for key, check in self.checks.items() if check.service_id == held["ID"]]:
                if check_id not in wanted:
                    self.checks.pop(check_id).cancel()
        for check_id, check in wanted.items():
            old = self.checks.get(check_id)
            if old is not None:
                check.status = old.status  # as the real agent, which keeps the status of a check it knows
                old.cancel()
            self.checks[check_id] = check
            check.start()

    def _touch(self) -> None:
        self._index.write("catalog")

    def deregister(self, service_id: str) -> None:
        """Remove a service, its sidecar and their checks."""
        for each in (service_id, f"{service_id}-sidecar-proxy"):
            if self.services.pop(each, None) is not None:
                for check_id in [key for key, check in self.checks.items() if check.service_id == each]:
                    self.checks.pop(check_id).cancel()
        self._index.write("catalog")

    def tags_by_name(self) -> dict[str, list[str]]:
        """The body of catalog/services."""
        names: dict[str, list[str]] = {"consul": []}
        for held in self.services.values():
            names.setdefault(held["Service"], []).extend(held["Tags"])
        return {name: sorted(set(tags)) for name, tags in names.items()}

    def listed(self, name: str) -> list[Body]:
        """The body of catalog/service/:name."""
        found = []
        for held in self.services.values():
            if held["Service"] == name:
                service = {f"Service{key}": held[key] for key in ("ID", "Address", "Port", "Tags", "Meta")}
                found.append({**self.node, **service, "ServiceName": name})
        return found

    def health(self, name: str, tags: list[str], expression: str, connect: bool) -> list[Body]:
        """The body of health/service/:name or health/connect/:name."""
        found = []
        for held in self.services.values():
            destination = (held.get("Proxy") or {}).get("DestinationServiceName")
            native = (held.get("Connect") or {}).get("Native") and held["Service"] == name
            if not ((destination == name or native) if connect else held["Service"] == name):
                continue
            if set(tags) - set(held["Tags"]) or not _matches(held, expression):
                continue
            checks = [check.body() for check in self.checks.values() if check.service_id == held["ID"]]
            serf = {"Node": "node1", "CheckID": "serfHealth", "Name": "Serf Health Status", "Status": "passing"}
            found.append({"Node": self.node, "Service": held, "Checks": [serf, *checks]})
        return found

    def define_query(self, body: Body) -> str:
        """A prepared query; its ID."""
        identity = str(uuid.uuid4())
        self._queries[identity] = body
        self._queries[body.get("Name") or identity] = body
        return identity

    def execute_query(self, name: str, *, connect: bool) -> Body | None:
        """The body of query/:id/execute: the instances without a critical check."""
        query = self._queries.get(name)
        if query is None:
            return None
        service = query["Service"]
        nodes = self.health(service["Service"], service.get("Tags") or [], "", connect)
        nodes = [each for each in nodes if all(check["Status"] != "critical" for check in each["Checks"])]
        return {"Service": service["Service"], "Nodes": nodes, "DNS": {"TTL": ""}, "Datacenter": "dc1", "Failovers": 0}


def _matches(held: Body, expression: str) -> bool:
    """`Service.Meta.key == "value"` and `"tag" in Service.Tags`, joined with `and`."""
    for part in re.split(r"\)?\s+and\s+\(?", expression.strip("()")) if expression else []:
        if meta := re.fullmatch(r'Service\.Meta\.(\w+) == "([^"]*)"', part):
            if held["Meta"].get(meta[1]) != meta[2]:
                return False
        elif tag := re.fullmatch(r'"([^"]*)" in Service\.Tags', part):
            if tag[1] not in held["Tags"]:
                return False
        else:
            raise ValueError(f"the double does not know the filter {part!r}")
    return True
