"""`split` and `failover` as a file writes them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from edge.config.mesh_models import Failover, Split
from edge.config.traffic_models import UpstreamFailover, UpstreamSplit


def test_a_split_and_a_failover() -> None:
    """A subset may be instances, an upstream, or the upstream as it stands."""
    split = UpstreamSplit.model_validate(
        {"sticky": "x-user", "subsets": {"a": {"weight": 90}, "b": {"upstream": "shop-b", "weight": 9.99},
                                         "c": {"labels": {"version": "3"}, "weight": 0.01}}}
    )  # fmt: skip
    assert [each.weight for each in split.subsets.values()] == [90.0, 9.99, 0.01]
    assert split.subsets["c"].labels == {"version": "3"}
    failover = UpstreamFailover.model_validate({"datacenters": ["dc2"], "upstreams": ["spare"]})
    assert (failover.datacenters, failover.upstreams) == (("dc2",), ("spare",))


def test_the_mesh_is_told_in_the_same_words() -> None:
    """With who does it beside them."""
    assert Split.model_validate({"subsets": {"a": {"labels": {"v": "1"}}}}).by == "mesh"
    assert Failover.model_validate({"by": "edge", "upstreams": ["spare"]}).by == "edge"


@pytest.mark.parametrize(
    "wrong",
    [{"subsets": {}}, {"subsets": {"a": {"weight": 101}}}, {"subsets": {"a": {"weight": 0.005}}},
     {"sticky": "X-User", "subsets": {"a": {}}}, {"subsets": {"a": {"upstream": ""}}}, {"subsets": {"A_": {}}}],
)  # fmt: skip
def test_what_is_refused(wrong: dict[str, object]) -> None:
    """Weights beyond percent, finer than 0.01; metadata names that are none."""
    with pytest.raises(ValidationError):
        UpstreamSplit.model_validate(wrong)
