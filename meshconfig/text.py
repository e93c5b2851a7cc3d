"""
A document's body as text: YAML, JSON or HCL, always the same bytes for the same body.

Owns the order of keys (what names an object first, then by alphabet) and the quoting. Order in lists is kept: it may mean something.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

_FIRST = (
    "apiVersion", "kind", "metadata", "Kind", "Name", "name", "namespace", "labels", "annotations", "Action", "action",
)  # fmt: skip
_LAST = ("spec", "Meta")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def ordered(value: object) -> Any:  # noqa: ANN401  # the value, of the same shape
    """The value with every mapping's keys in conventional order."""
    if isinstance(value, Mapping):
        return {key: ordered(value[key]) for key in sorted(value, key=_rank)}
    return [ordered(inner) for inner in value] if isinstance(value, list | tuple) else value


def _rank(key: str) -> tuple[int, str]:
    if key in _FIRST:
        return _FIRST.index(key), ""
    return (len(_FIRST) + 1, f"{_LAST.index(key)}") if key in _LAST else (len(_FIRST), key)


def as_json(body: Mapping[str, Any]) -> str:
    """Indented; JSON has no comments."""
    return json.dumps(ordered(body), indent=2, ensure_ascii=False) + "\n"


def as_yaml(body: Mapping[str, Any]) -> str:
    """One document, without anchors."""
    text: str = yaml.dump(ordered(body), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text


class _Dumper(yaml.SafeDumper):
    """Lists are indented, and equal parts written out: an alias would make a reader look elsewhere."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def as_hcl(body: Mapping[str, Any]) -> str:
    """HCL 1, as `consul config write` reads it."""
    return "".join(f"{line}\n" for key, value in ordered(body).items() for line in _assigned(key, value, ""))


def _assigned(key: str, value: object, indent: str) -> Iterator[str]:
    head, *rest = _hcl(value, indent)
    yield f"{indent}{key if _PLAIN.fullmatch(key) else _quoted(key)} = {head}"
    yield from rest


def _hcl(value: object, indent: str) -> list[str]:
    inner = indent + "  "
    if isinstance(value, Mapping):
        if not value:
            return ["{}"]
        return ["{", *(line for key, each in value.items() for line in _assigned(key, each, inner)), f"{indent}}}"]
    if isinstance(value, list):
        if not any(isinstance(each, Mapping | list) for each in value):
            return [f"[{', '.join(_hcl(each, inner)[0] for each in value)}]"]
        lines = ["["]
        for each in value:
            head, *rest = _hcl(each, inner)
            lines += [inner + head, *rest]
            lines[-1] += ","
        return [*lines, f"{indent}]"]
    return [_quoted(value) if isinstance(value, str) else json.dumps(value)]


def _quoted(text: str) -> str:
    """HCL 1 has JSON's escapes, and replaces `${`: `$${` is how it is written."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${")
