"""A snapshot's APIs as documents."""

from __future__ import annotations

import json
from pathlib import Path

from edge.app.described import openapi_documents, openapi_sources
from edge.app.snapshot import load_snapshot
from tests.unit.app.configs import config


def test_options_are_the_codecs(tmp_path: Path) -> None:
    """What the configuration says of JSON shapes the document."""
    snapshot = load_snapshot(config(tmp_path, api={"json": {"int64": "number"}, "default_bindings": True}))
    whole = json.loads(openapi_documents(snapshot, ["http://127.0.0.1:8080"])["/openapi.json"])
    assert whole["components"]["schemas"]["shop.v1.Item"]["properties"]["id"] == {"type": "integer", "format": "int64"}
    assert set(whole["paths"]) == {"/v1/items/{id}", "/shop.v1.Shop/Unbound"}
    assert whole["servers"] == [{"url": "http://127.0.0.1:8080"}]


def test_an_api_that_is_not_known_yet(tmp_path: Path) -> None:
    """It has no document until its upstream has told its description."""
    assert openapi_sources(load_snapshot(config(tmp_path, api={"reflection": True}))) == []
