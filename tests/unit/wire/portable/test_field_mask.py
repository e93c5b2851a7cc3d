"""Automatic update masks for PATCH."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.wire.portable.compiling import bound, method

PATCH = method("t.BookRequest", path=("book.name",), body="book", http_method="PATCH")


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ('{"title":"t"}', ["title"]),
        ('{"details":{"a":"x","next":{"b":1}},"shelf":"s"}', ["details.a", "details.next.b", "shelf"]),
        ('{"paper":"p"}', ["paper"]),
        ('{"digital":{"left":"x"}}', ["digital.left"]),
        ('{"labels":{"a":"1","b":"2"}}', ["labels"]),
        ('{"authors":["a","b"]}', ["authors"]),
        ('{"extra":{"@type":"x/t.Inner","a":"x"}}', ["extra"]),
        ('{"meta":{"a":{"b":1}}}', ["meta"]),
        ('{"publishedAt":"2020-01-01T00:00:00Z"}', ["published_at"]),
        ('{"published_at":"2020-01-01T00:00:00Z"}', ["published_at"]),
        ('{"title":null,"details":null}', ["title", "details"]),
        ('{"details":{}}', ["details"]),
        ("{}", []),
    ],
)
def test_paths_from_the_body(body: str, paths: list[str]) -> None:
    """F1, F2: nested, oneof, map and repeated whole, Any, Struct and times whole, proto names whatever was written."""
    message = bound(PATCH, "n", body=body)
    assert message.HasField("update_mask")
    assert list(message.update_mask.paths) == paths


def test_an_explicit_mask_wins() -> None:
    """F3: from the query in either spelling, even when it is empty."""
    assert list(bound(PATCH, "n", query="updateMask=shelf", body='{"title":"t"}').update_mask.paths) == ["shelf"]
    assert list(bound(PATCH, "n", query="update_mask=", body='{"title":"t"}').update_mask.paths) == []


@pytest.mark.parametrize(
    ("binding", "body"),
    [
        ({"body": "*", "http_method": "PATCH"}, '{"book":{"title":"t"}}'),
        ({"body": "book", "http_method": "PUT"}, '{"title":"t"}'),
        ({"body": "book", "http_method": "PATCH", "update_mask": False}, '{"title":"t"}'),
    ],
    ids=["body *", "PUT", "off"],
)
def test_where_no_mask_is_made(binding: dict[str, Any], body: str) -> None:
    """F3, F4: body `*` is left alone; so are other methods; off by option."""
    assert not bound(method("t.BookRequest", **binding), body=body).HasField("update_mask")


def test_no_body_makes_no_mask() -> None:
    assert not bound(PATCH, "n").HasField("update_mask")


def test_two_masks_are_left_alone() -> None:
    """F1: exactly one FieldMask field."""
    message = bound(method("t.TwoMasks", body="book", http_method="PATCH"), body='{"title":"t"}', name="t.TwoMasks")
    assert not message.HasField("one")
    assert not message.HasField("two")


def test_a_body_that_is_no_message_is_left_alone() -> None:
    codec = method("t.BookRequest", body="labels", http_method="PATCH")
    assert not bound(codec, body='{"a":"b"}').HasField("update_mask")
