"""Descriptor sets as message classes."""

from __future__ import annotations

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from edge.wire.codec import CompileError
from edge.wire.portable.schema import Schema, is_plain_entry, map_entry
from tests.unit.wire.portable.compiling import descriptor_set


def _set(keep: object = None) -> FileDescriptorSet:
    return FileDescriptorSet.FromString(descriptor_set())


def test_files_may_come_in_any_order() -> None:
    """C1: dependencies first or not."""
    backwards = FileDescriptorSet(file=list(reversed(_set().file)))
    assert Schema(backwards.SerializeToString()).message("t.All") is not None


def test_google_protobuf_files_need_not_be_in_the_set() -> None:
    slim = FileDescriptorSet(file=[f for f in _set().file if not f.name.startswith("google/protobuf")])
    schema = Schema(slim.SerializeToString())
    assert schema.message("google.protobuf.Timestamp") is not None
    assert schema.message("t.All") is not None


def test_error_details_are_known_to_every_api() -> None:
    assert Schema(b"").of_url("type.googleapis.com/google.rpc.ErrorInfo") is not None


def test_the_names_of_all_messages_are_known() -> None:
    """Nested ones, entries of maps and the standard ones too."""
    schema = Schema(descriptor_set())
    assert {
        "t.All",
        "google.protobuf.Any",
        "google.rpc.ErrorInfo",
        "google.protobuf.Struct.FieldsEntry",
    } <= schema.full_names
    assert all(schema.message(name) is not None for name in schema.full_names)


def test_two_apis_may_define_one_name_differently() -> None:
    one = FileDescriptorSet()
    file = one.file.add(name="x.proto", package="t")
    file.message_type.add(name="All")
    assert len(Schema(one.SerializeToString()).message("t.All").fields) == 0  # type: ignore[union-attr]  # it is there
    assert len(Schema(descriptor_set()).message("t.All").fields) > 0  # type: ignore[union-attr]  # it is there


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ([("a.proto", ["missing.proto"])], "missing.proto"),
        ([("a.proto", ["b.proto"]), ("b.proto", ["a.proto"])], "imports itself"),
    ],
)
def test_what_does_not_hang_together_is_refused(files: list[tuple[str, list[str]]], text: str) -> None:
    """C5: a missing import is a precise load error."""
    broken = FileDescriptorSet()
    for name, imports in files:
        broken.file.add(name=name, dependency=imports)
    with pytest.raises(CompileError, match=text):
        Schema(broken.SerializeToString())


def test_unknown_types_are_refused() -> None:
    broken = FileDescriptorSet()
    message = broken.file.add(name="a.proto").message_type.add(name="M")
    message.field.add(name="f", number=1, type=11, label=1, type_name=".nowhere.T")
    with pytest.raises(CompileError, match="contradict"):
        Schema(broken.SerializeToString())


def test_bytes_that_are_no_set_are_refused() -> None:
    with pytest.raises(CompileError, match="FileDescriptorSet"):
        Schema(b"\xff\xff")


@pytest.mark.parametrize("url", ["", "t.All", "x/", "x/nope", "type.googleapis.com/t.BookView"])
def test_type_urls_that_name_no_message(url: str) -> None:
    assert Schema(descriptor_set()).of_url(url) is None


@pytest.mark.parametrize(
    ("field", "plain"), [("by_u64", True), ("by_number", True), ("labels", False), ("by_flag", False)]
)
def test_maps_with_integer_keys_are_held_as_lists_of_entries(field: str, plain: bool) -> None:
    """B6: protobuf's hash of integers is no secret."""
    message = Schema(descriptor_set()).message("t.All")
    assert message is not None
    entry = map_entry(message.fields_by_name[field])
    assert entry is not None
    assert is_plain_entry(entry) is plain


def test_a_list_of_what_looks_like_entries_is_no_map() -> None:
    files = FileDescriptorSet()
    message = files.file.add(name="n.proto", package="n", syntax="proto3").message_type.add(name="N")
    entry = message.nested_type.add(name="PairsEntry")
    entry.options.no_standard_descriptor_accessor = True
    entry.field.add(name="key", number=1, type=3, label=1)
    entry.field.add(name="value", number=2, type=3, label=1)
    message.field.add(name="pairs", number=1, type=11, label=3, type_name=".n.N.PairsEntry")
    built = Schema(files.SerializeToString()).message("n.N")
    assert built is not None
    assert map_entry(built.fields_by_name["pairs"]) is None
