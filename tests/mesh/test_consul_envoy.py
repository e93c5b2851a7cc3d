"""The generated intentions on a real Envoy, as the filter Consul would push: exactly the exposed methods pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshconfig.consul import entries
from tests.mesh.consul_rbac import sidecar
from tests.peers.envoy import envoy_binary
from tests.unit.meshconfig.plans import LAB, plan_of

pytestmark = [
    pytest.mark.envoy,
    pytest.mark.skipif(envoy_binary() is None, reason="Envoy is not installed: run make setup"),
]
GET, LIST, PUT = "/lab.v1.Shop/GetItem", "/lab.v1.Shop/ListItems", "/lab.v1.Shop/PutItem"
EVERY_PATH = (
    GET, LIST, PUT, "/", "/lab.v1.Shop", "/lab.v1.Shop/", "/lab.v1.Shop/getitem", f"{GET}/", f"/{GET}", f"{GET}s", f"{GET}%2f",
    "/lab.v1.Shop/../lab.v1.Pay/Charge", "/lab.v1.Pay/Charge", "/grpc.health.v1.Health/Check",
)  # fmt: skip


@pytest.mark.parametrize("default_allow", [False, True])
def test_exactly_the_exposed_methods_pass(default_allow: bool, tmp_path: Path) -> None:
    """Each caller reaches its own RPCs with POST and nothing else; who is not listed reaches nothing."""
    plan = plan_of(f"default_allow: {str(default_allow).lower()}\n{LAB}")
    (entry,) = (each for each in entries(plan) if (each["Kind"], each["Name"]) == ("service-intentions", "shop"))
    may = {"edge": {GET, LIST}, "billing": {GET}, "stranger": set[str]()}
    with sidecar(tmp_path, entry, list(may)) as envoy:
        for caller, allowed in may.items():
            passed = {path for path in EVERY_PATH if envoy.status(caller, path) == 200}
            assert passed == allowed, caller
            assert {envoy.status(caller, path, "GET") for path in (GET, LIST)} == {403}, caller
        assert envoy.status("edge", f"{GET}?x=1") == 200  # a query is no part of a path


ODD_PATHS = (
    *EVERY_PATH, "*", "lab.v1.Shop/GetItem", "//lab.v1.Shop/PutItem", f"/.{GET}", f"/x/..{GET}", f"{GET}/../PutItem", f"{GET}/..",
    f"{GET}#x",
    f"{PUT}#{GET}", f"{PUT}?{GET}", f"{PUT};{GET}", f"{GET};x=1", f"{GET}%00", f"{GET}%20", f"{GET}.", f"{GET}%3f",
    "/lab.v1.Shop%2FPutItem",
    "/lab.v1.Shop%2FGetItem", "/lab.v1.Shop\\PutItem", "/lab%2ev1.Shop/GetItem", "/LAB.V1.SHOP/GETITEM", "/lab.v1.Shop/GetItem2",
    "/lab.v1.Shop/Get", "/lab.v1.Shop/ListItems/GetItem", "/lab.v1.Shop//GetItem", "http://other/lab.v1.Shop/PutItem", f"http://other{GET}",
    "/lab.v1.shop/GetItem", "/lab.v1/Shop/GetItem", "/v1.Shop/GetItem", "/x.lab.v1.Shop/GetItem",
)  # fmt: skip
METHODS = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "post", "Post", "POSTS", "PRI")


@pytest.mark.parametrize("default_allow", [False, True])
@pytest.mark.parametrize("normalizes", [False, True])
def test_no_spelling_of_a_path_or_method_opens_more(default_allow: bool, normalizes: bool, tmp_path: Path) -> None:
    """Whatever Envoy makes of a path: what gets through is, as the service is given it, one of the caller's RPCs, by POST."""
    plan = plan_of(f"default_allow: {str(default_allow).lower()}\n{LAB}")
    (entry,) = (each for each in entries(plan) if (each["Kind"], each["Name"]) == ("service-intentions", "shop"))
    may = {"edge": {GET, LIST}, "billing": {GET}, "stranger": set[str]()}
    with sidecar(tmp_path, entry, list(may), normalizes=normalizes) as envoy:
        for caller, allowed in may.items():
            for path in ODD_PATHS:
                status, seen = envoy.reached(caller, path)
                assert status != 200 or seen.partition("?")[0].partition("#")[0] in allowed, (caller, path, seen)
            assert {envoy.status(caller, GET)} == ({200} if allowed else {403})
            for method in METHODS:
                assert envoy.status(caller, GET, method) != 200, (caller, method)
            overridden = [("x-http-method-override", "POST"), ("x-original-url", GET), ("x-envoy-original-path", GET)]
            assert envoy.reached(caller, PUT, "POST", overridden)[0] == 403
            assert envoy.reached(caller, GET, "GET", overridden)[0] == 403
