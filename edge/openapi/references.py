"""
References to component schemas: made and renamed.

Owns their spelling. A schema for requests gets its message's plain name where the document has no other one for it.
Source: OpenAPI 3.1.1 section 4.8.23.
"""

from __future__ import annotations

from collections.abc import Mapping

from edge.openapi.source import Json, JsonValue

_PREFIX = "#/components/schemas/"


def reference(name: str) -> Json:
    """A reference to a component schema."""
    return {"$ref": _PREFIX + name}


def renamed(value: JsonValue, names: Mapping[str, str]) -> JsonValue:
    """A JSON value with its references to component schemas renamed."""
    if isinstance(value, dict):
        out = {key: renamed(inner, names) for key, inner in value.items()}
        target = out.get("$ref")
        if isinstance(target, str) and target.startswith(_PREFIX):
            name = target.removeprefix(_PREFIX)
            out["$ref"] = _PREFIX + names.get(name, name)
        return out
    return [renamed(inner, names) for inner in value] if isinstance(value, list) else value


def with_plain_names(components: Mapping[str, Json], suffixes: tuple[str, ...]) -> dict[str, str]:
    """New names for the components whose suffix tells nothing, because the document has no schema of the plain name."""
    names: dict[str, str] = {}
    for name in components:
        for suffix in suffixes:
            plain = name.removesuffix(suffix)
            if plain != name and plain not in components and plain not in names.values():
                names[name] = plain
    return names
