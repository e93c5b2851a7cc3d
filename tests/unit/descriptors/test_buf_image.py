"""buf's import mark is read from the unknown field it is; other sets have none."""

from __future__ import annotations

import pytest

from edge.descriptors.buf_image import is_import
from tests.unit.descriptors.sources import file

TAG = b"\xd2\xf6\x03"  # field 8042, length-delimited


@pytest.mark.parametrize(
    ("extension", "expected"),
    [
        (b"\x02\x08\x01", True),
        (b"\x02\x08\x00", False),
        (b"\x00", False),
        (b"\x04\x10\x01\x18\x01", False),  # is_syntax_unspecified and others
    ],
)
def test_the_mark_is_read(extension: bytes, expected: bool) -> None:
    marked = file("a.proto")
    marked.MergeFromString(TAG + extension)
    assert is_import(marked) is expected


def test_a_file_without_the_extension_is_no_import() -> None:
    assert not is_import(file("a.proto"))
