"""All checks of all documents."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshconfig.checks.every import problems
from meshconfig.document import Document, Options
from meshconfig.targets import documents
from tests.unit.meshconfig.checks.bodies import document
from tests.unit.meshconfig.plans import plan_of

TEXT = """\
targets: [linkerd, istio, gateway-api, kubernetes, consul]
services:
  shop: {namespace: shop, selector: {app: shop}, port: 50051%s}
"""


def _documents(more: str = "", *rpcs: str) -> tuple[Document, ...]:
    plan = plan_of(TEXT % more, {"shop": rpcs or ("lab.v1.Shop/Get",)})
    return documents(plan, Options(deploy=True))


def test_what_edge_makes_is_taken() -> None:
    assert problems(_documents()) == ()


@pytest.mark.parametrize(
    ("more", "rpc", "message"),
    [
        ("", "lab.v1.Caf\u00e9/Get", "service must only contain valid characters"),
        ("", f"{'p' * 1025}/Get", "Too long: may not be more than 1024 bytes"),
        (", rate_limit: {total: 1}", "lab.v1.Caf\u00e9/Get", "must only contain valid characters"),
    ],
)
def test_what_a_mesh_would_refuse_is_named_with_its_object(more: str, rpc: str, message: str) -> None:
    """Names no mesh can match are problems, not policies that let nobody in."""
    found = [problem for problem in problems(_documents(more, rpc)) if problem.place == "linkerd/shop.shop.yaml"]
    assert found
    assert message in found[0].message
    assert "Route shop/" in found[0].path


def test_a_clash_and_an_overlap_are_found_across_documents() -> None:
    one = document("Server", {"podSelector": {}, "port": 1})
    assert [problem.message for problem in problems([one, replace(one, file="y.yaml")])] == [
        "has the name of another, in x.yaml",
        "Server spec 'shop/x' already defines a policy for port 1, and selects pods that would be selected by this Server",
    ]


def test_consuls_entries_are_no_manifests() -> None:
    entry = replace(document("Server", {}), body={"Kind": "service-defaults", "Name": "x"})
    assert problems([entry]) == ()
