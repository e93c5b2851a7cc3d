"""Who may call what, as a picture."""

from __future__ import annotations

from xml.etree import ElementTree

from meshconfig.graph import MOST_ROWS, mermaid, svg
from tests.mesh.question import edges
from tests.unit.meshconfig.plans import LAB, plan_of

SVG = "{http://www.w3.org/2000/svg}"


def test_one_line_for_each_allowed_call() -> None:
    """No line is no access."""
    root = ElementTree.fromstring(svg(plan_of()))
    assert len(root.findall(f"{SVG}path")) == len(edges(plan_of()))
    texts = [each.text for each in root.findall(f"{SVG}text")]
    assert {"edge", "billing", "shop", "pay", "lab.v1.Shop/GetItem", "lab.v1.Pay/Charge"} <= set(texts)


def test_many_rpcs_end_in_one_row() -> None:
    """Every line still arrives at a row of the box."""
    plan = plan_of(
        LAB,
        {"shop": ("lab.v1.Shop/GetItem", *(f"lab.v1.Shop/M{number:03}" for number in range(60))), "pay": ("p.P/Q",)},
    )
    root = ElementTree.fromstring(svg(plan))
    texts = [each.text or "" for each in root.findall(f"{SVG}text")]
    assert f"{61 - MOST_ROWS + 1} more RPCs" in texts
    assert max(float(dot.get("cy") or 0) for dot in root.findall(f"{SVG}circle")) < float(root.get("height") or 0)


def test_mermaid() -> None:
    """One arrow a caller and service; one RPC is named, several are counted."""
    assert mermaid(plan_of()).splitlines() == [
        "flowchart LR",
        '  c0["edge<br/>edge/edge-gateway"]',
        '  c1["billing<br/>billing/billing"]',
        '  s0["pay<br/>pay, grpc 50052"]',
        '  c0 -->|"lab.v1.Pay/Charge"| s0',
        '  s1["shop<br/>shop, grpc 50051"]',
        '  c1 -->|"lab.v1.Shop/GetItem"| s1',
        '  c0 -->|"2 RPCs"| s1',
        "  style c0 stroke-width:3px",
    ]


def test_tcp_says_that_it_is_all_or_nothing() -> None:
    """In both."""
    plan = plan_of(LAB.replace("port: 50052", "port: 50052, protocol: tcp"))
    assert "everything (tcp)" in mermaid(plan)
    assert "whoever may call one may call all" in svg(plan)
