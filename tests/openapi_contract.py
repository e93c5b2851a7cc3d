"""
An OpenAPI document as a contract: which operation a request is, and what of an answer the document does not say.

Uses jsonschema, which shares no code with what makes the documents. Objects are closed for the check, so that a property nobody
documented is told. Two exceptions are the documents' own (docs/openapi.md): NaN and infinities, and enum values newer than the document.
"""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema

Json = dict[str, Any]
_ODD_NUMBERS = {"enum": ["NaN", "Infinity", "-Infinity"]}


class Contract:
    """One document, ready to be held against answers."""

    def __init__(self, whole: Json) -> None:
        self.whole = whole
        self._components = _closed(whole["components"])
        self._paths = [(_pattern(path, item), path) for path, item in whole["paths"].items()]
        self._paths.sort(key=lambda entry: entry[1].count("{"))

    def operation(self, method: str, target: str) -> Json:
        """The operation a request is."""
        path = target.partition("?")[0]
        for pattern, template in self._paths:
            item = self.whole["paths"][template]
            if pattern.fullmatch(path) and method.lower() in item:
                found: Json = item[method.lower()]
                return found
        raise AssertionError(f"{method} {path} is not documented")

    def errors(self, schema: Json, value: Any) -> list[str]:
        """What is wrong with a value by a schema of the document."""
        whole = {**_closed(schema), "components": self._components}
        validator = jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker())
        return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(value)]

    def check(self, method: str, target: str, status: int, content_type: str, body: bytes) -> str:
        """Assert that an answer is as documented; the operation's id."""
        operation = self.operation(method, target)
        response = operation["responses"].get(str(status))
        assert response or status >= 400, f"{method} {target}: {status} is not documented"
        response = response or operation["responses"]["default"]
        if "$ref" in response:
            response = self.whole["components"]["responses"][response["$ref"].rpartition("/")[2]]
        content = response.get("content", {})
        media = content.get(content_type) or content.get("*/*")
        assert media is not None or not body, f"{method} {target}: {content_type} is not documented"
        if media is not None and content_type == "application/json":
            found = self.errors(media["schema"], json.loads(body))
            assert not found, f"{method} {target}: {found}\n{body.decode()}"
        return str(operation["operationId"])


def _pattern(path: str, item: Json) -> re.Pattern[str]:
    operations = [operation for operation in item.values() if isinstance(operation, dict)]
    spanning = {p["name"] for o in operations for p in o.get("parameters", []) if p.get("x-edge-spans-segments")}
    parts = re.split(r"\{(\w+)\}", path)
    texts = [re.escape(p) if i % 2 == 0 else ".*" if p in spanning else "[^/]+" for i, p in enumerate(parts)]
    return re.compile("".join(texts))


def _closed(value: Any) -> Any:
    """Schemas that refuse what they do not name, with the two documented exceptions."""
    if isinstance(value, list):
        return [_closed(item) for item in value]
    if not isinstance(value, dict):
        return value
    out = {key: _closed(item) for key, item in value.items()}
    if isinstance(out.get("properties"), dict):
        out.setdefault("additionalProperties", False)
    if out.get("type") == "number" or out.get("type") == ["number", "null"]:
        return {"anyOf": [out, _ODD_NUMBERS]}
    if isinstance(out.get("enum"), list) and out.get("type") in ("string", "integer"):
        return {"anyOf": [out, {"type": "integer"}]}
    return out
