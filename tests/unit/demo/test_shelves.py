"""Shelf methods."""

from __future__ import annotations

import pytest

from edge.core.grpc_status import Code
from edge.demo.failure import Failure
from edge.demo.messages import Messages
from edge.demo.shelves import Shelves
from edge.demo.store import Shop


@pytest.fixture
def shelves(shop: Shop) -> Shelves:
    return Shelves(shop)


def refused(code: Code, call: object, request: object) -> Failure:
    with pytest.raises(Failure) as raised:
        call(request)  # type: ignore[operator]  # a method
    assert raised.value.code == code
    return raised.value


def test_shelves_are_listed_with_their_counts(new: Messages, shelves: Shelves) -> None:
    listed = shelves.list_shelves(new.ListShelvesRequest())
    assert [(shelf.id, shelf.book_count) for shelf in listed.shelves] == [(1, 3), (2, 1), (3, 2), (4, 1)]
    assert listed.next_page_token == ""


def test_a_shelf_is_created_with_the_next_number_or_the_one_asked_for(new: Messages, shelves: Shelves) -> None:
    assert shelves.create_shelf(new.CreateShelfRequest(shelf={"theme": "A", "id": 99})).id == 5
    assert shelves.create_shelf(new.CreateShelfRequest(shelf={"theme": "B"}, shelf_id=40)).id == 40
    assert shelves.get_shelf(new.GetShelfRequest(shelf=40)).theme == "B"


def test_a_wrong_or_taken_shelf_is_refused(new: Messages, shelves: Shelves) -> None:
    create = shelves.create_shelf
    refused(Code.INVALID_ARGUMENT, create, new.CreateShelfRequest())
    refused(Code.INVALID_ARGUMENT, create, new.CreateShelfRequest(shelf={"theme": "x" * 81}))
    refused(Code.INVALID_ARGUMENT, create, new.CreateShelfRequest(shelf={"theme": "x"}, shelf_id=-1))
    refused(Code.ALREADY_EXISTS, create, new.CreateShelfRequest(shelf={"theme": "Poetry"}))
    refused(Code.ALREADY_EXISTS, create, new.CreateShelfRequest(shelf={"theme": "x"}, shelf_id=1))
    assert len(shelves.list_shelves(new.ListShelvesRequest()).shelves) == 4


def test_an_update_with_the_current_etag_passes_and_makes_that_etag_stale(new: Messages, shelves: Shelves) -> None:
    etag = shelves.get_shelf(new.GetShelfRequest(shelf=1)).etag
    change = new.UpdateShelfRequest(shelf={"id": 1, "theme": "SF", "etag": etag}, update_mask={"paths": ["theme"]})
    assert shelves.update_shelf(change).theme == "SF"
    refused(Code.ABORTED, shelves.update_shelf, change)


def test_a_shelf_keeps_its_own_theme_but_not_that_of_another(new: Messages, shelves: Shelves) -> None:
    shelves.update_shelf(new.UpdateShelfRequest(shelf={"id": 4, "theme": "Poetry"}))
    refused(Code.ALREADY_EXISTS, shelves.update_shelf, new.UpdateShelfRequest(shelf={"id": 3, "theme": "Poetry"}))
    refused(Code.NOT_FOUND, shelves.update_shelf, new.UpdateShelfRequest(shelf={"id": 9, "theme": "x"}))


def test_a_shelf_with_books_goes_only_by_force_and_takes_them_along(
    new: Messages, shelves: Shelves, shop: Shop
) -> None:
    refusal = refused(Code.FAILED_PRECONDITION, shelves.delete_shelf, new.DeleteShelfRequest(shelf=1))
    assert refusal.details[0].violations[0].type == "SHELF_NOT_EMPTY"
    assert len(shop.books) == 7
    shelves.delete_shelf(new.DeleteShelfRequest(shelf=1, force=True))
    assert [book.id for book in shop.books] == [4, 5, 6, 7]
    assert len(shop.reviews) == 0
    assert len(shop.covers) == 0
    refused(Code.NOT_FOUND, shelves.delete_shelf, new.DeleteShelfRequest(shelf=1))
