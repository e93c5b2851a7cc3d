"""
Path templates of google.api.http: text to a frozen tree and back.

Owns the grammar: whatever `parse` returns can be matched, and `parse(str(template)) == template`. Literals and verbs are kept
decoded, since requests are compared decoded. Beyond the grammar's letter, as Envoy's transcoder has it: `/` alone is a template,
and after `**` literals may follow, but no further wildcard; a verb may hold colons (`:custom:custom`).
Source: google/api/http.proto, "Path template syntax".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import NoReturn
from urllib.parse import quote

from edge.core import percent


class TemplateError(ValueError):
    """A text that is not a path template: the 1-based column, what is wrong there, and what would be right."""

    def __init__(self, column: int, reason: str, fix: str) -> None:
        super().__init__(f"column {column}: {reason}")
        self.column = column
        self.reason = reason
        self.fix = fix


class Wildcard(Enum):
    """`*` is exactly one segment, `**` any number of them, none included."""

    ONE = "*"
    REST = "**"


@dataclass(frozen=True, slots=True)
class Literal:
    """A segment that stands for itself; `text` is decoded."""

    text: str


Segment = Literal | Wildcard


@dataclass(frozen=True, slots=True)
class Variable:
    """
    A part of the path that fills a request field.

    `single_segment` decides how the captured text is decoded: one segment whole, several with their reserved characters kept.
    """

    field_path: tuple[str, ...]
    segments: tuple[Segment, ...]

    @property
    def name(self) -> str:
        """The field path as written: `book.shelf_id`."""
        return ".".join(self.field_path)

    @property
    def single_segment(self) -> bool:
        """Whether it captures exactly one segment of every path."""
        return len(self.segments) == 1 and self.segments[0] is not Wildcard.REST

    def __str__(self) -> str:
        if self.segments == (Wildcard.ONE,):
            return f"{{{self.name}}}"
        return f"{{{self.name}={'/'.join(map(_format, self.segments))}}}"


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template; `verb` is decoded, and empty when there is none."""

    segments: tuple[Segment | Variable, ...]
    verb: str = ""

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables from left to right: the order of a match's captures."""
        return tuple(part for part in self.segments if isinstance(part, Variable))

    @property
    def pattern(self) -> tuple[Segment, ...]:
        """The segments with every variable replaced by what it spans: what decides whether a path matches."""
        flat: list[Segment] = []
        for part in self.segments:
            if isinstance(part, Variable):
                flat.extend(part.segments)
            else:
                flat.append(part)
        return tuple(flat)

    def __str__(self) -> str:
        return f"/{'/'.join(map(_format, self.segments))}{format_verb(self.verb)}"


_PLAIN = "-._~!$&'()+,;=@"  # RFC 3986 pchar without letters and digits, and without `:` (verb) and `*` (wildcard)


def _format(part: Segment | Variable) -> str:
    """One segment or variable as a template has it."""
    if isinstance(part, Literal):
        return quote(part.text, safe=_PLAIN)
    return part.value if isinstance(part, Wildcard) else str(part)


def format_verb(verb: str) -> str:
    """A verb with its colon; colons in it are escaped only where they would read as an empty verb."""
    if not verb:
        return ""
    return ":" + quote(verb, safe=_PLAIN + ":" if all(verb.split(":")) else _PLAIN)


def parse(text: str) -> Template:
    """The template `text` says. Raises TemplateError."""
    return _Parser(text).template()


_LITERAL = re.compile(rf"(?:[A-Za-z0-9{re.escape(_PLAIN)}]|%[0-9A-Fa-f]{{2}})+")
_IDENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WILDCARDS = {"*": Wildcard.ONE, "**": Wildcard.REST}
_STARS = re.compile(r"\*+")


