"""What the native codec leaves to the portable one."""

from __future__ import annotations

import pytest
from google.protobuf import timestamp_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from edge.wire.native.support import is_special, mask_field, unknown_to_native
from edge.wire.portable.schema import Schema
from tests.unit.wire.portable.compiling import descriptor_set

SCHEMA = Schema(descriptor_set())


def unknown(files: FileDescriptorSet) -> str | None:
    """What is not known of these files."""
    data = files.SerializeToString()
    return unknown_to_native(Schema(data), data)


def test_the_test_protos_are_known_whole() -> None:
    assert unknown_to_native(SCHEMA, descriptor_set()) is None


def test_message_sets_are_not_known_wherever_they_are_declared() -> None:
    files = FileDescriptorSet()
    outer = files.file.add(name="n.proto", syntax="proto2").message_type.add(name="Outer")
    inner = outer.nested_type.add(name="Inner")
    inner.options.message_set_wire_format = True
    inner.extension_range.add(start=4, end=2**31 - 1)
    assert unknown(files) == "Inner is a message set"


def test_a_json_name_of_two_fields_is_not_known() -> None:
    files = FileDescriptorSet()
    file = files.file.add(name="n.proto", syntax="proto2")
    message = file.message_type.add(name="N")
    message.options.deprecated_legacy_json_field_conflicts = True
    message.field.add(name="foo_bar", number=1, type=9, label=1)
    message.field.add(name="fooBar", number=2, type=9, label=1)
    assert unknown(files) == "two fields of N share a JSON name"


def test_a_well_known_type_of_ones_own_is_not_known() -> None:
    file = FileDescriptorProto.FromString(timestamp_pb2.DESCRIPTOR.serialized_pb)
    file.message_type[0].field[1].number = 3
    assert unknown(FileDescriptorSet(file=[file])) == "google.protobuf.Timestamp is not the standard one"


@pytest.mark.parametrize(
    ("request_", "body", "http_method", "field"),
    [
        ("t.BookRequest", "book", "PATCH", "update_mask"),
        ("t.BookRequest", "book", "PUT", None),
        ("t.BookRequest", "*", "PATCH", None),
        ("t.BookRequest", "note", "PATCH", None),
        ("t.BookRequest", "since", "PATCH", None),
        ("t.BookRequest", "books", "PATCH", None),
        ("t.TwoMasks", "book", "PATCH", None),
    ],
)
def test_the_mask_of_a_patch(request_: str, body: str, http_method: str, field: str | None) -> None:
    """F1: exactly one FieldMask beside a message that is the body."""
    descriptor = SCHEMA.message(request_)
    assert descriptor is not None
    found = mask_field(descriptor, body, http_method)
    assert (found.name if found is not None else None) == field


def test_special_types_have_a_form_of_their_own() -> None:
    messages = [SCHEMA.message(name) for name in ("google.protobuf.Value", "google.protobuf.Empty", "t.All")]
    assert [is_special(message) for message in messages if message is not None] == [True, False, False]
