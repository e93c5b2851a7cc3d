"""`edge mesh generate`: the policies as files."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.unit.cli.conftest import Edge


def test_a_folder(edge: Edge, mesh: Path) -> None:
    """One subfolder a target; a second run changes nothing."""
    first = edge("mesh", "generate", "-o", "out")
    assert (first.code, first.err) == (0, "")
    assert sorted(path.name for path in Path("out").iterdir()) == ["consul", "istio", "linkerd"]
    assert edge("mesh", "generate", "-o", "out").out.endswith(" files, 0 changed\n")


def test_a_stream(edge: Edge, mesh: Path) -> None:
    """Every manifest, to pipe into kubectl or to read."""
    found = [each for each in yaml.safe_load_all(edge("mesh", "generate").out) if each]
    assert {"Server", "AuthorizationPolicy", "ServiceIntentions"} <= {each.get("kind") for each in found}


def test_the_same_bytes_from_any_folder(edge: Edge, mesh: Path) -> None:
    """The file is named without its path."""
    assert edge("mesh", "generate", "-c", str(mesh)).out == edge("mesh", "generate").out


def test_a_folder_that_cannot_be_written_is_bad_input(edge: Edge, mesh: Path) -> None:
    """With its name."""
    Path("out").write_text("a file")
    result = edge("mesh", "generate", "-o", "out")
    assert (result.code, "out" in result.err) == (2, True)


def test_what_consul_would_refuse_is_not_written(edge: Edge, mesh: Path) -> None:
    """In Consul's words."""
    mesh.write_text(
        mesh.read_text().replace("port: 50051,", "port: 50051, export_to: [east], failover: {datacenters: [dc2]},")
    )
    result = edge("mesh", "generate", "-o", "out")
    assert result.code == 2
    assert 'peer exported service "shop" contains cross-datacenter failover' in result.err
    assert not Path("out").exists()
