"""Every target has its renderer."""

from __future__ import annotations

from typing import get_args

from edge.config.mesh_models import Mesh
from meshconfig.document import Options
from meshconfig.targets import RENDERERS, documents
from tests.unit.meshconfig.plans import LAB, plan_of


def test_every_target_that_can_be_written_can_be_rendered() -> None:
    """None is missing from the table."""
    assert set(RENDERERS) == set(get_args(Mesh))


def test_only_what_is_asked_for_is_rendered() -> None:
    """Documents carry their target."""
    plan = plan_of(LAB.replace("[consul]", "[istio, linkerd]"))
    assert {document.target for document in documents(plan, Options())} == {"istio", "linkerd"}
