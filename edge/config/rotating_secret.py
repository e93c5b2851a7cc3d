"""
A secret that may change while the gateway runs: as Secret, but of `file:path` the path is kept too.

Owns that a token rotated in its file (by Vault, by Kubernetes) needs no reload; whoever uses the secret reads the file again. An empty
value means that there is none, so that `${CONSUL_HTTP_TOKEN:-}` can be written for machines with and without access rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from edge.config.secret import Secret, secret_of


@dataclass(frozen=True, slots=True)
class RotatingSecret:
    """`secret` as it was at load, None for none; `file` where it came from, None when it cannot change."""

    secret: Secret | None
    file: Path | None = None

    def __str__(self) -> str:
        return "***" if self.secret else ""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            _validated, serialization=core_schema.to_string_ser_schema(when_used="always")
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": r"\$\{|^file:|^$", "examples": ["${TOKEN:-}", "file:secrets/token"]}


def _validated(value: object, info: ValidationInfo) -> RotatingSecret:
    if isinstance(value, RotatingSecret):
        return value
    if value == "":
        return RotatingSecret(None)
    secret = secret_of(value, info)
    if isinstance(value, str) and value.startswith("file:"):
        path = Path((info.context or {}).get("base", "."), value.removeprefix("file:")).absolute()
        return RotatingSecret(secret, path)
    return RotatingSecret(secret)
