"""YAML text to nodes: lines, anchors, what is refused, and that no input breaks the process."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config.yaml_nodes import MAX_DEPTH, Mapping, Scalar, Sequence, parse
from edge.core.problem import Problem, ProblemsError


def problem_of(text: str) -> Problem:
    """The one problem parsing must raise."""
    with pytest.raises(ProblemsError) as caught:
        parse(text, "edge.yaml")
    (problem,) = caught.value.problems
    return problem


def test_lines_count_from_one() -> None:
    """Every node knows the line it begins on."""
    root = parse("a:\n  - b\n  - c: 1\n", "edge.yaml")
    assert isinstance(root, Mapping)
    key, items = root.entries[0]
    assert isinstance(items, Sequence)
    assert (key.line, [item.line for item in items.items]) == (1, [2, 3])


def test_quotes_and_tags_are_kept() -> None:
    """Whether a scalar is text is for its reader to decide."""
    root = parse("[1, '1', !!str 1]", "edge.yaml")
    assert isinstance(root, Sequence)
    assert root.items == [Scalar("1", True, "", 1), Scalar("1", False, "", 1), Scalar("1", False, "str", 1)]


def test_empty_document() -> None:
    """Nothing, or comments alone, is no node."""
    assert parse("", "edge.yaml") is None
    assert parse("# nothing\n", "edge.yaml") is None


def test_alias_is_the_anchored_node() -> None:
    """An alias stands for the node itself."""
    root = parse("a: &x [1]\nb: *x\n", "edge.yaml")
    assert isinstance(root, Mapping)
    assert root.entries[1][1] is root.entries[0][1]


@pytest.mark.parametrize(
    ("text", "place", "fix"),
    [
        ("a: 1\n\tb: 2\n", "edge.yaml:2:1", "indent with spaces, not tabs"),
        ("a: b: c\n", "edge.yaml:1:5", "quote a value that holds `: `, or check the indentation"),
        ("a: [1, 2\nb: 3\n", "edge.yaml:2:2", "close every [ and {, and put commas between items"),
        ("a: {b: x ${C}}\n", "edge.yaml:1:11", "inside { } and [ ], put quotes around values with ${NAME}"),
        ("a: 'x\n", "edge.yaml:2:1", "close the quotation mark"),
        ("a: 1\n b: 2\n", "edge.yaml:2:3", "quote a value that holds `: `, or check the indentation"),
        ("a: @x\n", "edge.yaml:1:4", "quote values that begin with @, ` or %"),
        ("a: *x\n", "edge.yaml:1:4", "define &x first"),
        ("a: &x [*x]\n", "edge.yaml:1:8", "define &x first"),
        ("a: 1\n---\nb: 2\n", "edge.yaml:2:1", "keep one document in the file"),
        ("? [a]\n: 1\n", "edge.yaml:1:3", "write a plain word before the colon"),
        ("a: !!python/name:os.system x\n", "edge.yaml:1:4", "remove the tag"),
        ("a: !custom {}\n", "edge.yaml:1:4", "remove the tag"),
        ("a: !!set {x}\n", "edge.yaml:1:4", "remove the tag"),
        ("a: 1\nb: \x07\n", "edge.yaml:2", "remove it"),
    ],
)
def test_refused_with_its_place(text: str, place: str, fix: str) -> None:
    """What is no configuration YAML is refused where it begins."""
    problem = problem_of(text)
    assert (problem.place, problem.fix) == (place, fix)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "{a: " * 5000, "- " * 5000 + "x", "[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2)]
)
def test_deep_nesting_is_refused(text: str) -> None:
    """Depth costs neither the C stack nor a RecursionError."""
    problem_of(text)


def test_nesting_up_to_the_limit() -> None:
    """The limit itself is allowed."""
    assert parse("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "edge.yaml") is not None


@given(st.text(alphabet=st.sampled_from("ab:[]{}-&*!|>'\"\n \t#,?%@<0"), max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    """No text raises anything but ProblemsError."""
    with contextlib.suppress(ProblemsError):
        parse(text, "edge.yaml")
