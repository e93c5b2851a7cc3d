"""
Matching a method and a path against many path templates.

Owns specificity: segment by segment from the left a literal beats `*` beats `**`, behind `**` the longer run of literals wins,
and the order of registration never counts. The method is part of the match: a template without the method gives way to a less
specific one that has it. A verb is split off a path's last segment only where a template with that verb covers the rest.

Every prefix of a template is one node, reached by paths of one length only, so a search visits a node at most once: the
work is bounded by the table, not by the path, and nothing recurses.
Source: google/api/http.proto; Envoy's and grpc-gateway's matchers where it is silent (transcoding.md P3, P4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Generic, NamedTuple, TypeVar

from edge.core.path_template import Literal, Segment, Template, Variable, Wildcard, format_verb
from edge.core.percent import Decoding, decode

T = TypeVar("T")

ANY = "*"
"""The method of a rule for every method (custom kind `*`)."""


def has_empty_segment(path: str) -> bool:
    """Whether a path has a double or a trailing slash; `/` alone has no segment at all."""
    return "//" in path or (path[-1] == "/" and len(path) > 1)


@dataclass(frozen=True, slots=True, eq=False)
class Entry(Generic[T]):
    """A method and a template, and what they lead to. `decoding` is for variables of several segments; others decode whole."""

    method: str
    template: Template
    value: T
    decoding: Decoding = Decoding.EXCEPT_RESERVED


class Found(NamedTuple, Generic[T]):
    """A match: the entry's value, and its variables' texts in the template's order."""

    value: T
    captures: tuple[str, ...]


_found = tuple.__new__
"""Makes a Found without the call of Python that a named tuple's own `__new__` is: one is made for each request."""


class NotFound(NamedTuple):
    """No match. `allow` are the methods, sorted, that would have matched the path."""

    allow: tuple[str, ...]


_NOWHERE = NotFound(())


class _Capture(NamedTuple):
    """
    A variable's span of the path's segments.

    What stands behind `**` is counted from the path's end, so that one span fits paths of any length.
    """

    start: int
    stop: int | None
    decoding: Decoding | None  # None: one segment, decoded whole


class _Leaf(Generic[T]):
    """Where a template ends: the entry, and its captures compiled."""

    __slots__ = ("captures", "entry", "plain")

    def __init__(self, entry: Entry[T]) -> None:
        self.entry = entry
        self.captures = _captures(entry)
        starts = [capture.start for capture in self.captures if capture.decoding is None]
        # What picks the captures where each is one segment, of several; one alone it would give without a tuple around it.
        self.plain = itemgetter(*starts) if 1 < len(starts) == len(self.captures) else None

    def found(self, raw: Sequence[str], decoded: Sequence[str]) -> Found[T]:
        """The match of a path, given its segments as received and decoded."""
        if self.plain is not None:
            return _found(Found, (self.entry.value, self.plain(decoded)))
        captured = [
            decoded[start] if decoding is None else decode("/".join(raw[start:stop]), decoding)
            for start, stop, decoding in self.captures
        ]
        return _found(Found, (self.entry.value, tuple(captured)))


_End = dict[str, _Leaf[T]]
"""The templates of one shape, by method."""


class _Node(Generic[T]):
    """
    A prefix of literals and `*`.

    `end` are the templates that end here, `rests` those that go on with `**`: by the number of literals behind it (the most first),
    then by these literals.
    """

    __slots__ = ("end", "literals", "rests", "star")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[T]] = {}
        self.star: _Node[T] | None = None
        self.end: _End[T] = {}
        self.rests: dict[int, dict[tuple[str, ...], _End[T]]] = {}

    def step(self, segment: Segment) -> _Node[T]:
        """The node one literal or `*` further, made when missing."""
        if isinstance(segment, Literal):
            return self.literals.setdefault(segment.text, _Node())
        self.star = self.star or _Node()
        return self.star

    def rest(self, tail: Sequence[Segment]) -> _End[T]:
        """The end of a template that goes on with `**` and then the literals `tail`, made when missing."""
        texts = _texts(tail)
        if len(texts) not in self.rests:
            self.rests = dict(sorted([*self.rests.items(), (len(texts), {})], reverse=True, key=itemgetter(0)))
        return self.rests[len(texts)].setdefault(texts, {})


