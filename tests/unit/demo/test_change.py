"""Field masks and etags."""

from __future__ import annotations

import pytest

from edge.core.grpc_status import Code
from edge.demo.change import changed, guard, stamp
from edge.demo.failure import Failure
from edge.demo.messages import Messages, Msg


@pytest.fixture
def book(new: Messages) -> Msg:
    return new.Book(
        id=1,
        title="Old",
        subtitle="Sub",
        pages=9,
        tags=["a", "b"],
        labels={"k": "v"},
        stock={"copies": 3, "location": "A"},
    )


def test_only_masked_fields_change(new: Messages, book: Msg) -> None:
    result = changed(book, new.Book(title="New", pages=10), ["title"], ())
    assert (result.title, result.pages) == ("New", 9)
    assert book.title == "Old", "the original stays as it is"


def test_an_empty_mask_means_the_fields_that_are_set(new: Messages, book: Msg) -> None:
    result = changed(book, new.Book(pages=10), [], ())
    assert (result.title, result.pages) == ("Old", 10)


def test_a_star_replaces_everything_but_what_is_kept(new: Messages, book: Msg) -> None:
    assert changed(book, new.Book(title="New"), ["*"], {"id"}) == new.Book(id=1, title="New")


def test_kept_fields_do_not_change_even_when_masked(new: Messages, book: Msg) -> None:
    assert changed(book, new.Book(id=5, title="New"), ["id", "title"], {"id"}).id == 1


def test_a_masked_field_that_is_not_set_is_cleared(new: Messages, book: Msg) -> None:
    result = changed(book, new.Book(), ["subtitle", "tags", "labels", "stock"], ())
    assert not result.HasField("subtitle")
    assert not result.HasField("stock")
    assert not result.tags
    assert not result.labels


def test_an_optional_field_set_to_its_default_is_set(new: Messages, book: Msg) -> None:
    result = changed(book, new.Book(subtitle=""), ["subtitle"], ())
    assert result.HasField("subtitle")
    assert result.subtitle == ""


def test_lists_and_maps_are_replaced_whole(new: Messages, book: Msg) -> None:
    result = changed(book, new.Book(tags=["c"], labels={"l": "w"}), [], ())
    assert list(result.tags) == ["c"]
    assert dict(result.labels) == {"l": "w"}


def test_a_dotted_path_changes_one_field_of_a_message(new: Messages, book: Msg) -> None:
    result = changed(book, new.Book(stock={"copies": 7, "location": "B"}), ["stock.copies"], ())
    assert (result.stock.copies, result.stock.location) == (7, "A")


def test_the_other_member_of_a_oneof_takes_over(new: Messages, book: Msg) -> None:
    result = changed(book, new.Book(preorder={"expected": {"year": 2027}}), ["preorder"], ())
    assert result.WhichOneof("availability") == "preorder"


@pytest.mark.parametrize("path", ["nothing", "stock.nothing", "labels.k", "chapters.title", "title.x", "", "*.x"])
def test_a_path_that_names_no_field_is_refused(new: Messages, book: Msg, path: str) -> None:
    with pytest.raises(Failure) as raised:
        changed(book, new.Book(), ["title", path], ())
    assert raised.value.code == Code.INVALID_ARGUMENT
    assert raised.value.details[0].field_violations[0].field == "update_mask"


def test_an_etag_changes_with_the_content_and_only_with_it(new: Messages, book: Msg) -> None:
    first = stamp(book).etag
    assert stamp(book).etag == first
    book.title = "New"
    assert stamp(book).etag != first


def test_a_stale_etag_is_refused_and_an_empty_one_is_not(book: Msg) -> None:
    stamp(book)
    guard(book, "", "b")
    guard(book, book.etag, "b")
    with pytest.raises(Failure) as raised:
        guard(book, "other", "b")
    assert raised.value.code == Code.ABORTED
