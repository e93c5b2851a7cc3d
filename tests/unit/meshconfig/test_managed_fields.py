"""What a manager owns, out of managedFields as an API server writes them."""

from __future__ import annotations

import json
from typing import Any

from meshconfig.managed_fields import merged, named, owned

LIVE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {
        "name": "edge",
        "namespace": "n",
        "uid": "u",
        "labels": {"ours": "1", "theirs": "2"},
        "finalizers": ["a", "b"],
        "managedFields": [
            {
                "manager": "edge",
                "operation": "Apply",
                "fieldsV1": {
                    "f:metadata": {"f:labels": {"f:ours": {}}, "f:finalizers": {'v:"a"': {}}},
                    "f:spec": {
                        "f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}, "f:name": {}}},
                        "f:selector": {},
                        "f:gone": {},
                    },
                },
            },
            {"manager": "edge", "operation": "Update", "fieldsV1": {"f:spec": {"f:type": {}}}},
            {"manager": "kubectl", "operation": "Apply", "fieldsV1": {"f:spec": {"f:type": {}}}},
        ],
    },
    "spec": {
        "type": "ClusterIP",
        "selector": {"app": "edge"},
        "ports": [{"port": 80, "protocol": "TCP", "name": "http", "nodePort": 3}, {"port": 81, "protocol": "TCP"}],
    },
}


def test_the_fields_of_one_manager_and_nothing_else() -> None:
    """Items of lists by their keys, members of sets, whole mappings; what is there no more is left out."""
    assert owned(LIVE, "edge") == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "edge", "namespace": "n", "labels": {"ours": "1"}, "finalizers": ["a"]},
        "spec": {"selector": {"app": "edge"}, "ports": [{"port": 80, "protocol": "TCP", "name": "http"}]},
    }


def test_a_manager_that_applied_nothing_owns_the_name_alone() -> None:
    """Applied, it gives everything up."""
    assert owned(LIVE, "other") == {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "edge", "namespace": "n"},
    }  # fmt: skip
    assert json.loads(json.dumps(owned(LIVE, "other"))) == owned(LIVE, "other")


def test_two_bodies_are_merged_the_second_first() -> None:
    """Mappings by key, lists whole."""
    assert merged({"a": {"b": 1, "c": [1]}, "d": 1}, {"a": {"c": [2], "e": None}}) == {
        "a": {"b": 1, "c": [2], "e": None},
        "d": 1,
    }


def test_a_name_is_the_objects_own() -> None:
    """Whatever the body says of it."""
    body = {"metadata": {"name": "x", "labels": {"a": "1"}}}
    assert named(LIVE, body)["metadata"] == {"name": "edge", "namespace": "n", "labels": {"a": "1"}}
