"""What edge relies on of an agent's HTTP API, told by a client that is not edge's: the double answers as the real one does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from cryptography import x509

from tests.consul.scenes import Peer, asked, revoke, token_with

READ_ALL = {"service_prefix": {"": {"policy": "read"}}, "node_prefix": {"": {"policy": "read"}}}


async def test_blocking_query_waits_for_a_change(peer: Peer, unique: Callable[[str], str]) -> None:
    """With the index of the last answer a query returns when something was registered, and says a higher index."""
    name = unique("web")
    _, body, headers = await asked(peer, "GET", f"/v1/health/service/{name}")
    assert body == []
    index = int(headers["X-Consul-Index"])
    assert index >= 1
    waiting = asyncio.create_task(_until_there(peer, name, index))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await asked(peer, "PUT", "/v1/agent/service/register", {"Name": name, "Port": 80})
    assert await asyncio.wait_for(waiting, 10) > index
    await asked(peer, "PUT", f"/v1/agent/service/deregister/{name}")


async def _until_there(peer: Peer, name: str, index: int) -> int:
    """The index at which a service is seen. Returning need not mean change: ask again."""
    while True:
        _, body, headers = await asked(peer, "GET", f"/v1/health/service/{name}?index={index}&wait=20s")
        index = int(headers["X-Consul-Index"])
        if body:
            return index


async def test_blocking_query_gives_up_after_its_wait(peer: Peer, unique: Callable[[str], str]) -> None:
    """It returns the same index when nothing happened."""
    name = unique("idle")
    _, _, headers = await asked(peer, "GET", f"/v1/config/service-defaults/{name}x?index=1&wait=10ms")
    _, _, headers = await asked(peer, "GET", "/v1/agent/connect/ca/roots")
    index = headers["X-Consul-Index"]
    before = time.monotonic()
    _, _, headers = await asked(peer, "GET", f"/v1/connect/ca/roots?index={index}&wait=400ms")
    assert headers["X-Consul-Index"] == index
    assert time.monotonic() - before >= 0.39


async def test_health_shows_weights_checks_and_place(peer: Peer, unique: Callable[[str], str]) -> None:
    """The parts discovery reads."""
    name = unique("web")
    given = {
        "Name": name, "ID": f"{name}-1", "Address": "127.0.0.9", "Port": 8081, "Tags": ["v1"], "Meta": {"version": "1"},
        "Weights": {"Passing": 7, "Warning": 2}, "Checks": [{"CheckID": f"{name}-ttl", "Name": "t", "TTL": "60s"}],
    }  # fmt: skip
    assert (await asked(peer, "PUT", "/v1/agent/service/register", given))[0] == 200
    (entry,) = await _entries(peer, f"/v1/health/service/{name}")
    assert entry["Node"]["Datacenter"] == "dc1"
    service = entry["Service"]
    assert (service["Address"], service["Port"], service["Tags"], service["Meta"]["version"]) == (
        "127.0.0.9",
        8081,
        ["v1"],
        "1",
    )
    assert (service["Weights"]["Passing"], service["Weights"]["Warning"]) == (7, 2)
    assert {check["CheckID"]: check["Status"] for check in entry["Checks"]}[f"{name}-ttl"] == "critical"
    update = {"Status": "warning", "Output": "slow"}
    assert (await asked(peer, "PUT", f"/v1/agent/check/update/{name}-ttl", update))[0] == 200
    await _status(peer, name, f"{name}-ttl", "warning")
    await asked(peer, "PUT", f"/v1/agent/service/deregister/{name}-1")


async def _entries(peer: Peer, path: str) -> list[dict]:  # type: ignore[type-arg]  # JSON
    for _ in range(200):
        _, body, _ = await asked(peer, "GET", path)
        if body:
            return list(body)
        await asyncio.sleep(0.02)
    raise AssertionError(f"nothing at {path}")


async def _status(peer: Peer, name: str, check_id: str, wanted: str) -> None:
    for _ in range(200):
        (entry,) = (await asked(peer, "GET", f"/v1/health/service/{name}"))[1]
        if {check["CheckID"]: check["Status"] for check in entry["Checks"]}[check_id] == wanted:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{check_id} does not turn {wanted}")


async def test_tags_and_filters_select(peer: Peer, unique: Callable[[str], str]) -> None:
    """All tags must be there; a filter reads the metadata."""
    name = unique("web")
    for number in (1, 2):
        given = {
            "Name": name,
            "ID": f"{name}-{number}",
            "Port": number,
            "Tags": ["all", f"t{number}"],
            "Meta": {"v": str(number)},
        }
        await asked(peer, "PUT", "/v1/agent/service/register", given)
    await _entries(peer, f"/v1/health/service/{name}?tag=t2")
    for query, ports in (("tag=all", {1, 2}), ("tag=all&tag=t2", {2}), ('filter=Service.Meta.v == "1"', {1})):
        _, body, _ = await asked(peer, "GET", f"/v1/health/service/{name}?{query}")
        assert {entry["Service"]["Port"] for entry in body} == ports
    for number in (1, 2):
        await asked(peer, "PUT", f"/v1/agent/service/deregister/{name}-{number}")


async def test_connect_lists_sidecars_and_native_services(peer: Peer, unique: Callable[[str], str]) -> None:
    """A sidecar by the service it stands for; a plain service not at all."""
    name = unique("web")
    for suffix, connect in (("-side", {"SidecarService": {}}), ("-native", {"Native": True}), ("-plain", None)):
        given = {"Name": name, "ID": f"{name}{suffix}", "Port": 80, "Connect": connect}
        assert (await asked(peer, "PUT", "/v1/agent/service/register", given))[0] == 200
    for _ in range(200):
        _, body, _ = await asked(peer, "GET", f"/v1/health/connect/{name}")
        if len(body) == 2:
            break
        await asyncio.sleep(0.02)
    by_kind = {entry["Service"].get("Kind", ""): entry["Service"] for entry in body}
    assert by_kind["connect-proxy"]["Proxy"]["DestinationServiceName"] == name
    assert by_kind["connect-proxy"]["ID"] == f"{name}-side-sidecar-proxy"
    assert 21000 <= by_kind["connect-proxy"]["Port"] <= 21255
    assert by_kind[""]["Connect"]["Native"] is True
    for suffix in ("-side", "-native", "-plain"):
        await asked(peer, "PUT", f"/v1/agent/service/deregister/{name}{suffix}")
    assert (await asked(peer, "GET", f"/v1/agent/service/{name}-side-sidecar-proxy"))[0] == 404


async def test_unknown_ids_are_404(peer: Peer, unique: Callable[[str], str]) -> None:
    """Of services and of checks."""
    name = unique("none")
    assert (await asked(peer, "GET", f"/v1/agent/service/{name}"))[0] == 404
    assert (await asked(peer, "PUT", f"/v1/agent/service/deregister/{name}"))[0] == 404
    assert (await asked(peer, "PUT", f"/v1/agent/check/update/{name}", {"Status": "passing"}))[0] == 404


async def test_compare_and_set(peer: Peer, unique: Callable[[str], str]) -> None:
    """0 creates only, another index must be the entry's; what changes nothing is true with a stale index too."""
    name = unique("web")
    entry = {"Kind": "service-defaults", "Name": name, "Protocol": "http"}

    async def put(protocol: str, cas: int | None) -> bool:
        query = "" if cas is None else f"?cas={cas}"
        _, done, _ = await asked(peer, "PUT", f"/v1/config{query}", {**entry, "Protocol": protocol})
        return bool(done)

    assert await put("http", 0)
    assert not await put("grpc", 0)
    _, held, _ = await asked(peer, "GET", f"/v1/config/service-defaults/{name}")
    assert await put("http", held["ModifyIndex"] + 1000)  # the trap: nothing to do, so it is done
    assert not await put("grpc", held["ModifyIndex"] + 1000)
    assert await put("grpc", held["ModifyIndex"])
    _, changed, _ = await asked(peer, "GET", f"/v1/config/service-defaults/{name}")
    assert changed["Protocol"] == "grpc"
    assert changed["ModifyIndex"] > held["ModifyIndex"] > 0
    _, gone, _ = await asked(peer, "DELETE", f"/v1/config/service-defaults/{name}?cas={held['ModifyIndex']}")
    assert gone is False
    _, gone, _ = await asked(peer, "DELETE", f"/v1/config/service-defaults/{name}")
    assert gone == {}


