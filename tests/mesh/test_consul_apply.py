"""Policies put into Consul: idempotent, ours alone, all or none, and safe beside others who write at once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from meshconfig.apply import ApplyError, Target, apply, roll_back
from meshconfig.comparison import Comparison, compare, read_all
from meshconfig.consul import entries
from meshconfig.consul_store import ConfigEntries, StoreError
from meshconfig.document import Options
from meshconfig.items import Entry
from meshconfig.journal import Journal
from meshconfig.normal import consul_entry
from meshconfig.ownership import owner_of
from meshconfig.plan import MeshPlan
from tests.unit.meshconfig.plans import LAB, PAY, SHOP, plan_of

EVERYTHING = """\
targets: [consul]
consul: {mesh_gateway: local, access_logs: true, front: {name: public, port: 8443, hostnames: [api.example.org]}}
default_allow: true
services:
  shop: {namespace: shop, selector: {app: shop}, port: 50051, timeout: 90s, retries: {attempts: 3, on: [unavailable, cancelled]},
         split: {subsets: {v1: {labels: {version: v1}, weight: 90.5},
                           v2: {labels: {version: v2, 'app.kubernetes.io/x': a.b_c}, weight: 9.5}}},
         failover: {datacenters: [dc2]},
         other_callers: [{service: billing, service_account: billing, namespace: billing, rpcs: [lab.v1.Shop/GetItem]}]}
  pay: {namespace: pay, selector: {app: pay}, port: 50052, export_to: [east],
        jwt: {issuer: 'https://issuer.example', jwks_uri: 'https://issuer.example/jwks', audiences: [a, b]}}
  old: {namespace: old, selector: {app: old}, port: 50053, protocol: tcp}
