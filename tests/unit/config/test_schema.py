"""The JSON Schema: complete, described, and free of what only pydantic understands."""

from __future__ import annotations

import json
from typing import Any

from edge.config.schema import DIALECT, json_schema


def test_it_is_json_with_a_dialect() -> None:
    """Editors read it as it is."""
    schema = json.loads(json.dumps(json_schema()))
    assert schema["$schema"] == DIALECT
    assert set(schema["required"]) == {"listeners", "apis", "upstreams"}
    assert schema["additionalProperties"] is False


def test_every_key_is_described() -> None:
    """The docstring under each field arrives in the editor."""
    schema = json_schema()
    for section in (schema, *schema["$defs"].values()):
        for key, field in section["properties"].items():
            described = field.get("description") or schema["$defs"][field["$ref"].rsplit("/", 1)[1]]["description"]
            assert described, key


def _keys(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(_keys, node)) if node else set()
    if not isinstance(node, dict):
        return set()
    return set(node).union(*map(_keys, node.values())) if node else set()


def test_units_are_text_with_a_pattern() -> None:
    """Bounds that JSON Schema has no word for are left out."""
    schema = json_schema()
    assert schema["$defs"]["Api"]["properties"]["timeout"]["anyOf"][0]["pattern"]
    assert schema["$defs"]["Api"]["properties"]["timeout"]["default"] == "15s"
    assert not _keys(schema) & {"gt", "ge"}


def test_reflection_may_be_true() -> None:
    """What the validator accepts the schema accepts."""
    options = json_schema()["$defs"]["Api"]["properties"]["reflection"]["anyOf"]
    assert {"type": "boolean"} in options
