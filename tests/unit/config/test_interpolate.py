"""${NAME} in values: set, unset, defaulted, escaped, and what counts as a secret's source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config.document import Document, Unsubstituted, read_document
from edge.config.interpolate import interpolate
from edge.config.secret import Substituted

ENV = {"HOST": "books", "PORT": "80", "EMPTY": "", "NESTED": "${HOST}"}


def substituted(text: str) -> Document:
    """A document with one value, substituted."""
    document = read_document("a: x\n", "edge.yaml")
    document.data = {"a": text}
    interpolate(document, ENV)
    return document


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("${HOST}", "books"), ("${HOST}:${PORT}", "books:80"), ("x${EMPTY}y", "xy"), ("${NO:-b}", "b"), ("${NO:-}", ""),
        ("${EMPTY:-b}", "b"), ("${HOST:-b}", "books"), ("$$", "$"), ("$${HOST}", "${HOST}"), ("$alt", "$alt"), ("a$", "a$"),
        ("${NESTED}", "${HOST}"), ("${NO:-a:-b}", "a:-b"), ("plain", "plain"),
    ],
)  # fmt: skip
def test_substitution(text: str, result: str) -> None:
    """As in a shell; what a variable holds is not read again."""
    document = substituted(text)
    assert document.data == {"a": result}
    assert document.problems == []


def test_unset_is_a_problem_with_its_line_and_fix() -> None:
    """Every unset variable is told, and the value stays unknown."""
    document = substituted("${NO} ${NOR}")
    assert [problem.message for problem in document.problems] == ["${NO}: NO is not set", "${NOR}: NOR is not set"]
    assert {problem.place for problem in document.problems} == {"edge.yaml:1"}
    assert document.problems[0].fix == "set NO, or write ${NO:-default}"
    assert isinstance(document.data, dict)
    assert isinstance(document.data["a"], Unsubstituted)


@pytest.mark.parametrize("text", ["${", "${}", "${HOST", "${1X}", "${HOST-b}", "${HOST:+b}", "${ HOST }"])
def test_no_reference(text: str) -> None:
    """Other shell forms are refused, not passed on as text."""
    (problem,) = substituted(text).problems
    assert problem.message.endswith("not a reference")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("${HOST}", Substituted),
        ("Bearer ${HOST}", Substituted),
        ("${NO:-b}", str),
        ("${HOST}${NO:-b}", str),
        ("$$x", str),
        ("${NO}", Unsubstituted),
    ],
)
def test_what_counts_as_from_the_environment(text: str, kind: type) -> None:
    """A default is written into the file, so it makes no secret."""
    data = substituted(text).data
    assert isinstance(data, dict)
    assert type(data["a"]) is kind


def test_every_value_but_no_key() -> None:
    """Lists and sections are searched, keys and numbers are left."""
    document = read_document("${HOST}: {b: ['${HOST}', 1]}\n", "edge.yaml")
    interpolate(document, ENV)
    assert document.data == {"${HOST}": {"b": ["books", 1]}}


@given(st.text())
def test_escaped_text_is_kept(text: str) -> None:
    """Doubling every dollar gives the text back."""
    assert substituted(text.replace("$", "$$")).data == {"a": text}
