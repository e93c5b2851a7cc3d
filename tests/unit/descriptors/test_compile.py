"""Compilation of .proto files: what is found, in which order, and every error with place and fix."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from edge.core.problem import Problem, ProblemsError
from edge.descriptors.compile import compile_protos
from edge.descriptors.descriptor_set import linked
from tests.unit.descriptors.sources import names, written

SERVICE = """syntax = "proto3";
package shop.v1;
import "google/api/annotations.proto";
import "shop/v1/book.proto";
service Shop {
  rpc Get(Book) returns (Book) { option (google.api.http) = { get: "/v1/books/{name}" }; }
}
"""
BOOK = """syntax = "proto3";
package shop.v1;
import "google/type/money.proto";
message Book { string name = 1; google.type.Money price = 2; }
"""


def failing(roots: list[Path], *files: str) -> tuple[Problem, ...]:
    """The problems of a compilation that must fail."""
    with pytest.raises(ProblemsError) as caught:
        compile_protos(roots, files)
    return caught.value.problems


def test_several_files_and_googles_give_one_set_with_dependencies_first(tmp_path: Path) -> None:
    root = written(tmp_path, {"shop/v1/shop.proto": SERVICE, "shop/v1/book.proto": BOOK})
    data = compile_protos([root], ["shop/v1/shop.proto"])
    order = names(data)
    assert (
        order.index("google/type/money.proto") < order.index("shop/v1/book.proto") < order.index("shop/v1/shop.proto")
    )
    assert len(order) == 6
    linked(FileDescriptorSet.FromString(data), "")


def test_source_info_is_kept(tmp_path: Path) -> None:
    root = written(tmp_path, {"shop/v1/shop.proto": SERVICE, "shop/v1/book.proto": BOOK})
    files = FileDescriptorSet.FromString(compile_protos([root], ["shop/v1/shop.proto"]))
    assert all(file.source_code_info.location for file in files.file)


def test_a_users_copy_of_a_google_file_comes_first(tmp_path: Path) -> None:
    own = 'syntax = "proto3"; package google.type; message Money { string own = 1; }'
    root = written(tmp_path, {"google/type/money.proto": own, "shop/v1/book.proto": BOOK})
    files = {
        file.name: file for file in FileDescriptorSet.FromString(compile_protos([root], ["shop/v1/book.proto"])).file
    }
    assert files["google/type/money.proto"].message_type[0].field[0].name == "own"


def test_the_first_root_that_has_a_file_wins_and_a_file_named_twice_is_there_once(tmp_path: Path) -> None:
    roots = [
        written(tmp_path / folder, {"b.proto": f'syntax = "proto3"; message {folder} {{}}'})
        for folder in ("One", "Two")
    ]
    (file,) = FileDescriptorSet.FromString(compile_protos(roots, ["b.proto", "b.proto"])).file
    assert file.message_type[0].name == "One"


def test_the_working_directory_and_nested_roots_do_not_change_a_files_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """protoc itself would read `b.proto` relative to the working directory, and name it by the outer root."""
    inner = written(tmp_path / "outer" / "inner", {"b.proto": 'syntax = "proto3"; message B {}'})
    monkeypatch.chdir(inner)
    assert names(compile_protos([tmp_path / "outer", inner], ["b.proto"])) == ["b.proto"]


def test_a_root_with_an_equals_sign_is_a_root(tmp_path: Path) -> None:
    root = written(tmp_path / "a=b", {"b.proto": 'syntax = "proto3"; message B {}'})
    assert names(compile_protos([root], ["b.proto"])) == ["b.proto"]


@pytest.mark.parametrize(
    "text",
    [
        'edition = "2023"; package e; message E { int32 a = 1 [features.field_presence = IMPLICIT]; }',
        'syntax = "proto2"; message G { optional group Item = 1 { required int32 x = 2; } extensions 100 to 200; }',
        "message NoSyntax { optional int32 a = 1; }",
    ],
)
def test_every_syntax_compiles_without_noise(tmp_path: Path, text: str, capfd: pytest.CaptureFixture[str]) -> None:
    root = written(tmp_path, {"e.proto": text})
    linked(FileDescriptorSet.FromString(compile_protos([root], ["e.proto"])), "")
    assert capfd.readouterr().err == ""


def test_a_missing_import_names_line_and_roots(tmp_path: Path) -> None:
    root = written(tmp_path, {"shop/v1/shop.proto": SERVICE})
    (problem,) = failing([root], "shop/v1/shop.proto")
    assert problem.place == f"{root}/shop/v1/shop.proto:4:1"
    assert "shop/v1/book.proto" in problem.message
    assert str(root) in problem.fix


def test_unknown_types_and_syntax_errors_of_all_files_come_at_once(tmp_path: Path) -> None:
    root = written(
        tmp_path,
        {
            "a.proto": 'syntax = "proto3";\nmessage A { Nope x = 1; }',
            "b.proto": 'syntax = "proto3";\nmessage B { int32 x = 1 }',
        },
    )
    problems = failing([root], "a.proto", "b.proto")
    assert [(problem.place, problem.message) for problem in problems] == [
        (f"{root}/a.proto:2:13", '"Nope" is not defined.'),
        (f"{root}/b.proto:2:25", 'Expected ";".'),
    ]
    assert all(problem.fix for problem in problems)


def test_a_cycle_is_one_problem_with_its_circle(tmp_path: Path) -> None:
    root = written(
        tmp_path,
        {"a.proto": 'syntax = "proto3"; import "b.proto";', "b.proto": 'syntax = "proto3"; import "a.proto";'},
    )
    (problem,) = failing([root], "a.proto")
    assert "a.proto -> b.proto -> a.proto" in problem.message
    assert "break the cycle" in problem.fix


@pytest.mark.parametrize("name", ["protos/a/b.proto", "./a/b.proto", "x/../a/b.proto"])
def test_a_file_named_by_its_path_is_told_its_import_name(tmp_path: Path, name: str) -> None:
    root = written(tmp_path / "protos", {"a/b.proto": 'syntax = "proto3";', "x/c.proto": ""})
    (problem,) = failing([root], name)
    assert problem.path == "protos.files[0]"
    assert problem.fix.startswith('write "a/b.proto"')


def test_wrong_files_and_roots_are_all_told(tmp_path: Path) -> None:
    problems = failing([tmp_path, tmp_path / "none", tmp_path / f"a{os.pathsep}b"], "none.proto")
    assert [problem.path for problem in problems] == ["protos.roots[1]", "protos.roots[2]", "protos.files[0]"]
    assert str(tmp_path) in problems[2].fix


def test_a_name_cannot_break_out_of_its_quotes(tmp_path: Path) -> None:
    name = 'a";message X{}".proto'
    root = written(tmp_path, {name: 'syntax = "proto3"; message B {}'})
    assert names(compile_protos([root], [name])) == [name]


def test_a_file_that_cannot_be_opened_is_a_problem_of_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gone between the check and the compilation, or not readable: the entry file we made up is not named."""
    monkeypatch.setattr("edge.descriptors.compile._found", lambda roots, name: True)
    (problem,) = failing([tmp_path], "gone.proto")
    assert (problem.place, problem.path) == ("", "protos.files")
    assert '"gone.proto"' in problem.message


def test_a_failure_without_a_place_is_told_in_protocs_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = written(tmp_path, {"b.proto": 'syntax = "proto3";'})
    monkeypatch.setattr(
        "edge.descriptors.protoc.run", lambda arguments: (1, "a.proto:1:1: warning: w\nno space left\n")
    )
    warning, problem = failing([root], "b.proto")
    assert warning.warning
    assert "no space left" in problem.message
    assert not problem.warning
