"""
Path templates of google.api.http as OpenAPI path templates that people can read.

Owns the expansion: a variable of several segments is written out, `{name=publishers/*/books/*}` as
`publishers/{publisher}/books/{book}`, each wildcard named after the literal before it; `{shelf.id}` reads `{shelf_id}`. Names are unique
within a path. Which field a parameter is (a part of) is kept. OpenAPI knows no parameter over several segments: `**` becomes one that
says so. Source: google/api/http.proto; OpenAPI 3.1.1 section 4.8.8 (path templating).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from edge.core.path_template import Literal, Segment, Template, Variable, Wildcard, format_verb
from edge.openapi.singular import singular

_PLAIN = "-._~!$&'()+,;=@"
_NO_WORD = re.compile(r"\W+")
_ANONYMOUS = "segment"


@dataclass(frozen=True, slots=True)
class PathParameter:
    """
    One parameter. `field` is the proto path of the field it fills, empty for a wildcard outside variables.

    `part_of` is the variable's pattern where the parameter is but a part of the field's value, else empty. `spans` says that it may
    hold several segments.
    """

    name: str
    field: str
    part_of: str = ""
    spans: bool = False


@dataclass(frozen=True, slots=True)
class ReadablePath:
    """An OpenAPI path: pieces between slashes, a piece being a literal or the parameter of that place; and a verb with its colon."""

    pieces: tuple[str | PathParameter, ...]
    verb: str = ""

    @property
    def parameters(self) -> tuple[PathParameter, ...]:
        """The parameters from left to right."""
        return tuple(piece for piece in self.pieces if isinstance(piece, PathParameter))

    @property
    def text(self) -> str:
        """The path as an OpenAPI key."""
        return self._joined(lambda parameter: f"{{{parameter.name}}}")

    @property
    def shape(self) -> str:
        """The path without its parameters' names: OpenAPI holds paths of one shape to be the same path."""
        return self._joined(lambda _: "{}")

    def named_like(self, other: ReadablePath) -> ReadablePath:
        """The same path with the parameter names of another of its shape."""
        names = iter(other.parameters)
        return ReadablePath(tuple(_renamed(piece, names) for piece in self.pieces), self.verb)

    def _joined(self, written: Callable[[PathParameter], str]) -> str:
        texts = (piece if isinstance(piece, str) else written(piece) for piece in self.pieces)
        return "/" + "/".join(texts) + self.verb


def expand(template: Template) -> ReadablePath:
    """A template, written out."""
    used: set[str] = set()
    pieces: list[str | PathParameter] = []
    for part in template.segments:
        before = pieces[-1] if pieces and isinstance(pieces[-1], str) else ""
        if isinstance(part, Variable):
            pieces += _variable(part, used)
        elif isinstance(part, Literal):
            pieces.append(_literal(part))
        else:
            name = _unique(_word(singular(before)) or _ANONYMOUS, used)
            pieces.append(PathParameter(name, "", spans=part is Wildcard.REST))
    return ReadablePath(tuple(pieces), format_verb(template.verb))


def _variable(variable: Variable, used: set[str]) -> Iterator[str | PathParameter]:
    """The pieces of a variable. A single wildcard is the field's whole value, and named after the field."""
    if len(variable.segments) == 1 and isinstance(variable.segments[0], Wildcard):
        name = _unique("_".join(variable.field_path), used)
        yield PathParameter(name, variable.name, spans=variable.segments[0] is Wildcard.REST)
        return
    pattern = "/".join(_written(segment) for segment in variable.segments)
    before = ""
    for segment in variable.segments:
        if isinstance(segment, Literal):
            before = segment.text
            yield _literal(segment)
        else:
            name = _unique(_word(singular(before)) or "_".join(variable.field_path), used)
            before = ""
            yield PathParameter(name, variable.name, pattern, spans=segment is Wildcard.REST)


def _renamed(piece: str | PathParameter, names: Iterator[PathParameter]) -> str | PathParameter:
    if isinstance(piece, str):
        return piece
    return PathParameter(next(names).name, piece.field, piece.part_of, piece.spans)


def _written(segment: Segment) -> str:
    return segment.value if isinstance(segment, Wildcard) else _literal(segment)


def _literal(segment: Literal) -> str:
    return quote(segment.text, safe=_PLAIN)


def _word(text: str) -> str:
    """`user-event` as the identifier `user_event`; empty when nothing is left."""
    return _NO_WORD.sub("_", text).strip("_")


def _unique(name: str, used: set[str]) -> str:
    """The name, or with a number behind it the first that is free."""
    chosen, number = name, 1
    while chosen in used:
        number += 1
        chosen = f"{name}_{number}"
    used.add(chosen)
    return chosen


def bound_fields(paths: Sequence[PathParameter]) -> frozenset[tuple[str, ...]]:
    """The fields a path fills, as tuples of names."""
    return frozenset(tuple(parameter.field.split(".")) for parameter in paths if parameter.field)
