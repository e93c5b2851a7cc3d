"""One spelling for what can be written in several."""

from __future__ import annotations

from typing import Any

import pytest

from meshconfig.normal import consul_entry, manifest, source_key


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (
            {"Kind": "service-defaults", "Name": "x", "Protocol": "GRPC"},
            {
                "Kind": "service-defaults",
                "Name": "x",
                "Protocol": "grpc",
                "CreateIndex": 1,
                "ModifyIndex": 2,
                "Hash": 3,
                "Expose": {},
                "MeshGateway": {"Mode": ""},
                "Namespace": "default",
                "Partition": "default",
                "Meta": {"managed-by": "edge:edge", "command": "x"},
            },
        ),
        (
            {"Kind": "service-router", "Name": "x", "Routes": [{"Destination": {"RequestTimeout": "90s"}}]},
            {
                "Kind": "service-router",
                "Name": "x",
                "Routes": [{"Destination": {"RequestTimeout": "1m30s", "IdleTimeout": "", "NumRetries": 0}}],
            },
        ),
        (
            {"Kind": "service-splitter", "Name": "x", "Splits": [{"Weight": 90.0}]},
            {"Kind": "service-splitter", "Name": "x", "Splits": [{"Weight": 90, "RequestHeaders": None}]},
        ),
        (
            {
                "Kind": "service-intentions",
                "Name": "x",
                "Sources": [{"Name": "b", "Permissions": [{"HTTP": {"Methods": ["POST", "get"]}}]}, {"Name": "a"}],
            },
            {
                "Kind": "service-intentions",
                "Name": "x",
                "Sources": [
                    {"Name": "a", "Precedence": 9, "Type": "consul"},
                    {
                        "Name": "b",
                        "Precedence": 9,
                        "Type": "consul",
                        "Permissions": [{"HTTP": {"Methods": ["GET", "POST"]}}],
                    },
                ],
            },
        ),
        (
            {"Kind": "http-route", "Name": "x"},
            {"Kind": "http-route", "Name": "x", "Hostnames": None, "Status": {"Conditions": [{}]}},
        ),
    ],
)
def test_what_consul_gives_back_equals_what_was_written(written: dict[str, Any], read: dict[str, Any]) -> None:
    """Whatever it added or respelt."""
    assert consul_entry(written) == consul_entry(read)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"Protocol": "grpc"}, {"Protocol": "http2"}),
        ({"Subsets": {"a": {"OnlyPassing": True}}}, {"Subsets": {"a": {"OnlyPassing": False}}}),
        (
            {"Routes": [{"Destination": {"RequestTimeout": "2s"}}]},
            {"Routes": [{"Destination": {"RequestTimeout": "2m"}}]},
        ),
        ({"Meta": {"team": "a"}}, {"Meta": {"team": "b"}}),
    ],
)
def test_what_differs_stays_different(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Nothing that means something is dropped."""
    assert consul_entry({"Kind": "k", "Name": "n", **one}) != consul_entry({"Kind": "k", "Name": "n", **other})


def test_sources_of_peers_are_others() -> None:
    """Even with the same name."""
    assert (
        source_key({"Name": "a", "Partition": "default"})
        == source_key({"Name": "a"})
        != source_key({"Name": "a", "Peer": "p"})
    )


def test_a_manifest_without_what_the_cluster_writes() -> None:
    """Its own fields stay, false and empty ones too."""
    ours = {"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}, "spec": {"on": False, "list": []}}
    theirs = {
        **ours,
        "metadata": {
            "name": "x",
            "uid": "1",
            "resourceVersion": "2",
            "annotations": {"edge/command": "c"},
            "managedFields": [],
        },
        "status": {"ready": True},
    }
    assert manifest(theirs) == manifest(ours)
    assert manifest(ours)["spec"] == {"on": False, "list": []}
