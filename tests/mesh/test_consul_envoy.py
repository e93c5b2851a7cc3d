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
