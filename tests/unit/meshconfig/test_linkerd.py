"""The plan as Linkerd's resources."""

from __future__ import annotations

from meshconfig import linkerd
from meshconfig.document import Options
from tests.unit.meshconfig.plans import plan_of


def test_a_file_a_service_and_everything_in_the_services_namespace() -> None:
    made = linkerd.render(plan_of())
    assert {document.file for document in made} == {"pay.pay.yaml", "shop.shop.yaml"}
    assert all(document.file == f"{document.namespace}.{document.namespace}.yaml" for document in made)


def test_the_workload_only_when_it_is_asked_for() -> None:
    plan = plan_of()
    assert "Deployment" not in {document.kind for document in linkerd.render(plan)}
    assert "Deployment" in {document.kind for document in linkerd.render(plan, Options(deploy=True))}


def test_the_same_plan_gives_the_same_documents() -> None:
    assert linkerd.render(plan_of()) == linkerd.render(plan_of())