async def test_one_source_of_an_intention_is_edited_alone(peer: Peer, unique: Callable[[str], str]) -> None:
    """The other sources of the destination's entry stay; the servers add precedence and type, and sort."""
    web = unique("web")
    for source, action in (("*", "deny"), ("api", "allow")):
        path = f"/v1/connect/intentions/exact?source={source}&destination={web}"
        assert (await asked(peer, "PUT", path, {"Action": action}))[0] == 200
    _, entry, _ = await asked(peer, "GET", f"/v1/config/service-intentions/{web}")
    assert [(each["Name"], each["Action"], each["Precedence"], each["Type"]) for each in entry["Sources"]] == [
        ("api", "allow", 9, "consul"), ("*", "deny", 8, "consul"),
    ]  # fmt: skip
    _, verdict, _ = await asked(peer, "GET", f"/v1/connect/intentions/check?source=api&destination={web}")
    assert verdict == {"Allowed": True}
    _, verdict, _ = await asked(peer, "GET", f"/v1/connect/intentions/check?source=other&destination={web}")
    assert verdict == {"Allowed": False}
    _, matching, _ = await asked(peer, "GET", f"/v1/connect/intentions/match?by=destination&name={web}")
    assert [each["SourceName"] for each in matching[web]] == ["api", "*"]
    await asked(peer, "DELETE", f"/v1/connect/intentions/exact?source=api&destination={web}")
    _, entry, _ = await asked(peer, "GET", f"/v1/config/service-intentions/{web}")
    assert [each["Name"] for each in entry["Sources"]] == ["*"]
    await asked(peer, "DELETE", f"/v1/config/service-intentions/{web}")


