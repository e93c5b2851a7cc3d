"""`edge mesh plan` and `verify`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Edge


def test_a_folder_as_it_was_generated_has_no_change(edge: Edge, mesh: Path) -> None:
    """Exit 0, for plan and verify."""
    edge("mesh", "generate", "-o", "out")
    assert (edge("mesh", "plan", "--against", "out").code, edge("mesh", "plan", "--against", "out").out) == (
        0,
        "no change\n",
    )
    assert edge("mesh", "verify", "--against", "out").out == "in force as configured\n"


@pytest.mark.parametrize("flag", ["--audit", "--deploy"])
def test_a_folder_is_compared_with_what_its_flags_make(flag: str, edge: Edge, mesh: Path) -> None:
    """With the same flag nothing differs; without it something does."""
    edge("mesh", "generate", flag, "-o", "out")
    assert edge("mesh", "plan", flag, "--against", "out").out == "no change\n"
    assert edge("mesh", "verify", flag, "--against", "out").code == 0
    assert edge("mesh", "verify", "--against", "out").code == 1


def test_drift_is_exit_1_and_told_in_words(edge: Edge, mesh: Path) -> None:
    """What differs, and who can call what after an apply."""
    edge("mesh", "generate", "-o", "out")
    mesh.write_text(mesh.read_text().replace("[shop.v1.Shop/GetThing]", "[shop.v1.Shop/GetThing, shop.v1.Shop/Watch]"))
    result = edge("mesh", "plan", "--against", "out")
    assert result.code == 1
    assert "~ change service-intentions/shop [billing]" in result.out
    assert "  + billing can now call shop.v1.Shop/Watch of shop\n" in result.out
    assert "  + billing/billing can now call shop.v1.Shop/Watch of shop/app=shop\n" in result.out
    assert edge("mesh", "verify", "--against", "out").code == 1
    data = edge("mesh", "plan", "--against", "out", "--json").json
    assert {each["caller"] for each in data["opens"]} == {"billing", "billing/billing"}
    assert edge("mesh", "verify", "--against", "out", "--json").json["ok"] is False


def test_a_dump_of_a_cluster(edge: Edge, mesh: Path) -> None:
    """A stream of manifests is one."""
    edge("mesh", "generate", "-o", "out")
    Path("dump.yaml").write_text("---\n".join(path.read_text() for path in sorted(Path("out").rglob("*.yaml"))))
    assert edge("mesh", "plan", "--against", "dump.yaml").out == "no change\n"


def test_what_cannot_be_compared_with(edge: Edge, mesh: Path) -> None:
    """A name that is not there is bad input; a Consul that does not answer, and a file that is none, are failures."""
    assert edge("mesh", "plan", "--against", "nowhere").code == 2
    result = edge("mesh", "plan")
    assert (result.code, result.err) == (1, "error: http://127.0.0.1:1: connection refused\n")
    Path("bad.yaml").write_text("- 1\n")
    assert edge("mesh", "plan", "--against", "bad.yaml").code == 1
    mesh.write_text(mesh.read_text().replace("[consul, linkerd, istio]", "[linkerd]"))
    assert "Consul is not among them" in edge("mesh", "plan").err


@pytest.mark.parametrize("command", ["plan", "verify"])
def test_what_a_mesh_would_refuse_is_not_compared(command: str, edge: Edge, mesh: Path) -> None:
    """A plan of it could not be carried out; exit 2, as for generate."""
    edge("mesh", "generate", "-o", "out")
    mesh.write_text(mesh.read_text().replace("  services:", "  gateway: {trust_domain: Corp.Example}\n  services:"))
    result = edge("mesh", command, "--against", "out")
    assert (result.code, result.out) == (2, "")
    assert "is invalid: no DNS-like identity" in result.err
