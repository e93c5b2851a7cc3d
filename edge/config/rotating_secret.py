"""
A secret that may change while the gateway runs: as Secret, but of `file:path` the path is kept too.

Owns that a token rotated in its file (by Vault, by Kubernetes) needs no reload; whoever uses the secret reads the file again. An empty
value means that there is none, so that `${CONSUL_HTTP_TOKEN:-}` can be written for machines with and without access rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import ValidationInfo

from edge.config.secret import Referenced, Secret


@dataclass(frozen=True, slots=True)
class RotatingSecret(Referenced):
    """`secret` as it was at load, None for none; `file` where it came from, None when it cannot change."""

    _PATTERN: ClassVar[str] = r"\$\{|^file:|^$"
    _EXAMPLE: ClassVar[str] = "${TOKEN:-}"
    secret: Secret | None
    file: Path | None = None

    def __str__(self) -> str:
        return "***" if self.secret else ""

    @classmethod
    def of(cls, value: object, info: ValidationInfo) -> RotatingSecret:
        """As in Referenced."""
        if isinstance(value, RotatingSecret):
            return value
        if value == "":
            return cls(None)
        secret = Secret.of(value, info)
        if isinstance(value, str) and value.startswith("file:"):
            path = Path((info.context or {}).get("base", "."), value.removeprefix("file:")).absolute()
            return cls(secret, path)
        return cls(secret)
