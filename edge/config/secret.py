"""
Secrets in the configuration: from `${ENV}` or `file:path`, never written inline, never shown.

Owns the rule that a secret's text appears in no repr, str, dump, schema or error. `reveal()` is the one way to it, so that
one grep finds every use. A file's value ends before its last line break, as `echo` and Kubernetes write it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from edge.config.units import wrong as wrong_value

_MAX_FILE_BYTES = 64 * 1024  # a mistaken path (a log, /dev/zero) must not be read whole


def wrong(message: str, fix: str) -> PydanticCustomError:
    """A secret that cannot be used; whoever reports it does not quote the value."""
    return wrong_value(message, fix, kind="edge_secret")


class Substituted(str):
    """Text of which a part came from the environment; only such text, or a file's, may become a Secret."""

    __slots__ = ()


class Referenced:
    """A field whose value is a reference, `${ENV}` or `file:path`, and is shown neither in dumps nor in the schema."""

    __slots__ = ()
    _PATTERN: ClassVar[str] = r"\$\{|^file:"
    _EXAMPLE: ClassVar[str] = "${TOKEN}"

    @classmethod
    def of(cls, value: object, info: ValidationInfo) -> Self:
        """The value that a reference stands for; `info.context["base"]` is where relative paths start. Raises PydanticCustomError."""
        raise NotImplementedError

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            cls.of, serialization=core_schema.to_string_ser_schema(when_used="always")
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": cls._PATTERN, "examples": [cls._EXAMPLE, "file:secrets/token"]}


class Secret(Referenced):
    """A value that does not show itself."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself, for the one place that sends or checks it."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    @classmethod
    def of(cls, value: object, info: ValidationInfo) -> Secret:
        """As in Referenced."""
        if isinstance(value, Secret):
            return value
        if isinstance(value, Substituted):
            return _checked(str(value))
        if isinstance(value, str) and value.startswith("file:"):
            return _checked(_file_text(Path((info.context or {}).get("base", "."), value.removeprefix("file:"))))
        raise wrong(
            "a secret is written into the file", "write ${NAME} and set NAME in the environment, or file:path/to/secret"
        )


def _file_text(path: Path) -> str:
    fix = "create the file, or correct the path after file:"
    if not os.path.isfile(path):  # a pipe or device may never end
        raise wrong(f"{path}: there is no such file", fix)
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise wrong(f"{path}: {error.strerror}", fix) from None
    if len(raw) > _MAX_FILE_BYTES:
        raise wrong(f"{path}: is larger than {_MAX_FILE_BYTES // 1024} KiB", "point file: at the secret alone")
    try:
        return raw.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise wrong(f"{path}: is not UTF-8 text", "write the secret as text, base64 if it is binary") from None


def _checked(text: str) -> Secret:
    """Refuse what could not be sent: nothing at all, or control characters that would end a header."""
    if not text:
        raise wrong("the secret is empty", "set the variable, or write the secret into the file")
    if not text.isprintable():
        raise wrong("the secret holds a line break or another control character", "remove it")
    return Secret(text)