class RouteTrie(Generic[T]):
    """
    An immutable set of entries to look paths up in.

    Of entries with equal method and shape the first is served; `duplicates` pairs it with each later one. Where a shape
    has GET but not HEAD, GET answers HEAD.
    """

    def __init__(self, entries: Iterable[Entry[T]]) -> None:
        self._roots: dict[str, _Node[T]] = {"": _Node()}
        ends: dict[int, tuple[Template, _End[T]]] = {}
        duplicates: list[tuple[Entry[T], Entry[T]]] = []
        for entry in entries:
            end = self._end_of(entry.template)
            ends[id(end)] = (entry.template, end)
            leaf = end.setdefault(entry.method, _Leaf(entry))
            if leaf.entry is not entry:
                duplicates.append((leaf.entry, entry))
        self.duplicates = tuple(duplicates)
        self._exact: dict[str, dict[str, Found[T]]] = {}
        for template, end in ends.values():
            self._finish(template, end)
        self._most_colons = max(format_verb(verb).count(":") for verb in self._roots)

    def lookup(self, method: str, path: str) -> Found[T] | NotFound:
        """
        The most specific entry for a method and a path as received, without its query.

        The path starts with "/". An empty segment, so also a trailing slash, matches nothing. Raises PathEncodingError.
        """
        exact = self._exact.get(path)
        if exact is not None and (found := exact.get(method) or exact.get(ANY)) is not None:
            return found
        raw = path[1:].split("/")
        if "" in raw:
            if path != "/":
                return _NOWHERE
            raw = []
        decoded = _decoded(path, raw) if "%" in path else raw
        if self._most_colons and raw and ":" in raw[-1]:
            answer = self._with_verb(method, raw, decoded)
            if answer is not _NOWHERE:
                return answer
        # The first template of the walk, when no step back is needed: the common case, at a fifth of the walk's cost. The walk too takes
        # the literal before `*` and both before `**`: what this way ends at, it would have met first.
        node = root = self._roots[""]
        for segment in decoded:
            node = node.literals.get(segment) or node.star  # type: ignore[assignment]  # see the next line
            if node is None:
                break
        else:
            if (leaf := node.end.get(method) or node.end.get(ANY)) is not None:
                if leaf.plain is not None:  # `found`, without the call
                    return _found(Found, (leaf.entry.value, leaf.plain(decoded)))
                return leaf.found(raw, decoded)
        return _search(root, method, raw, decoded)

    def winner(self, method: str, segments: Sequence[str], verb: str = "") -> Entry[T] | None:
        """The entry that decoded segments and a verb lead to: `lookup` without text, for looking at the table itself."""
        for end in _walk(self._roots[verb], segments):
            if (leaf := end.get(method) or end.get(ANY)) is not None:
                return leaf.entry
        return None

    def _with_verb(self, method: str, raw: list[str], decoded: list[str]) -> Found[T] | NotFound:
        """The match of a path read as one with a verb, the longest verb first."""
        for colons in range(self._most_colons, 0, -1):
            kept, *words = raw[-1].rsplit(":", colons)
            verb = decode(":".join(words))
            root = self._roots.get(verb) if kept and verb and len(words) == colons else None
            if root is None:
                continue
            answer = _search(root, method, [*raw[:-1], kept], [*decoded[:-1], decode(kept)])
            if answer is not _NOWHERE:
                return answer
        return _NOWHERE

    def _end_of(self, template: Template) -> _End[T]:
        """Where a template's shape ends, made when missing."""
        node = self._roots.setdefault(template.verb, _Node())
        pattern = template.pattern
        for at, segment in enumerate(pattern):
            if segment is Wildcard.REST:
                return node.rest(pattern[at + 1 :])
            node = node.step(segment)
        return node.end

    def _finish(self, template: Template, end: _End[T]) -> None:
        """Let GET answer HEAD, and give a shape of plain literals its short cut."""
        if "GET" in end:
            end.setdefault("HEAD", end["GET"])
        texts = _texts(template.pattern)
        path = f"/{'/'.join(texts)}{format_verb(template.verb)}"
        if len(texts) == len(template.pattern) and str(Template(template.pattern, template.verb)) == path:
            self._exact[path] = {method: leaf.found(texts, texts) for method, leaf in end.items()}


def _decoded(path: str, raw: Sequence[str]) -> list[str]:
    """The segments of a path, decoded; all at once when no escaped slash could be taken for one that separates."""
    if "%2F" in path or "%2f" in path:
        return [decode(text) for text in raw]
    return decode(path)[1:].split("/")


def _search(root: _Node[T], method: str, raw: Sequence[str], decoded: Sequence[str]) -> Found[T] | NotFound:
    """The first template on the walk that has the method, else the methods of all of them."""
    allow: set[str] = set()
    for end in _walk(root, decoded):
        leaf = end.get(method) or end.get(ANY)
        if leaf is not None:
            return leaf.found(raw, decoded)
        allow.update(end)
    return NotFound(tuple(sorted(allow))) if allow else _NOWHERE


def _walk(root: _Node[T], segments: Sequence[str]) -> Iterator[_End[T]]:
    """The ends that match the segments, the most specific first. A negative depth is a node's `**`, to be tried after all below it."""
    count = len(segments)
    pending = [(root, 0)]
    while pending:
        node, depth = pending.pop()
        if depth < 0:
            yield from _rests(node, segments, count + depth + 1)
            continue
        if node.rests:
            pending.append((node, ~depth))
        if depth == count:
            if node.end:
                yield node.end
            continue
        if node.star is not None:
            pending.append((node.star, depth + 1))
        literal = node.literals.get(segments[depth])
        if literal is not None:
            pending.append((literal, depth + 1))


def _rests(node: _Node[T], segments: Sequence[str], left: int) -> Iterator[_End[T]]:
    """The ends behind a node's `**` that match the last `left` segments, the longest run of literals first."""
    for size, ends in node.rests.items():
        end = ends.get(tuple(segments[len(segments) - size :])) if size <= left else None
        if end is not None:
            yield end


def _texts(segments: Sequence[Segment]) -> tuple[str, ...]:
    """The texts of the literals among the segments."""
    return tuple(segment.text for segment in segments if isinstance(segment, Literal))


def _captures(entry: Entry[T]) -> tuple[_Capture, ...]:
    """The spans of a template's variables."""
    pattern = entry.template.pattern
    rest = pattern.index(Wildcard.REST) if Wildcard.REST in pattern else len(pattern)
    captures = []
    start = 0
    for part in entry.template.segments:
        stop = start + (len(part.segments) if isinstance(part, Variable) else 1)
        if isinstance(part, Variable):
            captures.append(_span(start, stop, rest, len(pattern), None if part.single_segment else entry.decoding))
        start = stop
    return tuple(captures)


def _span(start: int, stop: int, rest: int, size: int, decoding: Decoding | None) -> _Capture:
    """A span of the pattern as one of the path: from the left up to `**` (at `rest`), from the right behind it."""
    from_right = stop - size or None
    return _Capture(start if start <= rest else start - size, stop if stop <= rest else from_right, decoding)
