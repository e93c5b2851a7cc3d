"""
YAML text as a tree of nodes with line numbers.

Owns what of YAML a configuration may use: one document, the YAML 1.2 core types (so `no` is text and `8080:30` is no number),
anchors, aliases and `<<`; no other tags. Nesting is bounded, and the tree is made from parse events: PyYAML's own composer
recurses without a bound, and its C version crashes the process on deep nesting. Source: https://yaml.org/spec/1.2.2/.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from yaml import events

from edge.core.problem import Problem, ProblemsError

MAX_DEPTH = 64
SCALAR_TAGS = {"str", "int", "float", "bool", "null"}
_TAG = "tag:yaml.org,2002:"
_EXPLAINED_CHARACTERS = 256 * 1024
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as written. `plain` is unquoted; `tag` an explicit tag without its prefix, or empty. Lines count from 1."""

    text: str
    plain: bool
    tag: str
    line: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: list[Node]
    line: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in the order written, duplicates included."""

    entries: list[tuple[Scalar, Node]]
    line: int


Node = Scalar | Sequence | Mapping


def parse(text: str, name: str) -> Node | None:
    """The one document in `text`, None when it is empty. Raises ProblemsError with `name:line:column` of the first fault."""
    try:
        return _compose(text, name, _Loader)
    except yaml.YAMLError as error:
        raise ProblemsError([_syntax_problem(_explained(error, text, name), text, name)]) from None


def _compose(text: str, name: str, loader: Any) -> Node | None:  # noqa: ANN401  # either of two unrelated loader classes
    # Events are taken one by one, so that what is nested too deep is refused before it is read to its end.
    return _Composer(name, iter(yaml.parse(text, Loader=loader))).document()


def _explained(error: yaml.YAMLError, text: str, name: str) -> yaml.YAMLError:
    """The same fault as the parser in Python puts it: slower by far, but its messages are the better ones."""
    if len(text) > _EXPLAINED_CHARACTERS:
        return error
    try:
        _compose(text, name, yaml.SafeLoader)
    except yaml.YAMLError as better:
        return better
    return error


class _Composer:
    """Makes nodes of events; holds the anchors of one document."""

    def __init__(self, name: str, stream: Iterator[events.Event]) -> None:
        self._name = name
        self._events = stream
        self._anchors: dict[str, Node] = {}

    def document(self) -> Node | None:
        next(self._events)  # StreamStart
        if isinstance(next(self._events), events.StreamEndEvent):
            return None
        root = self._node(next(self._events), 0)
        next(self._events)  # DocumentEnd
        more = next(self._events)
        if not isinstance(more, events.StreamEndEvent):
            raise self._error(more, "a second document begins", "keep one document in the file")
        return root

    def _node(self, event: events.Event, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self._error(event, f"nested deeper than {MAX_DEPTH} levels", "flatten it")
        if isinstance(event, events.AliasEvent):
            return self._alias(event)
        node = self._fresh(event, depth)
        anchor = getattr(event, "anchor", None)
        if anchor:
            # Only now: an alias inside its own anchor is an endless tree, and so is refused as undefined.
            self._anchors[anchor] = node
        return node

    def _fresh(self, event: events.Event, depth: int) -> Node:
        line, _ = _position(event)
        if isinstance(event, events.ScalarEvent):
            return Scalar(event.value, event.implicit[0], self._tag(event, SCALAR_TAGS), line)
        if isinstance(event, events.SequenceStartEvent):
            self._tag(event, {"seq"})
            return Sequence([self._node(item, depth + 1) for item in self._until(events.SequenceEndEvent)], line)
        self._tag(event, {"map"})
        return Mapping([self._entry(key, depth) for key in self._until(events.MappingEndEvent)], line)

    def _entry(self, event: events.Event, depth: int) -> tuple[Scalar, Node]:
        key = self._node(event, depth + 1)
        if not isinstance(key, Scalar):
            raise self._error(event, "a key is a list or a mapping", "write a plain word before the colon")
        return key, self._node(next(self._events), depth + 1)

    def _until(self, end: type[events.Event]) -> Iterator[events.Event]:
        while not isinstance(event := next(self._events), end):
            yield event

    def _alias(self, event: events.AliasEvent) -> Node:
        node = self._anchors.get(event.anchor or "")
        if node is None:
            raise self._error(event, f"*{event.anchor}: no such anchor before it", f"define &{event.anchor} first")
        return node

    def _tag(self, event: events.Event, known: set[str]) -> str:
        tag = getattr(event, "tag", None)
        if tag is None or tag == "!":
            return ""
        short = tag.removeprefix(_TAG)
        if short not in known:
            raise self._error(event, f"the tag {tag.replace(_TAG, '!!')} is not supported", "remove the tag")
        return str(short)

    def _error(self, event: events.Event, message: str, fix: str) -> ProblemsError:
        line, column = _position(event)
        return ProblemsError([Problem(f"{self._name}:{line}:{column}", "", message, fix)])


def _position(event: events.Event) -> tuple[int, int]:
    """Line and column an event begins at, from 1; a parser's events always say."""
    mark = event.start_mark
    assert mark is not None
    return mark.line + 1, mark.column + 1


def _syntax_problem(error: yaml.YAMLError, text: str, name: str) -> Problem:
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        # libyaml gives the character's number, the parser in Python the character.
        code = error.character if isinstance(error.character, int) else ord(error.character)
        return Problem(f"{name}:{line}", "", f"the character U+{code:04X} is not allowed", "remove it")
    mark = getattr(error, "problem_mark", None)
    place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
    said = ", ".join(part for part in (getattr(error, "context", None), getattr(error, "problem", None)) if part)
    lines = text.splitlines()
    written = lines[mark.line] if mark and mark.line < len(lines) else ""
    return Problem(place, "", f"not YAML: {said}", _syntax_fix(said, written))


_FIXES = (
    ("'\\t'", "indent with spaces, not tabs"),
    ("mapping values are not allowed", "quote a value that holds `: `, or check the indentation"),
    ("could not find expected ':'", "write `key: value`; check the line above as well"),
    ("flow", "close every [ and {, and put commas between items"),
    ("quoted scalar", "close the quotation mark"),
    ("block mapping", "align the keys of one section on one column"),
    ("block collection", "align the items of one list on one column"),
    ("cannot start any token", "quote values that begin with @, ` or %"),
)


def _syntax_fix(said: str, written: str) -> str:
    if "flow" in said and "${" in written:
        return "inside { } and [ ], put quotes around values with ${NAME}"
    return next((fix for needle, fix in _FIXES if needle in said), "check the indentation and quotes near this line")
