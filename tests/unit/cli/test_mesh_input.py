"""What `edge mesh` works on."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.cli.mesh_input import plan_of
from edge.core.problem import ProblemsError
from tests.unit.cli.conftest import Edge


def test_every_rpc_a_client_can_call_is_exposed(mesh: Path) -> None:
    """With an HTTP binding or without; the gateway's own services are nobody's upstream."""
    plan = plan_of(mesh)
    (gateway,) = (each for each in plan.allowed if each.caller.service == "edge")
    assert [rpc.method for rpc in gateway.rpcs] == ["CreateThing", "GetThing", "UpdateThing", "Watch"]
    assert {rpc.service for rpc in gateway.rpcs} == {"shop.v1.Shop"}


def test_what_only_the_upstream_can_describe_is_refused(mesh: Path) -> None:
    """What is not known cannot be allowed; the setting is named."""
    mesh.write_text(mesh.read_text().replace("protos: {roots: [protos], files: [shop.proto]}", "reflection: true"))
    with pytest.raises(ProblemsError, match="only the running upstream can say"):
        plan_of(mesh)


def test_a_misspelt_rpc_of_another_caller_is_exit_2(edge: Edge, mesh: Path) -> None:
    """With its line and the right one."""
    mesh.write_text(mesh.read_text().replace("shop.v1.Shop/GetThing", "shop.v1.Shop/GetThin"))
    result = edge("mesh", "plan")
    assert result.code == 2
    assert "edge.yaml:16: mesh.services.shop.other_callers[0].rpcs[0]: error:" in result.err
    assert 'did you mean "shop.v1.Shop/GetThing"?' in result.err


def test_a_file_without_a_mesh_is_exit_2(edge: Edge, shop: Path) -> None:
    """With what to add."""
    result = edge("mesh", "generate")
    assert (result.code, "add mesh: " in result.err) == (2, True)
