"""
What we make of intentions against what Consul makes of them: its own check for callers, a real Envoy's RBAC for requests.

Where the two differ, they are right.
"""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.core.consul_identity import MeshService
from edge.core.consul_intentions import read_intentions
from edge.core.intention_http import HttpRequest
from edge.core.intentions import Intentions
from tests.consul.scenes import Peer
from tests.mesh.consul_rbac import sidecar
from tests.peers.envoy import envoy_binary

NAMES = ("web", "api", "edge")
CALLERS = (*NAMES, "stranger")

pytestmark = pytest.mark.timeout(240)


def ask(peer: Peer, method: str, path: str, body: object = None) -> Any:
    """A request to the agent."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{peer.url}{path}", data, dict(peer.headers), method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read()
        return answer.headers, json.loads(text) if text else None


def known(peer: Peer, service: str) -> Intentions:
    """As the gateway reads them."""
    headers, body = ask(peer, "GET", f"/v1/connect/intentions/match?by=destination&name={service}")
    return read_intentions(body, service, default_allow=headers["X-Consul-Default-ACL-Policy"] != "deny")


ACTIONS = st.dictionaries(st.sampled_from((*NAMES, "*")), st.sampled_from(("allow", "deny")), max_size=4)


@pytest.mark.slow
@pytest.mark.parametrize("acl", [False, True], ids=["default allow", "default deny"])
def test_every_caller_is_decided_as_consul_decides(request: pytest.FixtureRequest, acl: bool) -> None:
    """Random intentions of two destinations and of all; each pair of services."""
    peer: Peer = request.getfixturevalue("guarded_agent" if acl else "open_agent")
    decided = {True: 0, False: 0}

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.fixed_dictionaries(dict.fromkeys(("edge", "web", "*"), ACTIONS)))
    def check(entries: dict[str, dict[str, str]]) -> None:
        for name, actions in entries.items():
            if not actions:
                ask(peer, "DELETE", f"/v1/config/service-intentions/{name}")
                continue
            sources = [{"Name": source, "Action": action} for source, action in actions.items()]
            ask(peer, "PUT", "/v1/config", {"Kind": "service-intentions", "Name": name, "Sources": sources})
        for service in ("edge", "web"):
            ours = known(peer, service)
            for caller in CALLERS:
                path = f"/v1/connect/intentions/check?source={caller}&destination={service}"
                theirs = ask(peer, "GET", path)[1]["Allowed"]
                decision = ours.of_caller(MeshService(caller, "dc1"))
                assert decision is not None
                assert decision.allowed is theirs, (caller, service, decision.reason)
                decided[theirs] += 1

    try:
        check()
    finally:
        for name in ("edge", "web", "*"):
            ask(peer, "DELETE", f"/v1/config/service-intentions/{name}")
    assert all(decided.values()), decided
    print(f"decided as Consul does: {decided[True]} allowed, {decided[False]} denied")


GET_ITEM, PUT_ITEM = "/lab.v1.Shop/GetItem", "/lab.v1.Shop/PutItem"
ONE_PATH = [{"Action": "allow", "HTTP": {"PathExact": GET_ITEM, "Methods": ["POST"]}}]
IN_ORDER = [
    {"Action": "deny", "HTTP": {"PathPrefix": "/lab.v1.Shop/Put"}},
    {"Action": "allow", "HTTP": {"PathPrefix": "/lab.v1.Shop/"}},
    {"Action": "deny", "HTTP": {"PathPrefix": "/"}},
]
PATTERNS = [
    {"Action": "deny", "HTTP": {"PathRegex": "/lab\\.v1\\..*/(Put|Delete).*", "Methods": ["POST", "PUT"]}},
    {"Action": "allow", "HTTP": {"PathRegex": "/lab\\.v1\\.Shop/.*"}},
]
GUEST, ROLE = {"Name": "x-role", "Suffix": "guest"}, {"Name": "X-Role", "Present": True}
EUROPE, NOT_US = {"Name": "x-zone", "Regex": "eu-[0-9]+"}, {"Name": "x-zone", "Prefix": "us-", "Invert": True}
NOWHERE = {"Name": "x-zone", "Present": True, "Invert": True}
FIELDS = [
    {"Action": "deny", "HTTP": {"PathPrefix": "/", "Header": [GUEST]}},
    {"Action": "allow", "HTTP": {"PathPrefix": "/", "Header": [ROLE, EUROPE]}},
    {"Action": "allow", "HTTP": {"PathPrefix": "/", "Header": [NOT_US]}},
    {"Action": "allow", "HTTP": {"PathExact": "/absent", "Header": [NOWHERE]}},
]
HEADERS: tuple[tuple[tuple[str, str], ...], ...] = (
    (), (("x-role", "admin"),), (("x-role", "guest"),), (("x-role", "admin"), ("x-zone", "eu-1")), (("x-zone", "eu-1x"),),
    (("x-zone", "us-1"),), (("x-role", "admin"), ("x-role", "guest")), (("x-zone", "us-1"), ("x-role", "a"), ("x-zone", "eu-1")),
)  # fmt: skip
PATHS = (
    GET_ITEM,
    PUT_ITEM,
    f"{GET_ITEM}s",
    f"{GET_ITEM}/",
    "/lab.v1.Shop",
    "/",
    "/lab.v1.Pay/PutItem",
    "/absent",
    "//absent",
)


@pytest.mark.envoy
@pytest.mark.skipif(envoy_binary() is None, reason="Envoy is not installed: run make setup")
@pytest.mark.parametrize("permissions", [ONE_PATH, IN_ORDER, PATTERNS, FIELDS], ids=["one", "order", "regex", "fields"])
def test_every_request_is_decided_as_envoy_decides(permissions: list[dict[str, Any]], tmp_path: Path) -> None:
    """The filter Consul makes of it (default deny), asked the same: paths, methods, fields, in every combination."""
    entry = {"Kind": "service-intentions", "Name": "shop", "Sources": [{"Name": "web", "Permissions": permissions}]}
    listed = [{"SourceName": "web", "DestinationName": "shop", "Precedence": 9, "Permissions": permissions}]
    ours = read_intentions({"shop": listed}, "shop", default_allow=False)
    web, seen = MeshService("web", "dc1"), set()
    with sidecar(tmp_path, entry, ["web"]) as envoy:
        for path in PATHS:
            for method in ("POST", "GET"):
                for headers in HEADERS:
                    found = [(name.encode(), value.encode()) for name, value in headers]
                    decision = ours.of_request(web, HttpRequest(method, path, found))
                    theirs = envoy.status("web", path, method, headers)
                    assert theirs == (200 if decision.allowed else 403), (method, path, headers, decision.reason)
                    seen.add(theirs)
    assert seen == {200, 403}
