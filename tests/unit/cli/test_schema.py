"""`edge schema`."""

from __future__ import annotations

from edge.config.reference import markdown
from edge.config.schema import json_schema
from tests.unit.cli.conftest import Edge


def test_json_schema(edge: Edge) -> None:
    """JSON an editor can read."""
    result = edge("schema")
    assert (result.code, result.json) == (0, json_schema())


def test_markdown(edge: Edge) -> None:
    """The reference page, byte for byte."""
    result = edge("schema", "--markdown")
    assert (result.code, result.out) == (0, markdown())
