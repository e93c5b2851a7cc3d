"""Descriptor sets from files: read whole, linked in a pool of their own, or precisely refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from edge.core.problem import Problem, ProblemsError
from edge.descriptors.compile import compile_protos
from edge.descriptors.descriptor_set import canonical, linked, parsed, read
from tests.unit.descriptors.sources import compiled, file, names, written


def refused(path: Path, data: bytes) -> Problem:
    """The one problem of a file with this content."""
    path.write_bytes(data)
    with pytest.raises(ProblemsError) as caught:
        read(path)
    (problem,) = caught.value.problems
    return problem


def link_problems(*files: object) -> tuple[Problem, ...]:
    """The problems of linking these files."""
    with pytest.raises(ProblemsError) as caught:
        linked(FileDescriptorSet(file=files), "set")  # type: ignore[arg-type]  # plain FileDescriptorProto values
    return caught.value.problems


def test_a_set_with_its_imports_is_read_as_it_is(tmp_path: Path) -> None:
    data = compiled(tmp_path, "message A {}")
    path = tmp_path / "set.binpb"
    path.write_bytes(data)
    assert sorted(names(read(path))) == sorted(names(data))


def test_a_set_in_any_order_is_ordered(tmp_path: Path) -> None:
    files = parsed(compiled(tmp_path, "message A {}"), "")
    path = tmp_path / "set.binpb"
    path.write_bytes(FileDescriptorSet(file=reversed(files.file)).SerializeToString())
    linked(parsed(read(path), ""), "")


def test_a_set_without_imports_names_importer_import_and_flag(tmp_path: Path) -> None:
    root = written(
        tmp_path, {"a.proto": 'syntax="proto3"; import "b.proto"; message A {}', "b.proto": 'syntax="proto3";'}
    )
    files = parsed(compile_protos([root], ["a.proto"]), "")
    alone = FileDescriptorSet(file=[each for each in files.file if each.name == "a.proto"])
    problem = refused(tmp_path / "set.binpb", alone.SerializeToString())
    assert (problem.path, problem.message) == ("a.proto", 'imports "b.proto", which is not there')
    assert problem.place.endswith("set.binpb")
    assert "--include_imports" in problem.fix


def test_googles_files_may_be_left_out(tmp_path: Path) -> None:
    files = parsed(compiled(tmp_path, "message A {}"), "")
    path = tmp_path / "set.binpb"
    path.write_bytes(FileDescriptorSet(file=[files.file[-1]]).SerializeToString())
    assert "google/api/annotations.proto" in names(read(path))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b'syntax = "proto3";\n', "is text"),
        (b'{"file": []}', "is text"),
        (b"\x1f\x8b\x08\x00\x00", "gzip"),
        (b"\xff\xff\xff\xff", "is not a serialized"),
        (b"\x0a\x00", "is not a serialized"),  # a file without a name
        (b"\x12\x01a", "is not a serialized"),  # some other message
    ],
)
def test_what_is_no_set_is_told_apart(tmp_path: Path, data: bytes, words: str) -> None:
    problem = refused(tmp_path / "set.binpb", data)
    assert words in problem.message
    assert problem.fix


def test_a_file_that_is_not_there_is_a_problem_of_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as caught:
        read(tmp_path / "none.binpb", "apis[1].descriptors")
    (problem,) = caught.value.problems
    assert problem.path == "apis[1].descriptors"
    assert "No such file" in problem.message


def test_an_unresolvable_type_names_file_and_type() -> None:
    (problem,) = link_problems(file("a.proto", messages=[("A", ".p.Nope")]))
    assert (problem.place, problem.path) == ("set", "a.proto")
    assert "'.p.Nope'" in problem.message
    assert problem.fix.startswith("no file of the set defines")


def test_a_name_defined_twice_names_the_second_file() -> None:
    (problem,) = link_problems(file("a.proto", messages=[("A", "")]), file("b.proto", messages=[("A", "")]))
    assert problem.path == "b.proto"
    assert "'p.A'" in problem.message
    assert "keep one" in problem.fix


def test_every_broken_file_is_told_but_not_those_that_only_import_one() -> None:
    problems = link_problems(
        file("a.proto", messages=[("A", ".p.Nope")]),
        file("b.proto", messages=[("B", ".p.Nada")]),
        file("c.proto", "a.proto", messages=[("C", ".p.A")]),
        file("d.proto", "c.proto"),
    )
    assert [problem.path for problem in problems] == ["a.proto", "b.proto"]


def test_linking_leaves_protobufs_global_pool_alone() -> None:
    """Two users' files of one name and different content live side by side."""
    for message in ("One", "Two"):
        pool = linked(FileDescriptorSet(file=[file("same.proto", messages=[(message, "")])]), "")
        assert pool.FindMessageTypeByName(f"p.{message}")


def test_the_canonical_form_survives_a_round_trip(tmp_path: Path) -> None:
    data = compiled(tmp_path, "message A { map<string, int32> m = 1; }")
    assert canonical(parsed(data, "")) == data
