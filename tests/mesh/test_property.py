"""For any configuration, Consul, Linkerd and Istio let the same callers call the same RPCs: the plan's, no more and no fewer."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from edge.config.models import Config
from meshconfig.build import Exposure, Source, build_plan
from meshconfig.checks.every import problems
from meshconfig.document import Options
from meshconfig.plan import MeshPlan, Rpc
from meshconfig.targets import documents
from tests.mesh.question import callers, planned_edges, probed_edges
from tests.mesh.verdicts import allowed, verdict

ALL = ["consul", "gateway-api", "istio", "kubernetes", "linkerd"]
POOL = [Rpc(service, method) for service in ("a.A", "a.B", "B", "a.A_") for method in ("Get", "GetAll", "_x", "get")]
POOL.append(Rpc("grpc.health.v1.Health", "Check"))

HOMES = ("a", "shop", "b-c")

names = st.from_regex(r"[a-z]([a-z-]{0,3}[a-z])?", fullmatch=True)
some_rpcs = st.lists(st.sampled_from(POOL), min_size=1, max_size=6, unique=True)
weights: st.SearchStrategy[dict[str, float]] = st.sampled_from(
    [{"v1": 90, "v2": 10}, {"v1": 99.99, "v2": 0.01}, {"v1": 100, "v2": 0}, {"v1": 0, "v2": 0}]
)


@st.composite
def services(draw: st.DrawFn, key: str) -> dict[str, Any]:
    """A service of the mesh section; every upstream has its own namespace or port, as the configuration demands."""
    made: dict[str, Any] = {
        "namespace": draw(st.sampled_from(["shop", "a", "a-b"])),
        "selector": {"app": key},
        "port": draw(st.integers(1, 65535)),
        "protocol": draw(st.sampled_from(["grpc", "grpc", "http2", "http", "tcp"])),
        "probes": {"grpc": draw(st.booleans())},
    }
    # Each caller has its identities for itself, in every service's list: a Consul name that is two accounts is one caller in Consul.
    others = draw(st.lists(names, max_size=4, unique=True))
    made["other_callers"] = [
        {"service": name, "service_account": name, "namespace": HOMES[len(name) % 3], "rpcs": wanted}
        for name in others
        for wanted in [[str(rpc) for rpc in draw(some_rpcs)]]
        if name not in {"edge", "edge-gateway"}
    ]
    if made["protocol"] != "tcp":
        if draw(st.booleans()):
            made["rate_limit"] = {"total": 10, "per_client": 5}
        if draw(st.booleans()):
            made["jwt"] = {"issuer": "https://id.example.com", "jwks_uri": "https://id.example.com/keys"}
        if draw(st.booleans()):
            made["split"] = {
                "subsets": {name: {"labels": {"v": name}, "weight": share} for name, share in draw(weights).items()}
            }
        if draw(st.booleans()):
            made |= {"timeout": "1500ms", "retries": {"attempts": 2}}
    return made


@st.composite
def plans(draw: st.DrawFn) -> MeshPlan:
    """A plan of a random configuration."""
    keys = draw(st.lists(names, min_size=1, max_size=3, unique=True).filter(lambda found: "edge" not in found))
    mesh = {
        "targets": ALL,
        "services": {key: draw(services(key)) for key in keys},
        "default_allow": draw(st.booleans()),
    }
    return _plan(mesh, {key: draw(some_rpcs) for key in keys})


def _plan(mesh: dict[str, Any], exposed: dict[str, list[Rpc]]) -> MeshPlan:
    config = Config.model_validate(
        {
            "listeners": [{"bind": "127.0.0.1:8080"}],
            "apis": [{"name": key, "reflection": True, "upstream": key} for key in exposed],
            "upstreams": {key: {"endpoints": ["127.0.0.1:50051"]} for key in exposed},
            "mesh": mesh,
        }
    )
    return build_plan(config, Exposure(exposed, {}), Source("edge.yaml", "edge mesh generate"))[0]


MANY = _plan(
    {"targets": ALL, "services": {"s": {"namespace": "a", "selector": {"app": "s"}, "port": 1}}},
    {"s": [Rpc("a.A", f"M{number}") for number in range(300)]},
)


@example(plan=MANY)
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(plan=plans())
def test_three_meshes_allow_the_same(plan: MeshPlan) -> None:
    """The evaluators' sets are equal to the plan's, by which Linkerd's has the probed health check besides."""
    made = documents(plan, Options())
    planned = planned_edges(plan)
    assert allowed(plan, verdict(plan, made, "consul")) == planned
    assert allowed(plan, verdict(plan, made, "istio")) == planned
    assert allowed(plan, verdict(plan, made, "linkerd")) == planned | probed_edges(plan, callers(plan))


@example(plan=MANY)
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(plan=plans())
def test_no_mesh_would_refuse_what_is_made(plan: MeshPlan) -> None:
    """Names, sizes and admission rules hold whatever is configured."""
    assert problems(documents(plan, Options(deploy=True))) == ()
