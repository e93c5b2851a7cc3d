"""
What the `mesh` section says about the rest of the file and about itself.

Owns these rules: every exposed upstream has its service, no policy contradicts another, and what a mesh would refuse is refused here,
where the line is known. Pure: reads the document's data, notes problems in it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from difflib import get_close_matches

from edge.config.document import Data, Document, Loc, dotted, quoted
from edge.config.raw import Section, items, listed, named, section, text
from edge.config.traffic_checks import reached, ways_out

_L7_ONLY = ("timeout", "retries", "split", "jwt", "rate_limit")


def check_mesh(document: Document) -> None:
    """Note everything about the mesh that does not fit together."""
    mesh = section(document.data, "mesh")
    services = section(mesh, "services")
    if not services:
        return
    _check_repeated(document, ("mesh", "targets"), items(mesh, "targets"))
    _check_upstreams(document, services)
    _check_workloads(document, mesh)
    _check_gateway(document, mesh)
    _check_identities(document, mesh)
    for key, service in named(mesh, "services"):
        loc: Loc = ("mesh", *key)
        _check_callers(document, loc, service, section(mesh, "gateway"))
        _check_protocol(document, loc, service)
        _check_rate_limit(document, (*loc, "rate_limit"), service.get("rate_limit"))
        _check_networks(document, (*loc, "probes", "networks"), section(service, "probes"))
        _check_repeated(document, (*loc, "export_to"), items(service, "export_to"))


def _check_upstreams(document: Document, services: Section) -> None:
    """Each service is an upstream, and each exposed upstream a service."""
    upstreams = list(section(document.data, "upstreams"))
    for name in services:
        if name in upstreams:
            continue
        near = get_close_matches(name, upstreams, n=1)
        fix = f'did you mean "{near[0]}"?' if near else f"known: {', '.join(upstreams)}"
        document.add(("mesh", "services", name), f"{quoted(name)} is no upstream of this file", fix)
    exposed = {used: loc for loc, api in listed(document.data, "apis") if (used := text(api, "upstream"))}
    out = ways_out(document.data)
    for name in reached(document.data, set(exposed)):
        for other, loc in out.get(name, {}).items():
            exposed.setdefault(other, loc)
    for name, loc in exposed.items():
        if name in upstreams and name not in services:
            message = f"{dotted(loc)} exposes the upstream {quoted(name)}, which no policy would guard"
            fix = f"add {name}: {{namespace: …, selector: {{app: {name}}}, port: 50051}}"
            document.add(("mesh", "services"), message, fix)
    for name in services:
        if name in upstreams and name not in exposed:
            message = "no API exposes it: no policy is made for it"
            document.add(
                ("mesh", "services", name), message, "name it in an API's upstream, or remove it", warning=True
            )


def _check_workloads(document: Document, mesh: Section) -> None:
    """Two policies for one workload would each shut out what the other allows."""
    names: dict[tuple[str, str], str] = {}
    consul: dict[str, str] = {}
    pods: dict[tuple[str, object], list[tuple[str, dict[str, Data]]]] = {}
    for key, service in named(mesh, "services"):
        upstream, namespace = str(key[-1]), text(service, "namespace") or ""
        name = text(service, "service") or upstream
        labels, beside = section(service, "selector"), pods.setdefault((namespace, service.get("port")), [])
        in_consul = text(service, "consul_service") or name
        first = names.setdefault((namespace, name), upstream)
        first = first if first != upstream else consul.setdefault(in_consul, upstream)
        if first == upstream and labels:
            # Pods that a narrower selector picks are picked by the wider one, too: Istio lets in whom either policy lets in.
            first = next((other for other, chosen in beside if _overlap(labels, chosen)), upstream)
        beside.append((upstream, labels))
        if first != upstream:
            message = (
                f"is the same workload as mesh.services.{first}: each one's policy would shut out the other's callers"
            )
            document.add(
                ("mesh", *key), message, "give it its own service, selector or port, or use one upstream for both"
            )
    _check_front(document, mesh)
    gateway = text(section(mesh, "gateway"), "service") or "edge"
    if gateway in consul:
        message = f"{quoted(gateway)} is the gateway itself"
        document.add(("mesh", "services", consul[gateway]), message, "give mesh.gateway.service another name")


def _overlap(one: Section, other: Section) -> bool:
    return one.items() <= other.items() or other.items() <= one.items()


def _check_front(document: Document, mesh: Section) -> None:
    """Consul's API gateway is a service by its own name: under that of a caller it could call what the caller may."""
    name = text(section(section(mesh, "consul"), "front"), "name")
    callers = {text(section(mesh, "gateway"), "service") or "edge": "the gateway"}
    for key, service in named(mesh, "services"):
        for (_, index), caller in listed(service, "other_callers"):
            callers.setdefault(text(caller, "service") or "", dotted(("mesh", *key, "other_callers", index)))
    if name is not None and name in callers:
        message = f"{quoted(name)} is {callers[name]}: what that may call, Consul's API gateway could call, too"
        document.add(("mesh", "consul", "front", "name"), message, "give it a name of its own")