async def test_leaf_is_signed_by_a_root_and_names_the_service(peer: Peer, unique: Callable[[str], str]) -> None:
    """One URI SAN, no subject, a key that belongs to it; the chain verifies."""
    name = unique("web")
    _, roots, headers = await asked(peer, "GET", "/v1/agent/connect/ca/roots")
    assert int(headers["X-Consul-Index"]) >= 1
    status, leaf, headers = await asked(peer, "GET", f"/v1/agent/connect/ca/leaf/{name}")
    assert status == 200
    assert int(headers["X-Consul-Index"]) == leaf["ModifyIndex"]
    chain = x509.load_pem_x509_certificates(leaf["CertPEM"].encode())
    sans = chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName)
    uris = sans.value.get_values_for_type(x509.UniformResourceIdentifier)
    assert uris == [leaf["ServiceURI"]] == [f"spiffe://{roots['TrustDomain']}/ns/default/dc/dc1/svc/{name}"]
    assert sans.critical
    assert not list(chain[0].subject)
    active = next(root for root in roots["Roots"] if root["Active"])
    root = x509.load_pem_x509_certificate(active["RootCert"].encode())
    chain[-1].verify_directly_issued_by(root)


async def test_prepared_query_leaves_out_critical_instances(peer: Peer, unique: Callable[[str], str]) -> None:
    """It answers with nodes, and has no index to block on."""
    name = unique("web")
    await asked(peer, "PUT", "/v1/agent/service/register", {"Name": name, "ID": f"{name}-1", "Port": 1})
    given = {"Name": name, "ID": f"{name}-2", "Port": 2, "Checks": [{"Name": "t", "TTL": "60s"}]}
    await asked(peer, "PUT", "/v1/agent/service/register", given)
    await _entries(peer, f"/v1/health/service/{name}")
    status, made, _ = await asked(peer, "POST", "/v1/query", {"Name": f"q-{name}", "Service": {"Service": name}})
    assert status == 200
    for _ in range(100):
        _, found, _ = await asked(peer, "GET", f"/v1/query/q-{name}/execute")
        if len(found["Nodes"]) == 1:
            break
        await asyncio.sleep(0.05)
    assert [node["Service"]["Port"] for node in found["Nodes"]] == [1]
    assert made["ID"]
    for number in (1, 2):
        await asked(peer, "PUT", f"/v1/agent/service/deregister/{name}-{number}")


async def test_discovery_chain_of_a_split(peer: Peer, unique: Callable[[str], str]) -> None:
    """A splitter over two subsets: nodes, targets with filters and server names."""
    name = unique("web")
    _, roots, _ = await asked(peer, "GET", "/v1/agent/connect/ca/roots")
    entries = (
        {"Kind": "service-defaults", "Name": name, "Protocol": "grpc"},
        {"Kind": "service-resolver", "Name": name, "DefaultSubset": "v1",
         "Subsets": {"v1": {"Filter": 'Service.Meta.v == "1"'}, "v2": {"Filter": 'Service.Meta.v == "2"', "OnlyPassing": True}}},
        {"Kind": "service-splitter", "Name": name,
         "Splits": [{"Weight": 90, "ServiceSubset": "v1"}, {"Weight": 10, "ServiceSubset": "v2"}]},
    )  # fmt: skip
    for entry in entries:
        assert (await asked(peer, "PUT", "/v1/config", entry))[1] is True
    _, body, headers = await asked(peer, "GET", f"/v1/discovery-chain/{name}")
    assert int(headers["X-Consul-Index"]) >= 1
    chain = body["Chain"]
    assert chain["Protocol"] == "grpc"
    splits = chain["Nodes"][chain["StartNode"]]["Splits"]
    resolved = [chain["Nodes"][split["NextNode"]]["Resolver"]["Target"] for split in splits]
    assert [split["Weight"] for split in splits] == [90, 10]
    targets = [chain["Targets"][target] for target in resolved]
    assert [target["ServiceSubset"] for target in targets] == ["v1", "v2"]
    assert targets[1]["Subset"]["OnlyPassing"] is True
    assert targets[0]["SNI"] == f"v1.{name}.default.dc1.internal.{roots['TrustDomain']}"
    for kind in ("service-splitter", "service-resolver", "service-defaults"):
        await asked(peer, "DELETE", f"/v1/config/{kind}/{name}")


