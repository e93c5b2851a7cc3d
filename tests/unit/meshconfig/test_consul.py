"""Consul's entries as a whole: order, marks, forms."""

from __future__ import annotations

import json

from meshconfig.consul import ORDER, entries, render
from meshconfig.document import Options
from tests.unit.meshconfig.plans import plan_of


def test_entries_come_in_order_of_writing_and_are_marked() -> None:
    """Every one says whose it is, of what it was made, and its own hash."""
    made = entries(plan_of())
    kinds = [entry["Kind"] for entry in made]
    assert kinds == sorted(kinds, key=ORDER.index)
    for entry in made:
        meta = entry["Meta"]
        assert (meta["managed-by"], meta["source"], len(meta["spec-hash"])) == ("edge:edge", "edge.yaml", 16)


def test_only_exposed_services_have_entries() -> None:
    """And no shared entry is written unless asked for."""
    assert {(entry["Kind"], entry["Name"]) for entry in entries(plan_of())} == {
        ("service-defaults", "pay"), ("service-defaults", "shop"), ("service-intentions", "pay"), ("service-intentions", "shop"),
    }  # fmt: skip


def test_three_forms_of_the_same_entry() -> None:
    """JSON and HCL for Consul's own command, custom resources for Kubernetes."""
    documents = render(plan_of())
    assert {document.file.partition("/")[0] for document in documents} == {"json", "hcl", "kubernetes"}
    assert len(documents) == 3 * len(entries(plan_of()))
    assert documents == render(plan_of())


def test_audit_denies_nothing() -> None:
    """Consul has no mode that only reports."""
    assert '"deny"' in json.dumps(entries(plan_of()))
    assert '"deny"' not in json.dumps(entries(plan_of(), Options(audit=True)))
