"""The trie against a matcher that shares nothing with it: every template against every path, by recursion."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from edge.core.path_template import Literal, Segment, Template, Variable, Wildcard, parse
from edge.core.route_trie import Entry, Found, NotFound, RouteTrie


def _matches(pattern: Sequence[Segment], segments: Sequence[str]) -> bool:
    if not pattern:
        return not segments
    if pattern[0] is Wildcard.REST:
        return any(_matches(pattern[1:], segments[skip:]) for skip in range(len(segments) + 1))
    if not segments or (isinstance(pattern[0], Literal) and pattern[0].text != segments[0]):
        return False
    return _matches(pattern[1:], segments[1:])


def _rank(template: Template) -> list[int]:
    """Sorts the more specific first among templates that match one path: literal 0, `*` 1, `**` 2 and then the longer tail."""
    ranks: list[int] = []
    for at, segment in enumerate(template.pattern):
        if segment is Wildcard.REST:
            return [*ranks, 2, at - len(template.pattern)]
        ranks.append(0 if isinstance(segment, Literal) else 1)
    return ranks


def _reference(templates: Sequence[Template], segments: Sequence[str], verb: str) -> Template | None:
    fitting = [t for t in templates if t.verb == verb and _matches(t.pattern, segments)]
    return min(fitting, key=_rank, default=None)


def _rebuilt(template: Template, captures: Sequence[str], path: str) -> bool:
    """Whether the captures, put in place of the variables, give a template that matches the path again."""
    left = list(captures)
    pattern: list[Segment] = []
    for part in template.segments:
        if isinstance(part, Variable):
            text = left.pop(0)
            pattern += [Literal(piece) for piece in text.split("/")] if text else []
        else:
            pattern.append(part)
    return not left and _matches(pattern, path[1:].split("/") if path != "/" else [])


_WORD = st.sampled_from(["a", "b", "c"])


@st.composite
def _texts(draw: st.DrawFn) -> str:
    """The text of a small template over three words, so that many of them meet."""
    parts = draw(st.lists(st.one_of(_WORD, st.just("*"), st.just("*")), max_size=4))
    if draw(st.booleans()):
        parts = [*parts, "**", *draw(st.lists(_WORD, max_size=2))]
    pieces: list[str] = []
    while parts:
        width = draw(st.integers(0, len(parts)))
        pieces.append(f"{{v{len(pieces)}={'/'.join(parts[:width])}}}" if width else parts[0])
        del parts[: width or 1]
    verb = draw(st.sampled_from(["", "", ":v"])) if pieces else ""
    return f"/{'/'.join(pieces)}{verb}"


@given(st.lists(_texts(), max_size=12), st.lists(_WORD, max_size=6), st.sampled_from(["", ":v", ":w"]), st.randoms())
def test_the_trie_agrees_with_trying_every_template(
    texts: list[str], segments: list[str], suffix: str, random: Random
) -> None:
    """Whatever the order of registration, and with captures that give the path back."""
    shapes = {(parse(text).pattern, parse(text).verb): text for text in texts}
    kept = list(shapes.values())
    path = f"/{'/'.join(segments)}{suffix if segments else ''}"
    expected = None
    if segments and suffix:
        expected = _reference([parse(text) for text in kept], segments, suffix[1:])
        if expected is None:
            segments = [*segments[:-1], segments[-1] + suffix]
    expected = expected or _reference([parse(text) for text in kept], segments, "")
    random.shuffle(kept)
    found = RouteTrie([Entry("GET", parse(text), text) for text in kept]).lookup("GET", path)
    if expected is None:
        assert found == NotFound(())
    else:
        assert isinstance(found, Found)
        assert parse(found.value) == expected
        assert _rebuilt(expected, found.captures, path.removesuffix(f":{expected.verb}"))
