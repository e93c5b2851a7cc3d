"""Book methods."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from edge.core.grpc_status import Code
from edge.demo.books import Books
from edge.demo.failure import Failure
from edge.demo.messages import Messages, Msg
from edge.demo.store import Shop

FULL = "BOOK_VIEW_FULL"


def refused(code: Code, call: Callable[[Msg], Msg], request: Msg) -> Failure:
    with pytest.raises(Failure) as raised:
        call(request)
    assert raised.value.code == code
    return raised.value


def test_a_shelf_or_the_whole_shop_is_listed(new: Messages, books: Books) -> None:
    listed = books.list_books(new.ListBooksRequest(shelf=1, page_size=2))
    assert [book.id for book in listed.books] == [1, 2]
    assert listed.total_size == 3
    assert listed.next_page_token
    assert books.list_books(new.ListBooksRequest()).total_size == 7
    refused(Code.NOT_FOUND, books.list_books, new.ListBooksRequest(shelf=9))


def test_description_and_chapters_are_shown_in_the_full_view_only(new: Messages, books: Books) -> None:
    basic = books.get_book(new.GetBookRequest(shelf=1, book=2))
    full = books.get_book(new.GetBookRequest(shelf=1, book=2, view=FULL))
    assert not basic.description
    assert not basic.chapters
    assert full.description
    assert full.chapters[0].sections[0].title == "The station"
    assert basic.etag == full.etag


def test_a_new_book_is_a_draft_with_a_number_of_the_service_s_choice(new: Messages, books: Books, shop: Shop) -> None:
    book = books.create_book(new.CreateBookRequest(shelf=1, book={"title": "T", "id": 2, "shelf": 4, "state": 2}))
    assert (book.id, book.shelf, book.state) == (8, 1, 1)
    assert book.create_time.ToJsonString() == "2026-01-06T09:00:00Z"
    assert shop.feed.history[-1].book.id == 8


def test_validate_only_answers_but_does_nothing(new: Messages, books: Books, shop: Shop) -> None:
    assert books.create_book(new.CreateBookRequest(shelf=1, book={"title": "T"}, validate_only=True)).id == 8
    assert 8 not in shop.books


def test_every_wrong_field_is_named_at_once(new: Messages, books: Books) -> None:
    wrong = {"pages": -1, "author": "authors/nobody", "isbn": "9780156027600"}
    refusal = refused(Code.INVALID_ARGUMENT, books.create_book, new.CreateBookRequest(shelf=1, book=wrong))
    fields = [violation.field for violation in refusal.details[0].field_violations]
    assert fields == ["book.title", "book.pages", "book.author", "book.isbn"]


@pytest.mark.parametrize("isbn", ["978015602760", "97801560276011", "978015602760x", "٩٧٨٠١٥٦٠٢٧٦٠١"])
def test_what_only_looks_like_an_isbn_is_refused(new: Messages, books: Books, isbn: str) -> None:
    request = new.CreateBookRequest(shelf=1, book={"title": "T", "isbn": isbn})
    refused(Code.INVALID_ARGUMENT, books.create_book, request)


def test_a_taken_number_or_isbn_is_refused(new: Messages, books: Books) -> None:
    create = books.create_book
    refused(Code.ALREADY_EXISTS, create, new.CreateBookRequest(shelf=1, book={"title": "T"}, book_id=2))
    isbn = {"title": "T", "isbn": "9780156027601"}
    refused(Code.ALREADY_EXISTS, create, new.CreateBookRequest(shelf=1, book=isbn))
    refused(Code.NOT_FOUND, create, new.CreateBookRequest(shelf=9, book={"title": "T"}))


def test_an_update_changes_the_masked_fields_and_the_update_time(new: Messages, books: Books, shop: Shop) -> None:
    change = {"id": 2, "shelf": 1, "pages": 205, "title": ""}
    book = books.update_book(new.UpdateBookRequest(book=change, update_mask={"paths": ["pages"]}))
    assert (book.title, book.pages) == ("Solaris", 205)
    assert book.update_time.ToJsonString() == "2026-01-06T09:00:00Z"
    assert book.create_time.ToJsonString() == "2026-01-05T09:00:00Z"
    assert shop.feed.history[-1].kind == 2


def test_an_update_that_makes_the_book_wrong_changes_nothing(new: Messages, books: Books) -> None:
    wrong = new.UpdateBookRequest(book={"id": 2, "shelf": 1}, update_mask={"paths": ["title"]})
    refused(Code.INVALID_ARGUMENT, books.update_book, wrong)
    assert books.get_book(new.GetBookRequest(book=2)).title == "Solaris"


def test_an_etag_guards_update_delete_and_publish(new: Messages, books: Books) -> None:
    refused(Code.ABORTED, books.update_book, new.UpdateBookRequest(book={"id": 2, "shelf": 1, "etag": "old"}))
    refused(Code.ABORTED, books.delete_book, new.DeleteBookRequest(shelf=1, book=2, etag="old"))
    refused(Code.ABORTED, books.publish_book, new.PublishBookRequest(shelf=1, book=2, etag="old"))
    etag = books.get_book(new.GetBookRequest(book=2)).etag
    books.delete_book(new.DeleteBookRequest(shelf=1, book=2, etag=etag))
    refused(Code.NOT_FOUND, books.get_book, new.GetBookRequest(shelf=1, book=2))


def test_deleting_a_book_takes_its_cover_and_reviews(new: Messages, books: Books, shop: Shop) -> None:
    books.delete_book(new.DeleteBookRequest(shelf=1, book=2))
    assert (len(shop.reviews), len(shop.covers)) == (0, 0)
    assert shop.feed.history[-1].kind == 3


def test_a_moved_book_keeps_its_number_and_its_reviews(new: Messages, books: Books, shop: Shop) -> None:
    assert books.move_book(new.MoveBookRequest(shelf=1, book=2, to_shelf=4)).shelf == 4
    assert [review.name for review in shop.reviews] == ["shelves/4/books/2/reviews/1", "shelves/4/books/2/reviews/2"]
    refused(Code.NOT_FOUND, books.get_book, new.GetBookRequest(shelf=1, book=2))
    refused(Code.NOT_FOUND, books.move_book, new.MoveBookRequest(shelf=4, book=2, to_shelf=9))
    assert books.get_book(new.GetBookRequest(shelf=4, book=2, view=FULL)).description


def test_a_move_to_the_same_shelf_is_harmless(new: Messages, books: Books, shop: Shop) -> None:
    books.move_book(new.MoveBookRequest(book=2, to_shelf=1))
    assert len(shop.reviews) == 2


def test_a_draft_is_published_once_and_only_with_a_price(new: Messages, books: Books) -> None:
    draft = books.create_book(new.CreateBookRequest(shelf=1, book={"title": "T"}))
    request = new.PublishBookRequest(shelf=1, book=draft.id)
    assert "no price" in refused(Code.FAILED_PRECONDITION, books.publish_book, request).message
    books.update_book(new.UpdateBookRequest(book={"id": draft.id, "shelf": 1, "price": {"units": 3}}))
    assert books.publish_book(request).state == 2
    assert "already" in refused(Code.FAILED_PRECONDITION, books.publish_book, request).message


def test_a_batch_comes_in_the_order_asked_for_or_not_at_all(new: Messages, books: Books) -> None:
    got = books.batch_get_books(new.BatchGetBooksRequest(ids=[5, 2, 5]))
    assert [book.id for book in got.books] == [5, 2, 5]
    refused(Code.NOT_FOUND, books.batch_get_books, new.BatchGetBooksRequest(ids=[5, 99]))
    refused(Code.INVALID_ARGUMENT, books.batch_get_books, new.BatchGetBooksRequest())
    refused(Code.INVALID_ARGUMENT, books.batch_get_books, new.BatchGetBooksRequest(ids=[1] * 101))


def test_books_are_counted(new: Messages, books: Books) -> None:
    assert books.count_books(new.CountBooksRequest(shelf=1)).count == 3
    refused(Code.NOT_FOUND, books.count_books, new.CountBooksRequest(shelf=9))


def test_an_answer_is_a_copy_the_caller_may_spoil(new: Messages, books: Books) -> None:
    books.get_book(new.GetBookRequest(book=2)).title = "spoilt"
    assert books.get_book(new.GetBookRequest(book=2)).title == "Solaris"
