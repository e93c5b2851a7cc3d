"""How problems read."""

from __future__ import annotations

import pytest

from edge.core.problem import Problem, ProblemsError


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("edge.yaml:3", "apis[0]", "wrong", "right"), "edge.yaml:3: apis[0]: wrong\n    fix: right"),
        (Problem("", "apis[0]", "wrong"), "apis[0]: wrong"),
        (Problem("edge.yaml:3", "", "wrong"), "edge.yaml:3: wrong"),
        (Problem("", "", "wrong"), "wrong"),
    ],
)
def test_what_is_not_known_leaves_no_trace(problem: Problem, text: str) -> None:
    assert str(problem) == text


def test_the_error_tells_all_of_them() -> None:
    error = ProblemsError([Problem("", "a", "one"), Problem("", "b", "two")])
    assert str(error) == "a: one\nb: two"
    assert [problem.path for problem in error.problems] == ["a", "b"]
