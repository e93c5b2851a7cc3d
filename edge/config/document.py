"""
A configuration file as plain data that remembers its lines.

Owns the step from YAML nodes to dicts, lists and scalars: core-schema types, `<<` merging, duplicate keys found, aliases
expanded within a budget (a few anchors of anchors would otherwise make billions of values), and for every place in
the data the line it was written on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from edge.config.yaml_nodes import MAX_DEPTH, Mapping, Node, Scalar, Sequence, parse
from edge.core.problem import Problem, ProblemsError

MAX_VALUES = 500_000

Loc = tuple[str | int, ...]
"""Where in the data: keys and indexes from the top, as pydantic reports them."""


class Unsubstituted(str):
    """Text whose `${NAME}` could not be replaced: its value is not known, and that has been reported."""

    __slots__ = ()


Data = dict[str, "Data"] | list["Data"] | str | int | float | bool | None

_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,18})|0x[0-9a-fA-F]{1,16}|0o[0-7]{1,21}", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]{1,2})?", re.ASCII)
_CORE: dict[str, bool | None] = {"null": None, "true": True, "false": False}
_WORDS = {form(word): value for word, value in _CORE.items() for form in (str, str.capitalize, str.upper)} | {
    "": None,
    "~": None,
}


@dataclass(slots=True)
class Document:
    """The data of one file. `lines` and `texts` (scalars as written) are keyed by place; `problems` were met on the way."""

    name: str
    data: Data = None
    lines: dict[Loc, int] = field(default_factory=dict)
    texts: dict[Loc, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place(self, loc: Loc) -> str:
        """`file:line` of a place, or of the nearest place around it that was written."""
        for end in range(len(loc), -1, -1):
            if loc[:end] in self.lines:
                return f"{self.name}:{self.lines[loc[:end]]}"
        return self.name

    def add(self, loc: Loc, message: str, fix: str, *, warning: bool = False, line: int | None = None) -> None:
        """Note a problem at a place; `line` where it is not the place's own."""
        place = f"{self.name}:{line}" if line else self.place(loc)
        self.problems.append(Problem(place, printable(dotted(loc)), printable(message), printable(fix), warning))


def read_document(text: str, name: str) -> Document:
    """Parse YAML (or JSON). Raises ProblemsError where no data can be made of it at all."""
    document = Document(name)
    root = parse(_json_as_yaml(text) if text.lstrip().startswith("{") else text, name)
    document.lines[()] = root.line if root else 1
    document.data = _Expansion(document).value(root, ()) if root else {}
    return document


_SURROGATES = re.compile(r"\\\\|\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE)


def _json_as_yaml(text: str) -> str:
    r"""
    The two things JSON has and YAML has not: tabs between tokens, and `\ud83d\ude00` for one character.

    No JSON string holds a raw tab, and a tab becomes one space, so lines and columns stay.
    """
    return _SURROGATES.sub(_character, text.replace("\t", " "))


def _character(match: re.Match[str]) -> str:
    """An escaped backslash as it is, a surrogate pair as its character."""
    if match[1] is None:
        return match[0]
    return bytes.fromhex(match[1] + match[2]).decode("utf-16-be")


def dotted(loc: Loc) -> str:
    """A place as operators write it: `apis[0].http.rules[2].get`."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def printable(text: str) -> str:
    r"""The text with control characters as `\x1b`: a file must not be able to write to the operator's terminal."""
    return (
        text if text.isprintable() else "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
    )


def quoted(value: object) -> str:
    """A wrong value as a message shows it, cut where it is long."""
    text = f'"{value}"' if isinstance(value, str) else _yaml_word(value)
    return text if len(text) <= 80 else f"{text[:76]}..."


def _yaml_word(value: object) -> str:
    words = {None: "null", True: "true", False: "false"}
    if value is None or isinstance(value, bool):
        return words[value]
    return "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list | tuple) else str(value)


_Entries = dict[str, tuple[Scalar, Node]]


class _Expansion:
    """Turns the nodes of one document into data, counting."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._left = MAX_VALUES

    def value(self, node: Node, loc: Loc) -> Data:
        self._count()
        if len(loc) > MAX_DEPTH:
            message = f"nested deeper than {MAX_DEPTH} levels once its aliases are expanded"
            raise ProblemsError([Problem(self._document.place(loc), "", message, "flatten it")])
        if isinstance(node, Scalar):
            return self._scalar(node, loc)
        if isinstance(node, Sequence):
            return [self._child(item, (*loc, index), item.line) for index, item in enumerate(node.items)]
        return self._mapping(node, loc)

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            message = f"more than {MAX_VALUES} values once its aliases are expanded"
            raise ProblemsError([Problem(self._document.name, "", message, "use fewer aliases of aliases")])

    def _child(self, node: Node, loc: Loc, line: int) -> Data:
        self._document.lines[loc] = line
        return self.value(node, loc)

    def _scalar(self, node: Scalar, loc: Loc) -> Data:
        self._document.texts[loc] = node.text
        if node.text:
            self._document.lines[loc] = node.line
        return _typed(node)

    def _mapping(self, node: Mapping, loc: Loc) -> Data:
        entries = self._own_entries(node, loc)
        for key, value in node.entries:
            if _is_merge(key):
                self._merge(key, value, entries, loc)
        return {name: self._child(value, (*loc, name), key.line) for name, (key, value) in entries.items()}

    def _own_entries(self, node: Mapping, loc: Loc) -> _Entries:
        entries: _Entries = {}
        for key, value in node.entries:
            if key.text in entries:
                self._duplicate(key, (*loc, key.text), entries[key.text][0].line)
            elif not _is_merge(key):
                entries[key.text] = (key, value)
        return entries

    def _duplicate(self, key: Scalar, loc: Loc, first: int) -> None:
        message = f'the key "{key.text}" is written twice; the first is on line {first}'
        self._document.add(loc, message, "keep one of them", line=key.line)

    def _merge(self, key: Scalar, value: Node, into: _Entries, loc: Loc) -> None:
        """`<<`: the keys of other mappings that are not written here; of several sources the earlier wins."""
        for source in value.items if isinstance(value, Sequence) else [value]:
            if not isinstance(source, Mapping):
                message = "<< merges mappings, and this is none"
                self._document.add(loc, message, "write `<<: *anchor`", line=key.line)
                continue
            for inner, item in source.entries:
                self._count()
                if _is_merge(inner):
                    self._merge(inner, item, into, loc)
                else:
                    into.setdefault(inner.text, (inner, item))


def _is_merge(key: Scalar) -> bool:
    return key.plain and key.text == "<<"


def _typed(node: Scalar) -> Data:
    """A scalar's value by the YAML 1.2 core schema; quoted or `!!str` is text."""
    if not node.plain and node.tag in {"", "str"}:
        return node.text
    if node.text in _WORDS:
        return _WORDS[node.text]
    if _INT.fullmatch(node.text):
        return int(node.text, 0)
    if _FLOAT.fullmatch(node.text):
        return float(node.text)
    return node.text