async def test_access_rules_hide_and_say_so(guarded: Peer, unique: Callable[[str], str]) -> None:
    """An empty 200 with a header for a token that may not see; without a token there is no header, only the default policy's."""
    name = unique("web")
    await asked(guarded, "PUT", "/v1/agent/service/register", {"Name": name, "Port": 80})
    await _entries(guarded, f"/v1/health/service/{name}")
    blind, _ = await token_with(guarded, {"service": {"other": {"policy": "read"}}})
    status, body, headers = await asked(guarded, "GET", f"/v1/health/service/{name}", token=blind)
    assert (status, body) == (200, [])
    assert headers["X-Consul-Results-Filtered-By-ACLs"] == "true"
    status, body, headers = await asked(guarded, "GET", f"/v1/health/service/{name}", token="")
    assert (status, body) == (200, [])
    assert "X-Consul-Results-Filtered-By-ACLs" not in headers
    assert headers["X-Consul-Default-ACL-Policy"] == "deny"
    seeing, accessor = await token_with(guarded, READ_ALL)
    _, body, headers = await asked(guarded, "GET", f"/v1/health/service/{name}", token=seeing)
    assert len(body) == 1
    assert headers.get("X-Consul-Results-Filtered-By-ACLs") != "true"
    await revoke(guarded, accessor)
    for _ in range(100):  # the real agent remembers a token for its `token_ttl`
        status, body, _ = await asked(guarded, "GET", f"/v1/health/service/{name}", token=seeing)
        if status != 200:
            break
        await asyncio.sleep(0.1)
    assert status == 403
    assert "ACL not found" in body
    await asked(guarded, "PUT", f"/v1/agent/service/deregister/{name}")


async def test_streaming_backend_says_nothing_of_leader_and_rules(guarded: Peer, unique: Callable[[str], str]) -> None:
    """The trap: a query that blocks is answered without a leader and without a word of what was hidden."""
    name = unique("web")
    await asked(guarded, "PUT", "/v1/agent/service/register", {"Name": name, "Port": 80})
    await _entries(guarded, f"/v1/health/service/{name}")
    blind, _ = await token_with(guarded, {"service": {"other": {"policy": "read"}}})
    _, body, headers = await asked(guarded, "GET", f"/v1/health/service/{name}?index=1&wait=5s", token=blind)
    assert body == []
    assert headers["X-Consul-Query-Backend"] == "streaming"
    assert headers["X-Consul-KnownLeader"] == "false"
    assert "X-Consul-Results-Filtered-By-ACLs" not in headers
    status, _, _ = await asked(guarded, "GET", f"/v1/health/connect/{name}", token=blind)
    assert status == 403  # of the mesh's instances it says so
    await asked(guarded, "PUT", f"/v1/agent/service/deregister/{name}")


async def test_denial_names_the_permission(guarded: Peer, unique: Callable[[str], str]) -> None:
    """A registration without service:write is refused in words that say what is missing."""
    name = unique("web")
    reading, _ = await token_with(guarded, READ_ALL)
    status, body, _ = await asked(guarded, "PUT", "/v1/agent/service/register", {"Name": name}, token=reading)
    assert status == 403
    assert "lacks permission 'service:write' on \"" + name in body


async def test_namespaces_are_refused_by_the_community_edition(peer: Peer, unique: Callable[[str], str]) -> None:
    """In words that say so."""
    status, body, _ = await asked(peer, "GET", f"/v1/health/service/{unique('web')}?ns=team")
    assert status == 400
    assert "Invalid query parameter" in body


async def test_stale_and_consistent_exclude_each_other(peer: Peer, unique: Callable[[str], str]) -> None:
    """400 for both."""
    status, _, _ = await asked(peer, "GET", f"/v1/health/service/{unique('web')}?stale&consistent")
    assert status == 400