"""
EXPOSED = {"shop": SHOP, "pay": PAY, "old": ("lab.v1.Old/Get",)}


def silent(_: str) -> None:
    """Nobody listens."""


def put(store: ConfigEntries, plan: MeshPlan, tmp_path: Path, *, take_over: bool = False) -> Comparison:
    """Plan and apply."""
    found = compare(plan, read_all(store), Options(), take_over=take_over)
    name = f"journal-{threading.get_ident()}"
    apply(Target(store, owner_of(plan)), found.changes, Journal.begin(tmp_path / name), silent)
    return found


def sources(store: ConfigEntries, name: str = "shop") -> dict[str, Entry]:
    """The sources of an intention, by name."""
    entry = store.read("service-intentions", name)
    return {source["Name"]: source for source in entry["Sources"]} if entry else {}


def state(store: ConfigEntries) -> list[Entry]:
    """Everything that is there, as it compares."""
    return [{**consul_entry(entry), "marks": entry.get("Meta") or {}} for entry in read_all(store)]


class Failing:
    """A Consul that refuses the n-th write."""

    def __init__(self, store: ConfigEntries, at: int) -> None:
        self._store, self._left = store, at
        self.read, self.listed = store.read, store.listed

    def write(self, entry: Entry, cas: int) -> bool:
        self._count()
        return self._store.write(entry, cas)

    def delete(self, kind: str, name: str, cas: int) -> bool:
        self._count()
        return self._store.delete(kind, name, cas)

    def _count(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise StoreError("refused for the test")


class Racing(Failing):
    """A Consul into which somebody else writes right after we have read, the first `times` times."""

    def __init__(self, store: ConfigEntries, rival: Entry, times: int) -> None:
        super().__init__(store, 0)
        self._rival, self._times = rival, times
        self.read = self._raced

    def _raced(self, kind: str, name: str) -> Entry | None:
        held = self._store.read(kind, name)
        if self._times and (kind, name) == (self._rival["Kind"], self._rival["Name"]):
            self._times -= 1
            rival = {"Name": f"rival{self._times}", "Action": "allow"}
            sources = [*(held or {}).get("Sources", ()), rival]
            assert self._store.write({**self._rival, "Sources": sources}, held["ModifyIndex"] if held else 0)
        return held


@pytest.mark.parametrize(("mesh", "exposed"), [(LAB, None), (EVERYTHING, EXPOSED)])
def test_a_second_plan_shows_no_change(
    mesh: str, exposed: dict[str, tuple[str, ...]] | None, store: ConfigEntries, tmp_path: Path
) -> None:
    """Whatever Consul adds to or respells in the entries."""
    plan = plan_of(mesh, exposed)
    first = put(store, plan, tmp_path)
    assert len(first.changes) >= 5
    assert not first.refusals
    assert compare(plan, read_all(store), Options()).changes == ()


def test_changed_by_another_hand_is_drift(store: ConfigEntries, tmp_path: Path) -> None:
    """The field is named, with both values."""
    plan = plan_of()
    put(store, plan, tmp_path)
    entry = store.read("service-defaults", "pay")
    assert entry
    assert store.write({**entry, "Protocol": "http2"}, entry["ModifyIndex"])
    (change,) = compare(plan, read_all(store), Options()).changes
    assert (change.action, str(change.key), change.details) == (
        "change", "service-defaults/pay", ("Protocol: http2 -> grpc",),
    )  # fmt: skip
    put(store, plan, tmp_path)
    assert compare(plan, read_all(store), Options()).changes == ()


def test_a_foreign_source_survives(store: ConfigEntries, tmp_path: Path) -> None:
    """Through create, change and prune of ours; the entry goes only with its last source."""
    foreign = {"Name": "auditor", "Action": "allow", "Description": "by hand"}
    store.write({"Kind": "service-defaults", "Name": "shop", "Protocol": "grpc", "MutualTLSMode": "strict"}, 0)
    store.write({"Kind": "service-intentions", "Name": "shop", "Meta": {"team": "a"}, "Sources": [foreign]}, 0)
    found = put(store, plan_of(), tmp_path)
    assert "service-intentions/shop [auditor]: not ours, lets auditor call all of shop" in found.warnings
    assert set(sources(store)) == {"auditor", "billing", "edge"}
    without = plan_of(LAB, {"shop": SHOP[:1], "pay": PAY})
    put(store, without, tmp_path)
    assert len(sources(store)["edge"]["Permissions"]) == 2
    pay_only = plan_of(
        "targets: [consul]\nservices: {pay: {namespace: pay, selector: {app: pay}, port: 50052}}", {"pay": PAY}
    )
    put(store, pay_only, tmp_path)
    assert sources(store)["auditor"]["Description"] == "by hand"
    assert set(sources(store)) == {"auditor"}
    entry = store.read("service-intentions", "shop")
    assert entry
    assert entry["Meta"] == {"team": "a"}


def test_what_is_foreign_is_a_conflict(store: ConfigEntries, tmp_path: Path) -> None:
    """It is not changed, unless we are told to take it over."""
    store.write({"Kind": "service-defaults", "Name": "shop", "Protocol": "http"}, 0)
    found = compare(plan_of(), read_all(store), Options())
    assert [str(change.key) for change in found.conflicts] == ["service-defaults/shop"]
    put(store, plan_of(), tmp_path, take_over=True)
    entry = store.read("service-defaults", "shop")
    assert entry
    assert (entry["Protocol"], entry["Meta"]["managed-by"]) == ("grpc", "edge:edge")


@pytest.mark.parametrize("at", [1, 2, 3, 5, 7])
def test_one_failed_write_undoes_those_before_it(at: int, store: ConfigEntries, tmp_path: Path) -> None:
    """What was there before is there again: changed entries as they were, created ones gone, parts removed."""
    store.write({"Kind": "service-defaults", "Name": "shop", "Protocol": "http"}, 0)
    store.write({"Kind": "service-intentions", "Name": "shop", "Sources": [{"Name": "auditor", "Action": "allow"}]}, 0)
    before = state(store)
    found = compare(plan_of(EVERYTHING, EXPOSED), read_all(store), Options(), take_over=True)
    told: list[str] = []
    path = tmp_path / "journal"
    with pytest.raises(ApplyError) as failed:
        apply(Target(Failing(store, at), "edge:edge"), found.changes, Journal.begin(path), told.append)
    assert failed.value.kept == ()
    assert state(store) == before
    assert sum(line.startswith("undone") for line in told) == at - 1
    assert not path.exists()


def test_an_interrupted_apply_is_undone_by_its_journal(store: ConfigEntries, tmp_path: Path) -> None:
    """The process died between two writes: the next one finds the journal."""
    path = tmp_path / "journal"
    found = compare(plan_of(), read_all(store), Options())

    class Died(BaseException):
        pass

    def dies(line: str) -> None:
        if "service-intentions" in line:
            raise Died

    with pytest.raises(Died):
        apply(Target(store, "edge:edge"), found.changes, Journal.begin(path), dies)
    assert store.read("service-intentions", "pay")
    with pytest.raises(FileExistsError):
        Journal.begin(path)
    assert roll_back(Target(store, "edge:edge"), Journal(path), silent) == ()
    assert read_all(store) == []
    assert not path.exists()


def test_what_somebody_changed_since_is_not_undone(store: ConfigEntries, tmp_path: Path) -> None:
    """Their change is newer than ours."""
    path = tmp_path / "journal"
    plan = plan_of()

    class Meddled(Failing):
        def write(self, entry: Entry, cas: int) -> bool:
            if entry["Kind"] == "service-intentions":
                held = store.read("service-defaults", "pay")
                assert held
                store.write({**held, "Protocol": "http2"}, held["ModifyIndex"])
                raise StoreError("refused for the test")
            return super().write(entry, cas)

    found = compare(plan, read_all(store), Options())
    with pytest.raises(ApplyError) as failed:
        apply(Target(Meddled(store, 0), "edge:edge"), found.changes, Journal.begin(path), silent)
    assert failed.value.kept == ("service-defaults/pay",)
    assert [entry["Name"] for entry in read_all(store)] == ["pay"]


def test_others_who_write_between_read_and_write_lose_nothing(store: ConfigEntries, tmp_path: Path) -> None:
    """Compare-and-set, and reading anew: theirs is kept and ours arrives."""
    store.write({"Kind": "service-defaults", "Name": "shop", "Protocol": "grpc", "MutualTLSMode": "strict"}, 0)
    racing = Racing(store, {"Kind": "service-intentions", "Name": "shop"}, 3)
    put(racing, plan_of(), tmp_path)
    assert set(sources(store)) == {"rival0", "rival1", "rival2", "billing", "edge"}


def test_two_applies_at_once_lose_no_change(store: ConfigEntries, tmp_path: Path) -> None:
    """Two gateways write the same intentions from two threads; both are in force afterwards, and neither plan shows a change."""
    second = LAB.replace("services:", "gateway: {service: other, service_account: other, namespace: other}\nservices:")
    second = second.replace("service: billing, service_account: billing", "service: audit, service_account: audit")
    plans = [plan_of(), plan_of(second)]
    defaults = {"Protocol": "grpc", "MutualTLSMode": "strict"}
    for name in ("shop", "pay"):
        store.write({"Kind": "service-defaults", "Name": name, **defaults}, 0)
    failures: list[BaseException] = []
    start = threading.Barrier(2)

    def run(plan: MeshPlan) -> None:
        try:
            start.wait()
            put(store, plan, tmp_path)
        except BaseException as error:  # noqa: BLE001  # whatever it is fails the test, not the thread
            failures.append(error)

    threads = [threading.Thread(target=run, args=(plan,)) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert set(sources(store)) == {"edge", "other", "billing", "audit"}
    assert set(sources(store, "pay")) == {"edge", "other"}
    for plan in plans:
        assert compare(plan, read_all(store), Options()).changes == ()


def test_subsets_are_exchanged_in_steps_consul_takes(store: ConfigEntries, tmp_path: Path) -> None:
    """A canary moves from v1/v2 to v2/v3: no order of two writes is taken, three are. Then the split goes altogether."""

    def mesh(*subsets: str) -> str:
        each = ", ".join(f"{name}: {{labels: {{version: {name}}}, weight: 50}}" for name in subsets)
        split = f", split: {{subsets: {{{each}}}}}" if subsets else ""
        return f"targets: [consul]\nservices: {{pay: {{namespace: pay, selector: {{app: pay}}, port: 50052{split}}}}}"

    for subsets in (("v1", "v2"), ("v2", "v3"), ()):
        plan = plan_of(mesh(*subsets), {"pay": PAY})
        put(store, plan, tmp_path)
        assert compare(plan, read_all(store), Options()).changes == ()
    assert store.listed("service-splitter") == []


def test_a_service_turns_tcp_and_back(store: ConfigEntries, tmp_path: Path) -> None:
    """Consul refuses tcp while permissions stand, and permissions while it is tcp."""
    text = "targets: [consul]\nservices: {{pay: {{namespace: pay, selector: {{app: pay}}, port: 50052, protocol: {}}}}}"
    for protocol in ("grpc", "tcp", "grpc"):
        plan = plan_of(text.format(protocol), {"pay": PAY})
        put(store, plan, tmp_path)
        assert compare(plan, read_all(store), Options()).changes == ()


def test_consul_takes_every_entry_as_it_is_generated(store: ConfigEntries) -> None:
    """In the order of the files."""
    plan = plan_of(EVERYTHING, EXPOSED)
    for entry in entries(plan):
        assert store.write(entry, 0), entry
    assert compare(plan, read_all(store), Options()).changes == ()
