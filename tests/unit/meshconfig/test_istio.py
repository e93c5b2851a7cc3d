"""The plan as Istio's resources."""

from __future__ import annotations

from meshconfig import istio
from meshconfig.document import Options
from tests.unit.meshconfig.plans import plan_of


def test_every_service_has_mutual_tls_and_a_policy() -> None:
    made = istio.render(plan_of())
    for namespace in ("shop", "pay"):
        kinds = [document.kind for document in made if document.namespace == namespace]
        assert kinds == ["PeerAuthentication", "AuthorizationPolicy", "DestinationRule"]


def test_the_workload_only_when_it_is_asked_for() -> None:
    assert "Deployment" in {document.kind for document in istio.render(plan_of(), Options(deploy=True))}
    assert "Deployment" not in {document.kind for document in istio.render(plan_of())}
