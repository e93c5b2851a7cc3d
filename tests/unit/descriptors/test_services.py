"""Which services a description has and exposes."""

from __future__ import annotations

from pathlib import Path

from edge.descriptors import services
from edge.descriptors.descriptor_set import parsed
from edge.descriptors.model import Rpc
from tests.unit.descriptors.sources import compiled

TEXT = """
message M {}
service One { rpc A(M) returns (stream M); rpc B(stream M) returns (M) { option idempotency_level = IDEMPOTENT; } }
service Two { rpc A(M) returns (M); rpc B(M) returns (M) { option idempotency_level = NO_SIDE_EFFECTS; } }
"""


def declared(folder: Path) -> dict[str, services.Declared]:
    """The services of TEXT."""
    return services.declared(parsed(compiled(folder, TEXT), ""))


def test_rpcs_carry_their_types_and_flags(tmp_path: Path) -> None:
    assert declared(tmp_path)["t.One"].rpcs() == [
        Rpc("t.One", "A", "t.M", "t.M", server_streaming=True),
        Rpc("t.One", "B", "t.M", "t.M", client_streaming=True, idempotent=True),
    ]
    assert declared(tmp_path)["t.Two"].rpcs()[1] == Rpc(
        "t.Two", "B", "t.M", "t.M", idempotent=True, side_effect_free=True
    )


def test_services_are_found_by_their_file(tmp_path: Path) -> None:
    assert services.in_files(declared(tmp_path), ["t.proto"]) == ["t.One", "t.Two"]
    assert services.in_files(declared(tmp_path), ["google/api/annotations.proto"]) == []


def test_what_is_named_replaces_the_default_in_the_order_named(tmp_path: Path) -> None:
    chosen, problems = services.exposed(["t.Two", "t.One", "t.Two"], ["t.One"], declared(tmp_path), "apis[0]")
    assert [service.name for service in chosen] == ["t.Two", "t.One"]
    assert problems == []


def test_an_unknown_service_is_a_problem_with_the_closest_name(tmp_path: Path) -> None:
    chosen, (problem,) = services.exposed(["t.One", "t.Tow"], [], declared(tmp_path), "apis[3]")
    assert [service.name for service in chosen] == ["t.One"]
    assert problem.path == "apis[3].services[1]"
    assert problem.message == 'there is no service "t.Tow"'
    assert problem.fix == 'did you mean "t.Two"?'


def test_nothing_to_expose_is_a_problem(tmp_path: Path) -> None:
    _, (problem,) = services.exposed([], [], declared(tmp_path), "apis[0]")
    assert "no service to expose" in problem.message
    assert "t.One" in problem.fix


def test_infrastructure_and_mixins_are_not_exposed_unasked() -> None:
    names = ["grpc.reflection.v1.ServerReflection", "grpc.health.v1.Health", "google.longrunning.Operations", "a.B"]
    assert services.without_infrastructure(names) == ["a.B"]


def test_a_service_of_the_empty_package_has_its_bare_name() -> None:
    assert services.full_name("", "S") == "S"
