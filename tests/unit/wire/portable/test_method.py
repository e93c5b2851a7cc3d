"""One binding end to end: the order of binding, and equal requests as equal bytes."""

from __future__ import annotations

import pytest

from edge.wire.codec import BindingError, Source
from tests.unit.wire.portable.compiling import bind, bound, method

CODEC = method("t.BookRequest", path=("shelf", "book.name"), body="book", http_method="PATCH")


def test_path_body_query_and_mask_meet_in_one_message() -> None:
    message = bound(CODEC, "1", "n", query="pageSize=5&view=BOOK_VIEW_FULL", body='{"title":"t"}')
    assert (message.shelf, message.book.name, message.book.title, message.page_size, message.view) == (
        "1",
        "n",
        "t",
        5,
        2,
    )
    assert list(message.update_mask.paths) == ["title"]


def test_requests_are_deterministic() -> None:
    one = bind(CODEC, "1", "n", body='{"labels":{"a":"1","b":"2","c":"3"}}').message
    other = bind(CODEC, "1", "n", body='{"labels":{"c":"3","b":"2","a":"1"}}').message
    assert one == other


def test_a_codec_keeps_nothing_between_requests() -> None:
    assert bound(CODEC, "1", "n", query="note=a", body='{"title":"t"}').note == "a"
    assert bound(CODEC, "2", "n").note == ""


def test_required_fields_may_come_from_anywhere() -> None:
    """B9: proto2 required."""
    assert bound(method("t2.Old", path=("id",), body=""), "x", name="t2.Old").id == "x"
    with pytest.raises(BindingError) as caught:
        bind(method("t2.Old", body=""), query="count=1")
    assert (caught.value.source, caught.value.field) == (Source.BODY, "id")
