"""
Templates a path nearly matched, and where it parts from each.

Owns the ranking: the template that agrees with most of the path's text comes first. For people who wonder about a 404; nothing is decided
by it. Source of the likeness: difflib (Ratcliff and Obershelp).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from edge.core.path_template import Literal, Segment, Wildcard, parse

_SHOWN = 3
_LIKE_ENOUGH = 0.5


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A route's method and template, and the first thing about the request that does not fit it."""

    method: str
    template: str
    reason: str


def near_misses(method: str, path: str, routes: Iterable[tuple[str, str]]) -> list[NearMiss]:
    """
    The (method, template) pairs most like a path that matches none of them, the likeliest first.

    Of templates equally like, those for the request's own method come first.
    """
    segments = path.strip("/").split("/")
    scored = [(_likeness(path, segments, template), own, template) for own, template in dict.fromkeys(routes)]
    ranked = sorted(scored, key=lambda each: (-each[0], each[1] != method, each[2]))
    likely = [(own, template) for likeness, own, template in ranked[:_SHOWN] if likeness >= _LIKE_ENOUGH]
    return [NearMiss(own, template, _difference(path, template)) for own, template in likely]


def _likeness(path: str, segments: Sequence[str], template: str) -> float:
    """How much of the path a template would give back if its wildcards took the path's own segments."""
    parsed = parse(template)
    filled = [
        segment.text if isinstance(segment, Literal) else at for segment, at in _aligned(parsed.pattern, segments)
    ]
    verb = f":{parsed.verb}" if parsed.verb else ""
    return SequenceMatcher(None, path, "/" + "/".join(filled) + verb, autojunk=False).ratio()


def _aligned(pattern: Sequence[Segment], segments: Sequence[str]) -> Iterable[tuple[Segment, str]]:
    return ((segment, segments[at] if at < len(segments) else "") for at, segment in enumerate(pattern))


def _difference(path: str, template: str) -> str:
    parsed = parse(template)
    if parsed.verb and not path.endswith(f":{parsed.verb}"):
        return f'it ends with ":{parsed.verb}", the path does not'
    segments = path.removesuffix(f":{parsed.verb}").split("/")[1:]
    for at, segment in enumerate(parsed.pattern):
        if segment is Wildcard.REST:
            break
        if at >= len(segments):
            return f"it has more segments: {len(parsed.pattern)}, the path {len(segments)}"
        if isinstance(segment, Literal) and segment.text != segments[at]:
            return f'segment {at + 1} is "{segment.text}", in the path "{segments[at]}"'
        if not segments[at]:
            return f"segment {at + 1} of the path is empty"
    return f"it has {len(parsed.pattern)} segments, the path {len(segments)}"
