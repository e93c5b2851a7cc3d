"""Annotations, configured rules and default bindings: which of them an RPC gets."""

from __future__ import annotations

from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from edge.config.models import HttpRule
from edge.core.problem import Problem
from edge.descriptors import bindings, services
from edge.descriptors.descriptor_set import parsed
from edge.descriptors.rules import Rule
from tests.unit.descriptors.sources import compiled

TEXT = """message M { string a = 1; }
service S {
  rpc One(M) returns (M) {
    option deprecated = true;
    option (google.api.http) = {
      get: "/v1/{a}"
    };
  }
  rpc Two(M) returns (M) {
    option (google.api.http).post = "/v2";
    option (google.api.http).body = "*";
  }
  rpc Three(M) returns (M);
}
service T { rpc One(M) returns (M) { option (google.api.http) = { get: "/t" }; } }
"""
KNOWN = ["t.S.One", "t.S.Two", "t.S.Three"]


def chosen(folder: Path) -> list[services.Declared]:
    """The services of TEXT."""
    return list(services.declared(parsed(compiled(folder, TEXT), "")).values())


def config(*written: HttpRule) -> list[Rule]:
    """Configured rules of the first API."""
    return bindings.configured(written, "apis[0]")


def selected(*written: HttpRule) -> list[Problem]:
    """The selector problems of configured rules."""
    return list(bindings.selector_problems(config(*written), KNOWN, [*KNOWN, "x.Hidden.Get"]))


def test_annotations_are_found_with_the_line_of_the_option(tmp_path: Path) -> None:
    found = bindings.annotated(chosen(tmp_path))
    assert {selector: (rule.patterns, rule.body, rule.place) for selector, rule in found.items()} == {
        "t.S.One": ((("GET", "/v1/{a}"),), "", "t.proto:8"),
        "t.S.Two": ((("POST", "/v2"),), "*", "t.proto:13"),
        "t.T.One": ((("GET", "/t"),), "", "t.proto:18"),
    }


def test_without_source_info_the_source_is_the_file(tmp_path: Path) -> None:
    files = FileDescriptorSet.FromString(compiled(tmp_path, TEXT))
    for file in files.file:
        file.ClearField("source_code_info")
    found = bindings.annotated(list(services.declared(files).values()))
    assert found["t.S.One"].place == "t.proto"


def test_a_configured_rule_replaces_the_annotation_and_the_last_one_wins(tmp_path: Path) -> None:
    rules = config(HttpRule(selector="t.S.One", put="/b"), HttpRule(selector="t.S.One", patch="/c"))
    one, *_ = chosen(tmp_path)
    bound = bindings.of_rpcs(one.rpcs(), bindings.effective(bindings.annotated([one]), rules), default=False)
    assert [(b.rpc.method, b.http_method, b.template) for b in bound] == [
        ("One", "PATCH", "/c"),
        ("Two", "POST", "/v2"),
    ]


def test_a_configured_rule_adds_to_the_annotations(tmp_path: Path) -> None:
    one, *_ = chosen(tmp_path)
    effective = bindings.effective(bindings.annotated([one]), config(HttpRule(selector="t.S.Three", get="/three")))
    assert len(list(bindings.of_rpcs(one.rpcs(), effective, default=False))) == 3


def test_default_bindings_are_given_where_no_rule_is(tmp_path: Path) -> None:
    one, *_ = chosen(tmp_path)
    bound = list(bindings.of_rpcs(one.rpcs(), bindings.annotated([one]), default=True))
    assert [(b.template, b.generated) for b in bound] == [("/v1/{a}", False), ("/v2", False), ("/t.S/Three", True)]


def test_a_selector_that_matches_no_rpc_is_a_problem_with_the_closest_name() -> None:
    (problem,) = selected(HttpRule(selector="t.S.Thre", get="/x"))
    assert problem.path == "apis[0].http.rules[0].selector"
    assert problem.message == 'no RPC is called "t.S.Thre"'
    assert problem.fix == 'did you mean "t.S.Three"?'


def test_an_empty_selector_is_a_problem() -> None:
    (problem,) = selected(HttpRule(get="/x"))
    assert problem.message == "the rule selects no RPC"


def test_a_selector_of_a_service_that_is_not_exposed_says_so() -> None:
    (problem,) = selected(HttpRule(selector="x.Hidden.Get", get="/x"))
    assert (problem.message, problem.fix) == ('"x.Hidden.Get" is not exposed', 'add "x.Hidden" to services')
