"""What counts as breaking between two descriptions, and how it reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.descriptors.compat import compared
from tests.unit.descriptors.sources import compiled

OLD = """
message M {
  enum E { Z = 0; ONE = 1; }
  message N { int32 x = 1; }
  string a = 1; int32 b = 2; oneof o { string c = 3; string d = 4; } E e = 5; N n = 6;
}
service S { rpc A(M) returns (M); rpc B(M) returns (M); }
"""


def changed(folder: Path, old: str, new: str) -> list[str]:
    """The lines for OLD with one piece of text replaced."""
    assert old in OLD
    before, after = compiled(folder, OLD), compiled(folder, OLD.replace(old, new))
    return compared(before, after).lines


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("rpc B(M) returns (M);", "", "RPC t.S.B is gone"),
        ("rpc A(M)", "rpc A(M.N)", "RPC t.S.A takes t.M.N, was t.M"),
        ("returns (M); }", "returns (stream M); }", "RPC t.S.B is server-streaming True, was False"),
        ("string a = 1;", "", "field t.M.a = 1 is gone"),
        ("string a = 1;", "string z = 1;", "field t.M.a: name is z, was a"),
        ("string a = 1;", "string a = 7;", "field t.M.a: number is 7, was 1"),
        ("string a = 1;", 'string a = 1 [json_name = "q"];', "field t.M.a: JSON name is q, was a"),
        ("string a = 1;", "bytes a = 1;", "field t.M.a: type is bytes, was string"),
        ("string a = 1;", "repeated string a = 1;", "field t.M.a: label is repeated, was implicit"),
        ("string a = 1;", "optional string a = 1;", "field t.M.a: label is optional, was implicit"),
        ("N n = 6", "M n = 6", "field t.M.n: type is t.M, was t.M.N"),
        ("ONE = 1;", "", "enum value t.M.E.ONE = 1 is gone"),
        ("ONE = 1;", "ONE = 2;", "enum value t.M.E.ONE: number is 2, was 1"),
        ("int32 x = 1;", "int64 x = 1;", "field t.M.N.x: type is int64, was int32"),
    ],
)
def test_what_callers_notice_is_breaking(tmp_path: Path, old: str, new: str, line: str) -> None:
    assert changed(tmp_path, old, new) == [f"breaking: {line}"]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("rpc B(M)", "rpc C(M) returns (M); rpc B(M)", "RPC t.S.C is new"),
        ("string a = 1;", "string a = 1; string z = 9;", "field t.M.z = 9 is new"),
        ("ONE = 1;", "ONE = 1; TWO = 2;", "enum value t.M.E.TWO = 2 is new"),
        ("message M", "message P {} message M", "message t.P is new"),
    ],
)
def test_what_is_added_is_not_breaking(tmp_path: Path, old: str, new: str, line: str) -> None:
    assert changed(tmp_path, old, new) == [line]


def test_comments_and_equal_sets_change_nothing(tmp_path: Path) -> None:
    assert changed(tmp_path, "service S {", "// a word\nservice S {") == []
    difference = compared(compiled(tmp_path, OLD), compiled(tmp_path, OLD))
    assert not difference.breaking
    assert difference.changes == ()


def test_a_field_that_leaves_a_oneof_loses_its_presence_too(tmp_path: Path) -> None:
    assert changed(tmp_path, "string d = 4; }", "} string d = 4;") == [
        "breaking: field t.M.d: label is implicit, was optional",
        "breaking: field t.M.d: oneof is none, was o",
    ]


def test_a_message_moved_to_another_file_is_not_gone(tmp_path: Path) -> None:
    before, after = compiled(tmp_path, OLD), compiled(tmp_path, OLD, "moved.proto")
    assert compared(before, after).lines == []


def test_a_removed_message_makes_the_difference_breaking(tmp_path: Path) -> None:
    before = compiled(tmp_path, OLD + "message Gone {}")
    assert compared(before, compiled(tmp_path, OLD)).breaking
