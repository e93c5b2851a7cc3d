"""
An API server's judgement of a manifest: structural schema, defaults, CEL rules, by the meshes' real custom resource definitions.

The definitions are no part of the project. `MESH_SCHEMAS` names a folder of them (one JSON file per `group/Kind-version`, each the
openAPIV3Schema); without it `.cache/mesh-schemas` is looked into. Source: apiextensions, "Specifying a structural schema".
"""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import celpy
import pytest
from celpy import celtypes
from celpy.adapter import json_to_cel
from celpy.evaluation import CELEvalError
from jsonschema import Draft7Validator

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = Path(os.environ.get("MESH_SCHEMAS") or ROOT / ".cache" / "mesh-schemas")

needs_schemas = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="no custom resource definitions: set MESH_SCHEMAS to their folder"
)

Schema = dict[str, Any]
_ESCAPED = re.compile(r"\.__(\w+?)__")
_INLINE_FLAG = re.compile(r"^\^\(\?i\)")


def violations(manifest: Mapping[str, Any]) -> list[str]:
    """Why an API server would refuse it; empty when it would not."""
    group, _, version = str(manifest["apiVersion"]).rpartition("/")
    found = schema_of(group, str(manifest["kind"]), version)
    body = {key: value for key, value in manifest.items() if key not in {"apiVersion", "kind", "metadata"}}
    errors = [f"{'.'.join(map(str, error.path))}: {error.message}" for error in _validator(found).iter_errors(body)]
    return errors or list(_broken_rules(found, defaulted(found, body)))


def is_custom(manifest: Mapping[str, Any]) -> bool:
    """Whether a custom resource definition says what it may be."""
    group = str(manifest["apiVersion"]).rpartition("/")[0]
    return group.endswith(("linkerd.io", "istio.io", "gateway.networking.k8s.io", "consul.hashicorp.com"))


def schema_of(group: str, kind: str, version: str) -> Schema:
    """The definition; its absence is a failure: a kind nobody can check must not pass."""
    return _read(FOLDER / group / f"{kind}-{version}.json")


@cache
def _read_text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _read(path: Path) -> Schema:
    found: Schema = json.loads(_read_text(path))
    return found


def _validator(schema: Schema) -> Draft7Validator:
    return Draft7Validator(plain(schema))


def plain(schema: Any) -> Any:
    """Kubernetes' dialect as Draft 7: unknown fields are refused, ints or strings and nulls are said in words."""
    if isinstance(schema, list):
        return [plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: value if key in {"enum", "required"} else plain(value) for key, value in schema.items()}
    if made.pop("x-kubernetes-int-or-string", False):
        made["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    if made.pop("nullable", False) and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    properties = made.get("properties")
    if isinstance(properties, dict) and made.get("type") == "object" and "additionalProperties" not in made:
        made["additionalProperties"] = bool(made.get("x-kubernetes-preserve-unknown-fields", False))
    return made


def defaulted(schema: Schema, value: Any) -> Any:
    """The value as the API server stores it, which is what CEL sees."""
    if isinstance(value, dict):
        made = dict(value)
        for name, inner in (schema.get("properties") or {}).items():
            if name not in made and "default" in inner:
                made[name] = copy.deepcopy(inner["default"])
            if name in made:
                made[name] = defaulted(inner, made[name])
        more = schema.get("additionalProperties")
        if isinstance(more, dict):
            made = {key: defaulted(more, inner) for key, inner in made.items()}
        return made
    if isinstance(value, list):
        return [defaulted(schema.get("items") or {}, each) for each in value]
    return value


def _broken_rules(schema: Schema, value: Any) -> Iterator[str]:
    for rule in schema.get("x-kubernetes-validations") or ():
        if "oldSelf" not in rule["rule"] and not holds(rule["rule"], value):
            yield rule.get("message") or rule["rule"]
    if isinstance(value, dict):
        for name, inner in value.items():
            below = (schema.get("properties") or {}).get(name) or schema.get("additionalProperties")
            if isinstance(below, dict):
                yield from _broken_rules(below, inner)
    elif isinstance(value, list):
        for each in value:
            yield from _broken_rules(schema.get("items") or {}, each)


def holds(rule: str, value: Any) -> bool:
    """Whether a CEL rule is true of a value. One that cannot be evaluated is not: the API server refuses then, too."""
    try:
        return bool(_program(rule).evaluate({"self": json_to_cel(value)}))
    except CELEvalError:
        return False


class Url(celtypes.StringType):
    """What `url()` gives."""


def _get_scheme(url: celtypes.StringType) -> celtypes.StringType:
    return celtypes.StringType(urlsplit(str(url)).scheme)


def _matches(text: celtypes.StringType, pattern: celtypes.StringType) -> celtypes.BoolType:
    """RE2 takes `^(?i)`, Python only `(?i)^`; `$` is the end there, not the last line's."""
    fixed = _INLINE_FLAG.sub("(?i)^", str(pattern))
    fixed = fixed[:-1] + r"\Z" if fixed.endswith("$") else fixed
    return celtypes.BoolType(re.search(fixed, str(text), re.ASCII) is not None)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "matches": _matches,
    "url": lambda text: Url(str(text)),
    "getScheme": _get_scheme,
}


@cache
def _program(rule: str) -> Any:
    environment = celpy.Environment()
    # `__namespace__` is how a field is written whose name is a word of CEL.
    return environment.program(environment.compile(_ESCAPED.sub(r".\1", rule)), functions=_FUNCTIONS)
