"""Names and marks of Kubernetes objects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshconfig.kubernetes_object import (
    CUSTOM_RESOURCE,
    SERVICE,
    digest,
    document,
    file_of,
    manifest,
    object_name,
    pods_of,
)
from tests.unit.meshconfig.plans import plan_of

LABEL = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)


def test_short_names_are_what_they_say() -> None:
    assert object_name("shop", "rest") == "shop-rest"


def test_a_long_name_is_cut_and_told_from_its_neighbour() -> None:
    """Two names that differ only beyond the cut stay two."""
    one, other = (object_name("s" * 63, "x" * 62 + end, limit=SERVICE) for end in "yz")
    assert len(one) == len(other) == SERVICE
    assert one != other


@given(parts=st.lists(LABEL, min_size=1, max_size=8), limit=st.sampled_from([SERVICE, CUSTOM_RESOURCE]))
def test_names_fit_and_stay(parts: list[str], limit: int) -> None:
    """Never too long, never with a dash at the end, the same each time."""
    name = object_name(*parts, limit=limit)
    assert len(name) <= limit
    assert name[0] != "-"
    assert name[-1] not in "-."
    assert name == object_name(*parts, limit=limit)


def test_a_cut_never_leaves_a_dash_before_the_hash() -> None:
    """`a--hash` would be allowed, `a.-hash` would not."""
    assert "--" not in object_name("a" * 53, "b" * 20, limit=SERVICE)


@pytest.mark.parametrize(("one", "other"), [(("a-b", "c"), ("a", "b-c")), (("a", "bc"), ("ab", "c"))])
def test_a_hash_knows_where_the_parts_end(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert digest(*one) != digest(*other)


def test_an_object_says_whose_it_is_and_of_what_it_was_made() -> None:
    plan = plan_of()
    body = manifest(plan, ("v1", "Service"), "shop", "x", {"spec": {}}, {"a": "b"})
    meta = body["metadata"]
    assert meta["labels"] == {"app.kubernetes.io/managed-by": "edge", "edge/gateway": "edge"}
    assert meta["annotations"]["edge/managed-by"] == "edge:edge"
    assert meta["annotations"]["edge/config-hash"] == plan.config_hash
    assert meta["annotations"]["a"] == "b"
    made = document("linkerd", "f.yaml", body, "why")
    assert (made.kind, made.namespace, made.name, made.reason) == ("Service", "shop", "x", "why")


def test_the_hash_of_a_body_is_of_the_body() -> None:
    """Another body has another, the same body the same, so that a change by another hand shows."""
    plan = plan_of()

    def hash_of(spec: dict[str, int]) -> str:
        return str(manifest(plan, ("v1", "S"), "n", "x", {"spec": spec})["metadata"]["annotations"]["edge/spec-hash"])

    assert hash_of({"a": 1}) == hash_of({"a": 1})
    assert hash_of({"a": 1}) != hash_of({"a": 2})


def test_a_service_has_a_file_and_its_pods_labels() -> None:
    service = plan_of().services[-1]
    assert file_of(service) == "shop.shop.yaml"
    assert pods_of(service) == {"app": "shop"}
