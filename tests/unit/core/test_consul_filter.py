"""Labels as Consul's filter expressions; that Consul takes them is seen in tests/consul and tests/mesh."""

from __future__ import annotations

from edge.core.consul_filter import metadata_filter


def test_plain_keys_are_selectors_and_others_are_quoted() -> None:
    assert metadata_filter({"version": "2"}) == 'Service.Meta.version == "2"'
    assert metadata_filter({"app.kubernetes.io/name": "shop"}) == 'Service.Meta["app.kubernetes.io/name"] == "shop"'


def test_all_labels_must_be_there_in_one_order() -> None:
    """The order of the file does not show: what is generated is byte-stable."""
    assert metadata_filter({"b": "2", "a": "1"}) == 'Service.Meta.a == "1" and Service.Meta.b == "2"'
