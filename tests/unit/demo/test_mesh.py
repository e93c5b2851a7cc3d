"""The demo in a mesh: its configuration makes a plan, and every target takes what is made of it."""

from __future__ import annotations

from pathlib import Path

from edge.cli.mesh_input import checked_documents, plan_of
from edge.demo import mesh, run
from edge.demo.messages import find_root
from edge.demo.ports import Ports
from meshconfig.document import Options
from meshconfig.graph import svg
from tests.mesh.question import edges


def test_the_demos_configuration_makes_a_plan(tmp_path: Path) -> None:
    """The gateway may call what it exposes, the print shop two RPCs; nothing in it would be refused."""
    file = tmp_path / "edge.yaml"
    file.write_text(run.config(Ports(1, 2, 3), find_root()))
    plan = plan_of(file)
    found = {caller.service: {str(rpc) for who, _, rpc in edges(plan) if who == caller} for caller, _, _ in edges(plan)}
    assert found["printshop"] == {"bookstore.v1.Bookstore/GetBook", "bookstore.v1.Bookstore/ListBooks"}
    assert found["edge"] > found["printshop"]
    assert {document.target for document in checked_documents(plan, Options())} == set(mesh.SECTION["targets"])


def test_the_lines_name_the_file() -> None:
    assert "edge mesh plan -c /tmp/x/edge.yaml" in mesh.text(Path("/tmp/x/edge.yaml")).splitlines()


def test_the_page_shows_the_demos_graph(tmp_path: Path) -> None:
    """When this fails: edge demo, edge mesh graph -c its file > docs/pictures/demo-mesh.svg, look at it, and mend docs/mesh.md."""
    file = tmp_path / "edge.yaml"
    file.write_text(run.config(Ports(8080, 9901, 50051), find_root()))
    docs = Path(__file__).parents[3] / "docs"
    assert (docs / "pictures" / "demo-mesh.svg").read_text(encoding="utf-8") == svg(plan := plan_of(file))
    assert f"config-hash {plan.config_hash}" in (docs / "mesh.md").read_text(encoding="utf-8")
