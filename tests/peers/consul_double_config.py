"""
Config entries of the double: compare-and-set by Consul's rules, intentions inside them, and the discovery chain they come to.
"""

from __future__ import annotations

from typing import Any

from tests.peers.consul_double_index import Index

Entry = dict[str, Any]
_OWN = {"CreateIndex", "ModifyIndex", "Hash"}


class ConfigEntries:
    """Entries by kind and name."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._entries: dict[tuple[str, str], Entry] = {}

    def get(self, kind: str, name: str) -> Entry | None:
        """One entry."""
        return self._entries.get((kind, name))

    def listed(self, kind: str) -> list[Entry]:
        """All of a kind."""
        return [entry for (other, _), entry in sorted(self._entries.items()) if other == kind]

    def set(self, entry: Entry, cas: int | None) -> bool:
        """Write; whether it is so now. A write that changes nothing is true whatever `cas` says, and moves no index."""
        key = (entry["Kind"], entry["Name"])
        held = self._entries.get(key)
        wanted = _normalised({name: value for name, value in entry.items() if name not in _OWN})
        if held is not None and {name: value for name, value in held.items() if name not in _OWN} == wanted:
            return True
        if cas is not None and cas != (held["ModifyIndex"] if held else 0):
            return False
        index = self._index.write("config")
        self._entries[key] = {**wanted, "CreateIndex": held["CreateIndex"] if held else index, "ModifyIndex": index}
        return True

    def delete(self, kind: str, name: str, cas: int | None) -> bool:
        """Remove; true when it is not there."""
        held = self._entries.get((kind, name))
        if held is None:
            return True
        if cas is not None and cas != held["ModifyIndex"]:
            return False
        del self._entries[(kind, name)]
        self._index.write("config")
        return True

    # Intentions: one entry per destination, shared by all sources.

    def set_intention(self, source: str, destination: str, body: Entry) -> None:
        """One source's part of the entry."""
        entry = self.get("service-intentions", destination) or {"Kind": "service-intentions", "Name": destination}
        kept = [each for each in entry.get("Sources", []) if each["Name"] != source]
        part = {"Name": source, **{key: body[key] for key in ("Action", "Permissions", "Description") if body.get(key)}}
        self.set({**entry, "Sources": [*kept, part]}, None)

    def delete_intention(self, source: str, destination: str) -> None:
        """The same, removed; the entry goes with its last source."""
        entry = self.get("service-intentions", destination)
        if entry is None:
            return
        kept = [each for each in entry["Sources"] if each["Name"] != source]
        if kept:
            self.set({**entry, "Sources": kept}, None)
        else:
            self.delete("service-intentions", destination, None)

    def intention(self, source: str, destination: str) -> Entry | None:
        """One intention as the exact endpoint shows it."""
        return next(
            (
                each
                for each in self.matching(destination)
                if each["SourceName"] == source and each["DestinationName"] == destination
            ),
            None,
        )

    def matching(self, destination: str) -> list[Entry]:
        """Every intention for a destination, in order of precedence."""
        found = []
        for name in dict.fromkeys((destination, "*")):
            for source in (self.get("service-intentions", name) or {}).get("Sources", []):
                found.append(
                    {"SourceName": source["Name"], "DestinationName": name, "SourceNS": "default", "DestinationNS": "default",
                     "SourceType": "consul", "Precedence": source["Precedence"],
                     **{key: source[key] for key in ("Action", "Permissions", "Description") if source.get(key)}}
                )  # fmt: skip
        return sorted(found, key=lambda each: -each["Precedence"])

    def allowed(self, source: str, destination: str, *, default: bool) -> bool:
        """L4: the first that matches; one with permissions denies."""
        for each in self.matching(destination):
            if each["SourceName"] in {source, "*"}:
                return each.get("Action") == "allow"
        return default

    # The discovery chain.

    def chain(self, service: str, trust_domain: str) -> Entry:
        """The compiled chain of a service."""
        compiled = _Compiled(self, trust_domain)
        start = compiled.start(service)
        protocol = (self.get("service-defaults", service) or {}).get("Protocol", "tcp")
        return {
            "Chain": {
                "ServiceName": service, "Namespace": "default", "Partition": "default", "Datacenter": "dc1", "Protocol": protocol,
                "StartNode": start, "Nodes": compiled.nodes, "Targets": compiled.targets, "Default": not compiled.defined,
            }
        }  # fmt: skip


