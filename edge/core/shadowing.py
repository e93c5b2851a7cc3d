"""
Finding entries of a route table that no request can reach.

Owns the proof. A path made of an entry's own literals, and elsewhere of a text no template has, is the least contested of its length:
whatever wins it wins every path of that length the entry matches. So an entry is shadowed when it loses that path at every length
it has; and beyond the longest template, another segment under `**` changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from edge.core.path_template import Literal, Segment, Wildcard
from edge.core.route_trie import Entry, RouteTrie

T = TypeVar("T")

_NO_LITERAL = "\0"  # templates refuse it


def shadowed(trie: RouteTrie[T], entries: Sequence[Entry[T]]) -> list[tuple[Entry[T], tuple[Entry[T], ...]]]:
    """The entries of a trie that are never matched, each with those that take its paths."""
    longest = max((len(entry.template.pattern) for entry in entries), default=0)
    found = []
    for entry in entries:
        takers = _takers(trie, entry, longest)
        if takers:
            found.append((entry, takers))
    return found


def _takers(trie: RouteTrie[T], entry: Entry[T], longest: int) -> tuple[Entry[T], ...]:
    """Who wins the least contested paths of an entry; empty when the entry itself wins one."""
    takers: dict[int, Entry[T]] = {}
    for path in _least_contested(entry.template.pattern, longest):
        winner = trie.winner(entry.method, path, entry.template.verb)
        if winner is None or winner is entry:
            return ()
        takers[id(winner)] = winner
    return tuple(takers.values())


def _least_contested(pattern: Sequence[Segment], longest: int) -> Iterator[list[str]]:
    """A path of each length the pattern matches, up to the longest that could make a difference."""
    for repeat in range(longest + 2 if Wildcard.REST in pattern else 1):
        path: list[str] = []
        for segment in pattern:
            count = repeat if segment is Wildcard.REST else 1
            path += [segment.text if isinstance(segment, Literal) else _NO_LITERAL] * count
        yield path
