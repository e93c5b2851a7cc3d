"""What pydantic says, in the operator's words."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from edge.config.document import read_document
from edge.config.models import Config
from edge.config.problems import add_schema_problems, did_you_mean
from edge.core.problem import Problem

REST = """
apis: [{name: a, reflection: true, upstream: u}]
upstreams: {u: {endpoints: ['a:1']}}
"""


def problems_of(text: str) -> list[Problem]:
    """The schema problems of a file."""
    document = read_document(text, "edge.yaml")
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(document.data)
    add_schema_problems(document, caught.value)
    return document.problems


@pytest.mark.parametrize(
    ("line", "path", "message", "fix"),
    [
        ("listeners: []", "listeners", "it is empty", "write [{bind: 127.0.0.1:8080}]"),
        ("listeners:", "listeners", "it is empty", "write [{bind: 127.0.0.1:8080}]"),
        ("listeners: x", "listeners", '"x" is not a list', "write [x]"),
        ("listeners: [x]", "listeners[0]", '"x" is not a mapping', "write its keys below it: bind, tls, mesh"),
        ("listeners: [{bind: ':1', tsl: x}]", "listeners[0].tsl", '"tsl" is not a key here', 'did you mean "tls"?'),
        (
            "listeners: [{bind: ':1', zzz: x}]",
            "listeners[0].zzz",
            '"zzz" is not a key here',
            "known here: bind, tls, mesh",
        ),
        ("listeners: [{tls: null}]", "listeners[0].bind", 'the key "bind" is missing', "add bind: 127.0.0.1:8080"),
        (
            "listeners: [{bind: {}}]",
            "listeners[0].bind",
            "a mapping is not an address",
            "write host:port, as in 127.0.0.1:8080, [::1]:8080, localhost:8080 or :8080",
        ),
    ],
)
def test_texts(line: str, path: str, message: str, fix: str) -> None:
    """Each kind of error has its text, its line and its fix."""
    (problem,) = problems_of(line + REST)
    assert (problem.place, problem.path, problem.message, problem.fix) == ("edge.yaml:1", path, message, fix)


def test_a_place_known_to_be_wrong_is_not_reported_twice() -> None:
    """An unset variable is not also a bad address."""
    document = read_document("listeners: [{bind: '${X}'}]" + REST, "edge.yaml")
    document.add(("listeners", 0, "bind"), "X is not set", "set X")
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(document.data)
    add_schema_problems(document, caught.value)
    assert len(document.problems) == 1


def test_substituted_values_are_quoted_as_written() -> None:
    """What a variable holds is not shown: it may be a secret in the wrong place."""
    document = read_document("listeners: [{bind: '${X}'}]" + REST, "edge.yaml")
    assert isinstance(document.data, dict)
    document.data["listeners"] = [{"bind": "hunter2"}]
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(document.data)
    add_schema_problems(document, caught.value)
    assert document.problems[0].message == '"${X}", after substitution, has no port'
    assert "hunter2" not in str(document.problems[0].message)


def test_unknown_error_types_still_read() -> None:
    """A type of error this version has no text for is passed on."""
    problem, *_ = problems_of("listeners: [{bind: ':1'}]\ndrain_timeout: 1s\nlimits: {max_header_count: 1e30}" + REST)
    assert problem.message
    assert problem.fix


def test_did_you_mean() -> None:
    """A near word is suggested, a far one is not."""
    assert did_you_mean("jason", ["json", "name"]) == 'did you mean "json"?'
    assert did_you_mean("zzz", ["json", "name"]) == ""
