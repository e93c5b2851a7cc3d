"""The mark."""

from __future__ import annotations

import dataclasses

from meshconfig.ownership import (
    description,
    labels,
    marks,
    owner_in,
    owner_of,
    owner_of_labels,
    owner_of_source,
    spec_hash,
)
from tests.unit.meshconfig.plans import LAB, plan_of


def test_the_mark_names_the_gateway() -> None:
    """Two gateways in one mesh do not take each other's objects for theirs."""
    other = plan_of(LAB.replace("services:", "gateway: {service: other}\nservices:", 1))
    assert (owner_of(plan_of()), owner_of(other)) == ("edge:edge", "edge:other")


def test_what_is_marked_is_read_back() -> None:
    """In Meta, in a source's description, in labels; what is not marked is nobody's."""
    assert owner_of_labels(labels(plan_of())) == owner_of(plan_of())
    assert owner_of_labels({"app.kubernetes.io/managed-by": "Helm", "edge/gateway": "edge"}) == ""
    assert owner_in({"Meta": marks(plan_of(), {"a": 1})}) == "edge:edge"
    assert owner_of_source({"Description": description("edge:edge", {"Name": "x"})}) == "edge:edge"
    assert owner_in({"Meta": None}) == owner_in({}) == owner_of_source({"Description": "of mine, managed-by=x"}) == ""


def test_the_hash_is_of_the_body_whatever_its_order() -> None:
    """And of nothing else."""
    assert spec_hash({"a": 1, "b": 2}) == spec_hash({"b": 2, "a": 1}) != spec_hash({"a": 1})


def test_a_long_command_fits() -> None:
    """Consul takes 512 characters a value."""
    plan = dataclasses.replace(plan_of(), command="x" * 600)
    assert len(marks(plan, {})["command"]) == 512
