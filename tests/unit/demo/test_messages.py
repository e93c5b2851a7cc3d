"""Message classes made at start."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from edge.demo.messages import FILES, SERVICES, Messages, find_root
from edge.descriptors.compile import compile_protos


def test_every_file_is_found_under_the_root() -> None:
    assert all((find_root() / file).is_file() for file in FILES)


def test_every_proto_is_among_the_files_or_imported_by_one(new: Messages) -> None:
    for file in (find_root() / "bookstore" / "v1").glob("*.proto"):
        assert new.pool.FindFileByName(f"bookstore/v1/{file.name}")


def test_every_service_of_the_files_is_listed(new: Messages) -> None:
    found = [name for file in FILES for name in new.pool.FindFileByName(file).services_by_name]
    assert sorted(found) == sorted(SERVICES)


def test_classes_come_by_short_and_full_name_and_are_the_same_each_time(new: Messages) -> None:
    assert new.Book is new.of("bookstore.v1.Book")
    assert new.Book(title="x").title == "x"
    assert new.number("BookView", "BOOK_VIEW_FULL") == 2


def test_an_unknown_name_is_an_error(new: Messages) -> None:
    with pytest.raises(KeyError):
        new.of("bookstore.v1.Nothing")


def test_everything_in_the_protos_has_a_comment() -> None:
    """The comments become the OpenAPI document: a missing one is a hole in it."""
    compiled = FileDescriptorSet.FromString(compile_protos([find_root()], FILES))
    bare = [
        (file.name, path)
        for file in compiled.file
        if file.package == "bookstore.v1"
        for path in DECLARATIONS
        for location in file.source_code_info.location
        if _kinds(location.path) == path and not location.leading_comments
    ]
    assert not bare


# Field numbers of descriptor.proto, list positions left out: message, nested message, their fields, enum, its values, service, rpc.
DECLARATIONS = ((4,), (4, 3), (4, 2), (4, 3, 2), (4, 4), (4, 4, 2), (4, 8), (5,), (5, 2), (6,), (6, 2))


def _kinds(path: Sequence[int]) -> tuple[int, ...] | None:
    """The field numbers of a source location's path, None when it ends in the middle of a declaration."""
    return None if len(path) % 2 else tuple(path[::2])