class _Parser:
    """One pass over one text, left to right; `_at` is the offset of the next character."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._names: set[tuple[str, ...]] = set()
        self._rest_seen = False

    def template(self) -> Template:
        """Template = "/" [ Segments ] [ Verb ]."""
        if not self._take("/"):
            self._fail('a template starts with "/"', f'write "/{self._text}"')
        parts: list[Segment | Variable] = []
        if self._next():
            parts.append(self._part())
            while self._take("/"):
                parts.append(self._part())
        verb = self._verb() if self._next() == ":" else ""
        if self._next():
            self._unexpected("after a segment", 'only "/", ":" and a verb, or the end may follow it')
        return Template(tuple(parts), verb)

    def _part(self) -> Segment | Variable:
        """One element between slashes: a segment, or a variable."""
        return self._variable() if self._take("{") else self._segment()

    def _variable(self) -> Variable:
        """Variable = "{" FieldPath [ "=" Segments ] "}", its brace already taken."""
        opened = self._at - 1
        name = self._field_path()
        segments: list[Segment] = []
        if self._take("="):
            segments.append(self._segment())
            while self._take("/"):
                segments.append(self._segment())
        if not self._next():
            self._fail("this variable is not closed", 'add "}"', at=opened)
        if not self._take("}"):
            self._unexpected(
                "inside a variable", 'write "{field}" or "{field=segments}"; a verb goes after the last "}"'
            )
        return Variable(name, tuple(segments) or (self._wildcard("*", opened),))

    def _field_path(self) -> tuple[str, ...]:
        """FieldPath = IDENT { "." IDENT }; each may be bound once."""
        start = self._at
        names = [self._ident()]
        while self._take("."):
            names.append(self._ident())
        path = tuple(names)
        if path in self._names:
            self._fail(f'the variable "{".".join(path)}" is bound twice', "bind each field once", at=start)
        self._names.add(path)
        return path

    def _ident(self) -> str:
        """IDENT: a field name."""
        found = _IDENT.match(self._text, self._at)
        if not found:
            self._fail("a field name is missing", "a field name is letters, digits and _, and starts with no digit")
        self._at = found.end()
        return found.group()

    def _segment(self) -> Segment:
        """Segment = "*" | "**" | LITERAL."""
        if stars := _STARS.match(self._text, self._at):
            self._at = stars.end()
            return self._wildcard(stars.group(), stars.start())
        if self._next() == "{":
            self._fail("a variable inside a variable", "close the first one; variables do not nest")
        if self._next() in {"", "/", ":", "}"}:
            self._fail("an empty segment", 'put text, "*", "**" or a variable here, or drop the "/"')
        return Literal(self._literal())

    def _wildcard(self, stars: str, start: int) -> Wildcard:
        """The wildcard of this spelling, unless `**` went before it."""
        if stars not in _WILDCARDS:
            self._fail(f'"{stars}" is no wildcard', 'write "*" for one segment or "**" for any number', at=start)
        if self._rest_seen:
            self._fail('a wildcard after "**"', 'only literals may follow "**"', at=start)
        self._rest_seen = stars == "**"
        return _WILDCARDS[stars]

    def _literal(self) -> str:
        """LITERAL: visible characters of a path, others percent-encoded; decoded, and fit to stand in a request."""
        start = self._at
        found = _LITERAL.match(self._text, start)
        if not found:
            self._unexpected("in a literal", "a literal is letters, digits, escapes and " + _PLAIN)
        self._at = found.end()
        if flaw := percent.flaw(f"/{found.group()}"):
            self._fail(f'no request can match "{found.group()}": {flaw}', "choose another literal", at=start)
        return percent.decode(found.group())

    def _verb(self) -> str:
        """Verb = ":" LITERAL { ":" LITERAL }, and then the end."""
        words: list[str] = []
        while self._take(":"):
            if self._next() in {"", ":"}:
                self._fail("an empty verb", 'name a verb after ":", or drop the ":"')
            words.append(self._literal())
        if self._next():
            self._unexpected("after a verb", "the verb ends the template; a colon in a literal is written %3A")
        return ":".join(words)

    def _next(self) -> str:
        """The next character, empty at the end."""
        return self._text[self._at : self._at + 1]

    def _take(self, char: str) -> bool:
        """Step over `char` when it is next."""
        if not self._text.startswith(char, self._at):
            return False
        self._at += 1
        return True

    def _unexpected(self, where: str, fix: str) -> NoReturn:
        """Fail on the next character; one that means nothing in a template was meant as text."""
        char = self._next()
        meant = fix if char in "/:{}*" else f"percent-encode it: {quote(char, safe='', errors='replace')}"
        self._fail(f'"{char}" {where}', meant)

    def _fail(self, reason: str, fix: str, at: int | None = None) -> NoReturn:
        raise TemplateError((self._at if at is None else at) + 1, reason, fix)
