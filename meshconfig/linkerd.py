"""
The plan as Linkerd's resources: who may call a service, and how calls to it are made.

Owns one file a service. Gateway API kinds in it keep to version 1.2.1, which every Linkerd from 2.18 reads in full.
"""

from __future__ import annotations

from meshconfig.document import Document, Options
from meshconfig.kubernetes_object import document, file_of
from meshconfig.kubernetes_workload import workload
from meshconfig.linkerd_access import access
from meshconfig.linkerd_outbound import outbound
from meshconfig.plan import MeshPlan


def render(plan: MeshPlan, options: Options = Options()) -> tuple[Document, ...]:  # noqa: B008  # frozen
    """Every resource, service by service."""
    documents = [
        document("linkerd", file_of(service), body, reason)
        for service in plan.services
        for body, reason in (*access(plan, service, audit=options.audit), *outbound(plan, service))
    ]
    return (*documents, *(workload(plan, "linkerd") if options.deploy else ()))
