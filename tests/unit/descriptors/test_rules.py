"""One google.api.HttpRule as bindings, and what can be wrong with it."""

from __future__ import annotations

from typing import Any

import pytest
from google.api.http_pb2 import HttpRule as Annotation
from google.protobuf.json_format import ParseDict

from edge.config.models import HttpRule
from edge.descriptors import rules
from edge.descriptors.model import HttpBinding, Rpc

RPC = Rpc("p.S", "M", "p.A", "p.B")


def both(rule: dict[str, Any]) -> list[rules.Rule]:
    """The rule as an annotation and as configuration: the neutral forms must not differ but in place and path."""
    return [
        rules.from_annotation(ParseDict(rule, Annotation()), "a.proto:7", "p.S.M"),
        rules.from_config(HttpRule.model_validate(rule), "apis[0].http.rules[2]"),
    ]


def problems(rule: dict[str, Any]) -> list[list[str]]:
    """Path and message of each problem, of both forms."""
    return [[f"{problem.path}: {problem.message}" for problem in rules.problems(form)] for form in both(rule)]


@pytest.mark.parametrize("verb", ["get", "put", "post", "delete", "patch"])
def test_each_verb_becomes_its_method(verb: str) -> None:
    for form in both({verb: "/v1/x", "body": "b", "response_body": "r"}):
        assert rules.bindings(RPC, form) == (HttpBinding(RPC, verb.upper(), "/v1/x", "b", "r", form.source),)


@pytest.mark.parametrize(("kind", "method"), [("HEAD", "HEAD"), ("options", "OPTIONS"), ("*", "*")])
def test_custom_methods_are_upper_case_or_any(kind: str, method: str) -> None:
    for form in both({"custom": {"kind": kind, "path": "/x"}}):
        assert [(b.http_method, b.template) for b in rules.bindings(RPC, form)] == [(method, "/x")]
        assert rules.problems(form) == []


def test_additional_bindings_have_bodies_of_their_own() -> None:
    for form in both({"post": "/a", "body": "*", "additional_bindings": [{"get": "/b"}, {"put": "/c", "body": "f"}]}):
        assert [(b.http_method, b.template, b.body) for b in rules.bindings(RPC, form)] == [
            ("POST", "/a", "*"),
            ("GET", "/b", ""),
            ("PUT", "/c", "f"),
        ]


def test_the_source_is_the_line_of_an_annotation_and_the_path_of_a_setting() -> None:
    annotation, config = both({"get": "/a", "additional_bindings": [{"get": "/b"}]})
    assert [b.source for b in rules.bindings(RPC, annotation)] == ["a.proto:7", "a.proto:7"]
    assert [b.source for b in rules.bindings(RPC, config)] == [
        "apis[0].http.rules[2]",
        "apis[0].http.rules[2].additional_bindings[0]",
    ]


def test_a_setting_loaded_from_a_file_has_its_line_as_source() -> None:
    rule = HttpRule(get="/a")
    rule._source = "edge.yaml:17"
    assert rules.bindings(RPC, rules.from_config(rule, "r"))[0].source == "edge.yaml:17"


def test_a_rule_without_a_pattern_is_a_problem() -> None:
    assert problems({"body": "*"}) == [
        ["p.S.M: the rule has no pattern"],
        ["apis[0].http.rules[2]: the rule has no pattern"],
    ]


def test_two_patterns_are_a_problem_that_quotes_both() -> None:
    form = rules.from_config(HttpRule(get="/a", post="/b"), "r")
    (problem,) = rules.problems(form)
    assert problem.message == "the rule has 2 patterns: GET /a, POST /b"
    assert "additional_bindings" in problem.fix
    assert [b.template for b in rules.bindings(RPC, form)] == ["/a"]


def test_bindings_deeper_than_one_level_are_a_problem_at_their_place() -> None:
    deep = {"get": "/a", "additional_bindings": [{"get": "/b"}, {"get": "/c", "additional_bindings": [{"get": "/d"}]}]}
    assert problems(deep) == [
        ["p.S.M.additional_bindings[1]: an additional binding has additional_bindings of its own"],
        ["apis[0].http.rules[2].additional_bindings[1]: an additional binding has additional_bindings of its own"],
    ]
    assert [b.template for b in rules.bindings(RPC, both(deep)[0])] == ["/a", "/b", "/c"]


def test_a_selector_inside_additional_bindings_is_a_problem() -> None:
    found = problems({"get": "/a", "additional_bindings": [{"get": "/b", "selector": "p.S.N"}]})
    assert found[1] == ['apis[0].http.rules[2].additional_bindings[0].selector: an additional binding selects "p.S.N"']


@pytest.mark.parametrize("kind", ["GE T", "GET\r\n", "é"])
def test_a_custom_kind_that_is_no_method_is_a_problem(kind: str) -> None:
    for form in both({"custom": {"kind": kind, "path": "/x"}}):
        (problem,) = rules.problems(form)
        assert problem.path.endswith(".custom.kind")
        assert not problem.warning


def test_an_annotation_without_a_kind_is_a_problem() -> None:
    rule = rules.from_annotation(ParseDict({"custom": {"path": "/x"}}, Annotation()), "a.proto:7", "p.S.M")
    assert [problem.path for problem in rules.problems(rule)] == ["p.S.M.custom.kind"]


@pytest.mark.parametrize("rule", [{"get": "/a"}, {"delete": "/a"}, {"custom": {"kind": "HEAD", "path": "/a"}}])
def test_a_body_where_http_has_none_is_a_warning(rule: dict[str, Any]) -> None:
    for form in both({**rule, "body": "*"}):
        (problem,) = rules.problems(form)
        assert problem.warning
        assert problem.path.endswith(".body")


def test_a_body_on_post_is_right() -> None:
    assert problems({"post": "/a", "body": "*"}) == [[], []]


def test_a_default_binding_is_marked() -> None:
    assert rules.default_binding(RPC) == HttpBinding(
        RPC, "POST", "/p.S/M", body="*", source="default_bindings", generated=True
    )
