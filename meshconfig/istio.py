"""
The plan as Istio's resources: who may call a service, and how calls to it are made.

Owns one file a service.
"""

from __future__ import annotations

from meshconfig.document import Document, Options
from meshconfig.istio_access import access
from meshconfig.istio_traffic import traffic
from meshconfig.kubernetes_object import document, file_of
from meshconfig.kubernetes_workload import workload
from meshconfig.plan import MeshPlan


def render(plan: MeshPlan, options: Options = Options()) -> tuple[Document, ...]:  # noqa: B008  # frozen
    """Every resource, service by service."""
    documents = [
        document("istio", file_of(service), body, reason)
        for service in plan.services
        for body, reason in (*access(plan, service, audit=options.audit), *traffic(plan, service))
    ]
    return (*documents, *(workload(plan, "istio") if options.deploy else ()))
