"""
The JSON Schema of the configuration file, for editors and for `edge schema`.

Owns what pydantic's own schema gets wrong for readers: generated titles repeat the keys, and bounds on text values
mean nothing. Source: https://json-schema.org/draft/2020-12.
"""

from __future__ import annotations

from typing import Any

from edge.config.models import Config

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NUMERIC_ONLY = {"gt", "ge", "title"}


def json_schema() -> dict[str, Any]:
    """The schema, as plain data."""
    schema = _clean(Config.model_json_schema(mode="validation"))
    return {"$schema": DIALECT, "title": "edge configuration", **schema}


def _clean(schema: Any) -> Any:  # noqa: ANN401  # JSON of any shape
    if isinstance(schema, list):
        return [_clean(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _members(key, value) for key, value in schema.items() if key not in _NUMERIC_ONLY}


def _members(key: str, value: Any) -> Any:  # noqa: ANN401  # JSON of any shape
    """Below `properties` and `$defs` the keys are names, of which none is to be dropped."""
    if key in {"properties", "$defs"}:
        return {name: _clean(item) for name, item in value.items()}
    return value if key in {"default", "examples"} else _clean(value)
