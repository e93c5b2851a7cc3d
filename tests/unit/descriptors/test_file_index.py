"""Where things are declared."""

from __future__ import annotations

from pathlib import Path

from edge.descriptors.compile import compile_protos
from edge.descriptors.file_index import FileIndex

BASE = """syntax = "proto2"; package p;
message Extendable { extensions 100 to 200; optional int32 plain = 1; oneof choice { string text = 2; } }
enum Colour { RED = 0; }
"""
USER = """syntax = "proto2"; package q; import "base.proto";
extend p.Extendable { optional string more = 100; }
message Outer { extend p.Extendable { optional int32 nested = 150; } message Inner { enum Deep { ZERO = 0; } } }
service Svc { rpc Do(Outer) returns (Outer.Inner); }
"""


def made(folder: Path, **files: str) -> bytes:
    """A descriptor set of these files."""
    for name, text in files.items():
        (folder / f"{name}.proto").write_text(text)
    return compile_protos([folder], [f"{name}.proto" for name in files])


def test_every_kind_of_symbol_is_found(tmp_path: Path) -> None:
    """By its full name; enum values are beside their enum."""
    index = FileIndex([made(tmp_path, base=BASE, user=USER)], ["q.Svc"])
    for symbol in ("p.Extendable", "p.Extendable.plain", "p.Extendable.choice", "p.Colour", "p.RED"):
        assert index.file_of_symbol(symbol) == "base.proto", symbol
    for symbol in (
        "q.more",
        "q.Outer.nested",
        "q.Outer.Inner",
        "q.Outer.Inner.Deep",
        "q.Outer.Inner.ZERO",
        "q.Svc",
        "q.Svc.Do",
    ):
        assert index.file_of_symbol(symbol) == "user.proto", symbol
    assert index.file_of_symbol("p.Nothing") is None
    assert index.services == ("q.Svc",)


def test_extensions_are_found_by_number(tmp_path: Path) -> None:
    """Nested ones too; a type without any has an empty list, no type has none."""
    index = FileIndex([made(tmp_path, base=BASE, user=USER)], ["q.Svc"])
    assert index.extension_numbers("p.Extendable") == [100, 150]
    assert index.file_of_extension("p.Extendable", 150) == "user.proto"
    assert index.file_of_extension("p.Extendable", 101) is None
    assert index.extension_numbers("q.Outer") == []
    assert index.extension_numbers("p.Nothing") is None


def test_imports_are_followed_and_the_first_api_s_file_counts(tmp_path: Path) -> None:
    """Two APIs may bring two files of one name."""
    last = 'syntax = "proto3"; package r; import "user.proto"; message Last { q.Outer o = 1; }'
    whole = made(tmp_path, base=BASE, user=USER, last=last)
    other = tmp_path / "other"
    other.mkdir()
    index = FileIndex([whole, made(other, base='syntax = "proto3"; package z; message Z {}')], [])
    assert index.imports("last.proto") == ["user.proto", "base.proto"]
    assert index.imports("base.proto") == index.imports("nothing.proto") == []
    assert (index.file_of_symbol("p.Colour"), index.file_of_symbol("z.Z")) == ("base.proto", None)


def test_what_is_not_exposed_is_not_described(tmp_path: Path) -> None:
    """Not by its file, by a symbol, nor beside a service that is; what exposed files need, they get."""
    secret = 'syntax = "proto3"; package s; message Key { string k = 1; } service Admin { rpc Do(Key) returns (Key); }'
    both = 'syntax = "proto3"; package b; message M {} service Open { rpc O(M) returns (M); } service Shut { rpc S(M) returns (M); }'
    index = FileIndex([made(tmp_path, base=BASE, user=USER, secret=secret, both=both)], ["q.Svc", "b.Open"])
    assert sorted(index.files) == ["base.proto", "both.proto", "user.proto"]
    for symbol in ("s.Admin", "s.Key", "b.Shut", "b.Shut.S"):
        assert index.file_of_symbol(symbol) is None, symbol
    assert b"Shut" not in index.files["both.proto"]
    assert index.extension_numbers("s.Key") is None
