"""The plan against what Consul holds."""

from __future__ import annotations

from meshconfig.comparison import compare, read_all
from meshconfig.consul import entries
from meshconfig.document import Options
from tests.mesh.consul_entries import MemoryEntries
from tests.unit.meshconfig.plans import LAB, SHOP, plan_of


def filled() -> MemoryEntries:
    store = MemoryEntries()
    for entry in entries(plan_of()):
        assert store.write(entry, 0)
    return store


def test_an_rpc_that_is_exposed_no_more_is_told_in_words() -> None:
    """Read from the entries of both sides."""
    found = compare(plan_of(LAB, {"shop": SHOP[:1], "pay": ("lab.v1.Pay/Charge",)}), read_all(filled()), Options())
    assert [str(each) for each in found.reach] == ["edge can no longer call lab.v1.Shop/ListItems of shop"]
    assert [str(change.key) for change in found.changes] == ["service-intentions/shop [edge]"]


def test_pruning_leaves_everything_but_deletes() -> None:
    """What is missing is not made."""
    text = "targets: [consul]\nservices: {shop: {namespace: shop, selector: {app: shop}, port: 1, timeout: 2s}}"
    found = compare(plan_of(text, {"shop": SHOP}), read_all(filled()), Options(), only_prune=True)
    assert {change.action for change in found.changes} == {"delete"}
    assert {str(change.key) for change in found.changes} == {
        "service-defaults/pay", "service-intentions/pay [edge]", "service-intentions/shop [billing]",
    }  # fmt: skip


def test_what_consul_would_refuse_is_known_before_it_is_asked() -> None:
    """With others' entries taken into account: their failover keeps a service from being exported."""
    store = MemoryEntries()
    store.write({"Kind": "service-resolver", "Name": "pay", "Failover": {"*": {"Datacenters": ["dc2"]}}}, 0)
    found = compare(plan_of(LAB.replace("port: 50052", "port: 50052, export_to: [east]")), read_all(store), Options())
    assert found.refusals == ('peer exported service "pay" contains cross-datacenter failover',)
