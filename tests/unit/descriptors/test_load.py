"""Whole descriptions: from protos, from a descriptor set, and everything that is wrong with them at once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from edge.config.models import Api
from edge.core.problem import Problem, ProblemsError
from edge.descriptors.descriptor_set import parsed
from edge.descriptors.load import describe, load_description
from tests.unit.descriptors.sources import compiled, written

A = """syntax = "proto3";
package a;
import "google/api/annotations.proto";
import "b.proto";
service A {
  rpc Get(b.M) returns (b.M) { option (google.api.http) = { get: "/a" }; }
  rpc Watch(b.M) returns (stream b.M);
}
"""
B = 'syntax = "proto3"; package b; message M {} service B { rpc Get(M) returns (M); }'


def api(**settings: Any) -> Api:
    """An API of these settings."""
    return Api.model_validate({"name": "x", "upstream": "x", **settings})


def failing(given: Api, base: Path) -> tuple[Problem, ...]:
    """The problems of a description that must not be served, however they are told."""
    try:
        problems = load_description(given, base, 0).problems
    except ProblemsError as error:
        problems = error.problems
    assert any(not problem.warning for problem in problems)
    return problems


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A folder with the two files under `protos`."""
    written(tmp_path / "protos", {"a.proto": A, "b.proto": B})
    return tmp_path


PROTOS = {"roots": ["protos"], "files": ["a.proto"]}


def test_the_services_of_the_named_files_are_exposed_not_those_of_imports(base: Path) -> None:
    found = load_description(api(protos=PROTOS), base, 0)
    assert [rpc.path for rpc in found.rpcs] == ["/a.A/Get", "/a.A/Watch"]
    assert [rpc.server_streaming for rpc in found.rpcs] == [False, True]
    assert [(b.http_method, b.template, b.source) for b in found.bindings] == [("GET", "/a", "a.proto:6")]
    assert found.problems == ()


def test_without_roots_files_are_relative_to_the_configuration(base: Path) -> None:
    assert load_description(api(protos={"files": ["b.proto"]}), base / "protos", 0).rpcs[0].selector == "b.B.Get"


def test_services_of_imports_can_be_named(base: Path) -> None:
    found = load_description(api(protos=PROTOS, services=["b.B"], default_bindings=True), base, 0)
    assert [(b.template, b.generated) for b in found.bindings] == [("/b.B/Get", True)]


def test_a_descriptor_set_gives_the_same_description_with_all_its_services(base: Path) -> None:
    one = load_description(api(protos=PROTOS), base, 0)
    (base / "set.binpb").write_bytes(one.descriptor_set)
    two = load_description(api(descriptors="set.binpb"), base, 0)
    assert {rpc.service for rpc in two.rpcs} == {"a.A", "b.B"}
    assert set(one.bindings) == set(two.bindings)
    again = describe(api(descriptors="set.binpb"), two.descriptor_set, ["a.A"], 0)
    assert again.rpcs == one.rpcs


def test_the_services_of_bufs_imports_are_not_exposed(base: Path) -> None:
    files = parsed(load_description(api(protos=PROTOS), base, 0).descriptor_set, "")
    for file in files.file:
        if file.name == "b.proto":
            file.MergeFromString(b"\xd2\xf6\x03\x02\x08\x01")
    (base / "image.binpb").write_bytes(files.SerializeToString())
    assert {rpc.service for rpc in load_description(api(descriptors="image.binpb"), base, 0).rpcs} == {"a.A"}


def test_all_problems_of_an_api_come_at_once(base: Path) -> None:
    rules = [
        {"selector": "a.A.Gte", "get": "/x"},
        {"selector": "a.A.Get"},
        {"selector": "a.A.Get", "get": "/y", "post": "/z"},
    ]
    problems = failing(api(protos=PROTOS, services=["a.A", "a.Z"], http={"rules": rules}), base)
    assert [problem.path for problem in problems if not problem.warning] == [
        "apis[0].services[1]",
        "apis[0].http.rules[2]",
        "apis[0].http.rules[1]",
        "apis[0].http.rules[0].selector",
    ]


def test_warnings_do_not_stop_a_description(base: Path) -> None:
    rules = [{"selector": "a.A.Get", "get": "/x", "body": "*"}]
    (problem,) = load_description(api(protos=PROTOS, http={"rules": rules}), base, 0).problems
    assert problem.warning


def test_a_set_that_cannot_be_linked_is_refused(base: Path, tmp_path: Path) -> None:
    files = FileDescriptorSet.FromString(compiled(tmp_path, "message M {} service S { rpc A(M) returns (M); }"))
    files.file[-1].service[0].method[0].input_type = ".t.Nope"
    (base / "set.binpb").write_bytes(files.SerializeToString())
    (problem,) = failing(api(descriptors="set.binpb"), base)
    assert "'.t.Nope'" in problem.message


def test_files_without_a_service_are_a_problem(base: Path) -> None:
    written(base / "protos", {"c.proto": 'syntax = "proto3"; message C {}'})
    (problem,) = failing(api(protos={"roots": ["protos"], "files": ["c.proto"]}), base)
    assert "no service to expose" in problem.message


def test_reflection_is_not_loaded_from_files(base: Path) -> None:
    with pytest.raises(ValueError, match="reflection"):
        load_description(api(reflection=True), base, 0)


def test_ten_thousand_rpcs_load_in_seconds(tmp_path: Path) -> None:
    """The bound is far above what it takes, so that only a wrong order of growth fails."""
    parts = [
        f"message Q{n} {{ string name = 1; int32 size = 2; }}\nservice S{n} {{\n"
        + "\n".join(
            f'  rpc M{m}(Q{n}) returns (Q{n}) {{ option (google.api.http) = {{ get: "/v1/{n}/{m}/{{name}}" }}; }}'
            for m in range(20)
        )
        + "\n}"
        for n in range(500)
    ]
    head = 'syntax = "proto3";\npackage big;\nimport "google/api/annotations.proto";\n'
    written(tmp_path, {"big.proto": head + "\n".join(parts)})
    rules = [{"selector": f"big.S{n}.M0", "get": f"/o/{n}"} for n in range(500)]
    started = time.process_time()
    found = load_description(api(protos={"files": ["big.proto"]}, http={"rules": rules}), tmp_path, 0)
    took_s = time.process_time() - started
    assert len(found.rpcs) == len(found.bindings) == 10_000
    assert found.bindings[-1].source.startswith("big.proto:")
    assert took_s < 20, f"{took_s:.1f} s"