class _Compiled:
    """Nodes and targets as they are met."""

    def __init__(self, entries: ConfigEntries, trust_domain: str) -> None:
        self.nodes: dict[str, Entry] = {}
        self.targets: dict[str, Entry] = {}
        self.defined = False
        self._entries = entries
        self._trust_domain = trust_domain

    def start(self, service: str) -> str:
        router = self._entries.get("service-router", service)
        if router is None:
            return self._split(service)
        self.defined = True
        name = f"router:{service}.default.default"
        routes = [
            {"Definition": route, "NextNode": self._split(route.get("Destination", {}).get("Service") or service)}
            for route in router.get("Routes") or ()
        ]
        match = {"HTTP": {"PathPrefix": "/"}}
        routes.append({"Definition": {"Match": match}, "NextNode": self._split(service)})
        self.nodes[name] = {"Type": "router", "Name": name, "Routes": routes}
        return name

    def _split(self, service: str) -> str:
        splitter = self._entries.get("service-splitter", service)
        if splitter is None:
            return self._resolve(service, "")
        self.defined = True
        name = f"splitter:{service}.default.default"
        splits = [
            {
                "Weight": split["Weight"],
                "NextNode": self._resolve(split.get("Service") or service, split.get("ServiceSubset", "")),
            }
            for split in splitter["Splits"]
        ]
        self.nodes[name] = {"Type": "splitter", "Name": name, "Splits": splits}
        return name

    def _resolve(self, service: str, subset: str) -> str:
        resolver = self._entries.get("service-resolver", service) or {}
        self.defined = self.defined or bool(resolver)
        if redirect := resolver.get("Redirect"):
            return self._resolve(redirect["Service"], redirect.get("ServiceSubset", ""))
        target = self._target(service, subset or resolver.get("DefaultSubset", ""))
        failover = (resolver.get("Failover") or {}).get(subset) or (resolver.get("Failover") or {}).get("*")
        body: Entry = {"Default": not resolver, "ConnectTimeout": "5s", "Target": target}
        if failover:
            body["Failover"] = {
                "Targets": [self._target(failover.get("Service") or service, failover.get("ServiceSubset", ""))]
            }
        name = f"resolver:{target}"
        self.nodes[name] = {"Type": "resolver", "Name": target, "Resolver": body}
        return name

    def _target(self, service: str, subset: str) -> str:
        head = f"{subset}.{service}" if subset else service
        identity = f"{head}.default.default.dc1"
        resolver = self._entries.get("service-resolver", service) or {}
        self.targets[identity] = {
            "ID": identity, "Service": service, "ServiceSubset": subset, "Namespace": "default", "Partition": "default",
            "Datacenter": "dc1", "MeshGateway": {}, "Subset": (resolver.get("Subsets") or {}).get(subset, {}),
            "SNI": f"{head}.default.dc1.internal.{self._trust_domain}", "Name": f"{head}.default.dc1.internal.{self._trust_domain}",
        }  # fmt: skip
        return identity


def _normalised(entry: Entry) -> Entry:
    """What the servers add."""
    if entry["Kind"] != "service-intentions":
        return entry
    wild = entry["Name"] == "*"
    exactness = {(False, False): 9, (True, False): 8, (False, True): 6, (True, True): 5}
    sources = [
        {**source, "Type": "consul", "Precedence": exactness[(source["Name"] == "*", wild)]}
        for source in entry.get("Sources", [])
    ]
    return {**entry, "Sources": sorted(sources, key=lambda each: -each["Precedence"])}
