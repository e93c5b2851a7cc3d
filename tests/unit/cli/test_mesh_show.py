"""`edge mesh graph` and `explain`."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from tests.unit.cli.conftest import Edge


def test_graph(edge: Edge, mesh: Path) -> None:
    """SVG, or Mermaid."""
    assert ElementTree.fromstring(edge("mesh", "graph").out).tag.endswith("svg")
    assert edge("mesh", "graph", "-f", "mermaid").out.startswith("flowchart LR\n")


def test_explain(edge: Edge, mesh: Path) -> None:
    """Exit 0 when somebody is let in, 1 when nobody is."""
    result = edge("mesh", "explain", "shop.v1.Shop/GetThing")
    assert result.code == 0
    assert (
        "consul: billing may call shop.v1.Shop/GetThing of shop\n    by service-intentions/shop source billing permission 1\n"
        in result.out
    )
    assert {each["mesh"] for each in edge("mesh", "explain", "/shop.v1.Shop/Watch", "--json").json["allowed"]} == {
        "consul",
        "linkerd",
        "istio",
    }
    nobody = edge("mesh", "explain", "shop.v1.Shop/GetThin")
    assert (nobody.code, nobody.out) == (
        1,
        'nobody is let in to call shop.v1.Shop/GetThin; did you mean "shop.v1.Shop/GetThing"?\n',
    )


def test_the_picture_in_the_docs_is_current(edge: Edge) -> None:
    """When this fails: edge mesh graph -c docs/examples/mesh.yaml > docs/pictures/mesh-graph.svg, and look at it."""
    docs = Path(__file__).parents[3] / "docs"
    assert (docs / "pictures" / "mesh-graph.svg").read_text() == edge(
        "mesh", "graph", "-c", str(docs / "examples" / "mesh.yaml")
    ).out
