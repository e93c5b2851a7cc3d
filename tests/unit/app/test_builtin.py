"""The services every gateway has."""

from __future__ import annotations

import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest

from edge.app.builtin import BUILTIN, builtin_api, description, local_services
from edge.config.models import Builtin
from edge.descriptors.model import Description, Rpc
from edge.ingress.grpc_health import Health
from edge.routes import ApiRoutes, compile_routes
from edge.upstream.call import UnaryReply, UnaryRequest
from edge.wire.codec import JsonOptions
from edge.wire.engines import engine
from tests.calls import unary
from tests.stub_api import StubApi

CHECK = "/grpc.health.v1.Health/Check"


def test_they_are_health_and_reflection_in_two_versions() -> None:
    """Described whole, so that JSON and reflection know them too."""
    paths = {rpc.path for rpc in description().rpcs}
    assert {CHECK, "/grpc.health.v1.Health/Watch"} <= paths
    for version in ("v1", "v1alpha"):
        assert f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo" in paths
    routes, problems = compile_routes([builtin_api(engine(), Builtin())])
    assert not problems
    assert routes.targets[CHECK].json().request((), "", b'{"service":"x"}', "application/json").message == b"\n\x01x"


async def test_an_api_that_brings_its_own_comes_first() -> None:
    """The operator exposed it on purpose."""
    rpc = Rpc("grpc.health.v1.Health", "Check", "a.In", "a.Out")
    own = ApiRoutes("mine", Description(b"", (rpc,), ()), StubApi(), JsonOptions(), "mine-up", 1.0, 1)
    routes, _ = compile_routes([own, builtin_api(engine(), Builtin())])
    assert routes.targets[CHECK].api == "mine"
    assert routes.targets["/grpc.health.v1.Health/Watch"].api == BUILTIN


async def test_they_know_what_this_generation_exposes() -> None:
    """By its targets."""
    own = ApiRoutes(
        "mine", Description(b"", (Rpc("a.Svc", "Do", "a.In", "a.Out"),), ()), StubApi(), JsonOptions(), "u", 1.0, 1
    )
    routes, _ = compile_routes([own, builtin_api(engine(), Builtin())])
    local = local_services(Health(), routes, [])
    for service, code in (("a.Svc", 0), ("grpc.health.v1.Health", 0), ("b.Svc", 5)):
        reply = await unary(
            local, UnaryRequest(CHECK.encode(), HealthCheckRequest(service=service).SerializeToString())
        )
        assert isinstance(reply, UnaryReply)
        assert reply.code == code


@pytest.mark.parametrize("health", [True, False])
@pytest.mark.parametrize("reflection", [True, False])
def test_each_can_be_turned_off(health: bool, reflection: bool) -> None:
    """Then it is no target, and nothing that health or reflection tell of."""
    routes, problems = compile_routes([builtin_api(engine(), Builtin(health=health, reflection=reflection))])
    assert not problems
    assert (CHECK in routes.targets) is health
    assert any("ServerReflection" in path for path in routes.targets) is reflection
