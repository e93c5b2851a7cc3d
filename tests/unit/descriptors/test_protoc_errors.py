"""protoc's lines become problems; consequences of another error are left out."""

from __future__ import annotations

from edge.core.problem import Problem
from edge.descriptors.protoc_errors import read


def only(text: str) -> Problem:
    """The one problem in a text."""
    (problem,) = read(text, "protos").problems
    return problem


def test_a_missing_import_is_one_problem_at_the_import_naming_the_places_searched() -> None:
    problem = only(
        "nope/x.proto: File not found.\n"
        'protos/m.proto:1:31: Import "nope/x.proto" was not found or had errors.\n'
        'protos/m.proto:1:66: "y.U" is not defined.\n'
    )
    assert problem.place == "protos/m.proto:1:31"
    assert problem.message == 'imports "nope/x.proto", which is not found'
    assert "searched protos" in problem.fix


def test_an_import_that_failed_elsewhere_is_told_there_only() -> None:
    problem = only('b.proto:2:1: Expected ";".\na.proto:1:8: Import "b.proto" was not found or had errors.\n')
    assert problem.place == "b.proto:2:1"


def test_an_undefined_type_in_a_file_with_whole_imports_is_told() -> None:
    problem = only('a.proto:8:38: "Unknown" is not defined.\n')
    assert (problem.place, problem.message) == ("a.proto:8:38", '"Unknown" is not defined.')
    assert "import the file" in problem.fix


def test_a_type_whose_import_is_missing_names_the_import() -> None:
    problem = only(
        'a.proto:3:3: "x.Y" seems to be defined in "x.proto", which is not imported by "a.proto".  To use it here, please add.\n'
    )
    assert problem.fix == 'import "x.proto";'


def test_warnings_are_marked() -> None:
    assert only("a.proto:5:1: warning: Import b.proto is unused.").warning


def test_the_compilers_log_lines_are_noise_and_other_lines_are_kept() -> None:
    report = read(
        "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
        'W0000 00:00:1795491176.301868    7632 parser.cc:659] No edition or syntax specified. (Defaulted to "proto2";".)\n'
        '{"event": "of another thread"}\n',
        "",
    )
    assert report.problems == ()
    assert report.rest == ('{"event": "of another thread"}',)
