"""
Human units in the configuration: `250ms`, `64KiB`, `host:port`, `${ENV}` and `file:` secrets.

Owns their grammar and their error texts. Below the configuration layer each is a plain value: Seconds is a float, Bytes an
int, Address a pair, Secret a holder that never prints. No message quotes the value: `problems` does, and knows when not to.
Sizes: IEC 80000-13 (KiB = 1024), SI (kB, MB = powers of 1000).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

JsonSchema = dict[str, Any]
T = TypeVar("T", bound=float)

_DURATION = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)\s*(ms|s|m|h)", re.ASCII)
_SECONDS_PER = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_YEAR_S = 366 * 24 * 3600.0

_SIZE = re.compile(r"(\d{1,15})\s*([A-Za-z]*)", re.ASCII)
_BYTES_PER = {
    "": 1, "B": 1,
    "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3,
    "kB": 1000, "KB": 1000, "MB": 1000**2, "GB": 1000**3,
}  # fmt: skip


def wrong(message: str, fix: str, *, kind: Literal["edge", "edge_secret"] = "edge") -> PydanticCustomError:
    """A value that is not what its type asks for; `fix` says what to write. An `edge_secret` is never quoted."""
    return PydanticCustomError(kind, "{message}", {"message": message, "fix": fix})


def parsed(cls: type[T], parse: Callable[[object], T], plain: Callable[[T], object]) -> CoreSchema:
    """
    The schema of a unit type: its own instances pass, all else is parsed; `plain` makes the value that is kept.

    As JSON it is what an operator would write.
    """
    return core_schema.no_info_plain_validator_function(
        lambda value: plain(value if isinstance(value, cls) else parse(value)),
        serialization=core_schema.plain_serializer_function_ser_schema(
            lambda value: str(cls(value)), when_used="json", return_schema=core_schema.str_schema()
        ),
    )


class Seconds(float):
    """A duration in seconds, written with its unit. A bare number is refused: nobody agrees on what 500 means."""

    @classmethod
    def parse(cls, value: object) -> Seconds:
        """Seconds of `250ms`, `2s`, `5m`, `1h`; at most a year."""
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            raise wrong("has no unit", f"write {value}s (or ms, m, h)")
        match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            raise wrong(*_not_a_duration(value))
        seconds = float(match[1]) * _SECONDS_PER[match[2]]
        if seconds > _YEAR_S:
            raise wrong("is longer than a year", "write a duration such as 1h")
        return cls(round(seconds, 9))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return parsed(cls, cls.parse, float)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return {"type": "string", "pattern": r"^\d+(\.\d+)?\s*(ms|s|m|h)$", "examples": ["250ms", "15s", "5m", "1h"]}

    def __str__(self) -> str:
        """As the operator would write it: the largest unit that leaves a whole number."""
        for unit, per in (("h", 3600.0), ("m", 60.0), ("s", 1.0)):
            if self >= per and self % per == 0:
                return f"{self / per:.0f}{unit}"
        return f"{_decimal(self * 1000)}ms" if 0 < self < 1 else f"{_decimal(self)}s"


def _decimal(number: float) -> str:
    """Digits without an exponent, as durations are written."""
    return f"{number:.6f}".rstrip("0").rstrip(".")


def _not_a_duration(value: object) -> tuple[str, str]:
    bare = isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?", value.strip())
    if bare:
        return "has no unit", f"write {bare[0]}s (or ms, m, h)"
    return "is not a duration", "write a number and a unit: 250ms, 2s, 5m or 1h"


class Bytes(int):
    """A size in bytes; a bare number counts bytes."""

    @classmethod
    def parse(cls, value: object) -> Bytes:
        """Bytes of `64KiB`, `4MiB`, `1MB` or a bare whole number."""
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return cls(value)
        match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None or match[2] not in _BYTES_PER:
            raise wrong("is not a size", "write a whole number and a unit: 512, 64KiB, 4MiB or 1MB")
        return cls(int(match[1]) * _BYTES_PER[match[2]])

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return parsed(cls, cls.parse, int)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": r"^\d+\s*(B|kB|KB|MB|GB|KiB|MiB|GiB)?$"},
            ],
            "examples": ["64KiB", "4MiB", "1MB", 65536],
        }

    def __str__(self) -> str:
        """As the operator would write it: the largest binary unit that leaves a whole number."""
        for unit in ("GiB", "MiB", "KiB"):
            if self and self % _BYTES_PER[unit] == 0:
                return f"{int(self) // _BYTES_PER[unit]}{unit}"
        return int.__repr__(self)


def no_bool(value: object) -> object:
    """A count is no truth value, though Python's bool is an int."""
    if isinstance(value, bool):
        raise wrong("is not a whole number", "write a number such as 100")
    return value


def written_as_text(value: object) -> object:
    """`1.2` is a version here, not a number: YAML reads it as one unless it is quoted."""
    return str(value) if isinstance(value, float) else value


def true_as_section(value: object) -> object:
    """`true` means the section with all its defaults, `false` means no such section."""
    return {} if value is True else None if value is False else value