def _check_gateway(document: Document, mesh: Section) -> None:
    """The certificate the gateway presents to Consul's proxies names the service the intentions let in."""
    presented = text(section(document.data, "consul"), "service")
    allowed = text(section(mesh, "gateway"), "service") or "edge"
    if "consul" in items(mesh, "targets") and presented not in {None, allowed}:
        message = f"{quoted(allowed)} is let in by the policies, but consul.service is {quoted(presented)}"
        document.add(("mesh", "gateway", "service"), message, f"write mesh.gateway.service: {presented}")


def _check_callers(document: Document, loc: Loc, service: Section, gateway: Section) -> None:
    seen: dict[tuple[str | None, ...], Loc] = {}
    own = (text(gateway, "service") or "edge", text(gateway, "service_account") or "edge-gateway")
    for (_, index), caller in listed(service, "other_callers"):
        here: Loc = (*loc, "other_callers", index)
        accounts = (text(caller, "namespace"), text(caller, "service_account"))
        same_account = accounts == (text(gateway, "namespace") or "edge", own[1])
        if text(caller, "service") == own[0] or same_account:
            message = "is the gateway itself, which may call what its APIs expose"
            document.add(here, message, "remove it, or expose the RPC")
        for identity in ((text(caller, "service"),), accounts):
            first = seen.setdefault(identity, here)
            if first is not here and all(identity):
                document.add(here, f"has an identity of {dotted(first)}", "list each caller once, with all its RPCs")
                break
        _check_repeated(document, (*here, "rpcs"), items(caller, "rpcs"))


_ACCOUNTS: tuple[Data, ...] = ("linkerd", "istio")


def _check_identities(document: Document, mesh: Section) -> None:
    """Where two workloads are one to a mesh, what one service lets one of them do, it lets the other do."""
    targets = items(mesh, "targets")
    by_name: dict[str, tuple[object, Loc]] = {}
    by_account: dict[object, tuple[str, Loc]] = {}
    for key, service in named(mesh, "services"):
        for (_, index), caller in listed(service, "other_callers"):
            here: Loc = ("mesh", *key, "other_callers", index)
            name, account = text(caller, "service"), (text(caller, "namespace"), text(caller, "service_account"))
            if name is None or not all(account):
                continue
            known, first = by_name.setdefault(name, (account, here))
            elsewhere = first[:3] != here[:3]  # of one service `_check_callers` tells
            if known != account and elsewhere and "consul" in targets:
                message = f"has another account than {dotted(first)}, and in Consul both are {quoted(name)}"
                document.add(here, message, "write the same account, or give each its own Consul service name")
            other, first = by_account.setdefault(account, (name, here))
            if other != name and first[:3] != here[:3] and any(mesh in targets for mesh in _ACCOUNTS):
                message = f"has another Consul name than {dotted(first)}, and by its account both are one"
                document.add(here, message, f"write service: {other}, or give each its own account")


def _check_protocol(document: Document, loc: Loc, service: Section) -> None:
    if text(service, "protocol") != "tcp":
        return
    message = "cannot tell RPCs apart: whoever may call one RPC may call all of them"
    document.add((*loc, "protocol"), f'"tcp" {message}', "write grpc, where that is what it speaks", warning=True)
    for name in _L7_ONLY:
        if service.get(name) is not None and text(service.get(name), "by") != "edge":
            message = 'uses a protocol "tcp" that does not permit advanced routing or splitting behavior'
            document.add((*loc, name), message, f"remove {name}, or write protocol: grpc")


def _check_rate_limit(document: Document, loc: Loc, given: object) -> None:
    if not isinstance(given, dict):
        return
    total, each = given.get("total"), given.get("per_client")
    if total is None and each is None:
        document.add(loc, "limits nothing", "add total: 100, or per_client: 10")
    elif isinstance(total, int) and isinstance(each, int) and each > total:
        document.add((*loc, "per_client"), f"{each} is more than total, {total}", "lower it, or raise total")


def _check_networks(document: Document, loc: Loc, probes: Section) -> None:
    for index, network in enumerate(items(probes, "networks")):
        try:
            ipaddress.ip_network(str(network))
        except ValueError as error:
            if isinstance(network, str):
                document.add((*loc, index), f"{quoted(network)} is no IP network: {_reason(error)}", "write 10.0.0.0/8")


def _reason(error: ValueError) -> str:
    return "bits behind the prefix are set" if "host bits" in str(error) else "not address/prefix"


def _check_repeated(document: Document, loc: Loc, values: Sequence[object]) -> None:
    for index, value in enumerate(values):
        if value in values[:index]:
            document.add((*loc, index), f"{quoted(value)} is listed twice", "remove one of them")
