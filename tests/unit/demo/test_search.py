"""Search rules."""

from __future__ import annotations

from typing import Any

import pytest

from edge.demo.books import Books
from edge.demo.failure import Failure
from edge.demo.messages import Messages
from edge.demo.search import Search
from edge.demo.store import Shop


@pytest.fixture
def search(shop: Shop, books: Books) -> Search:
    return Search(shop, books)


@pytest.mark.parametrize(
    ("request_", "ids"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7]),
        ({"query": "solaris"}, [2]),
        ({"query": "SOLARIS ocean"}, [2]),
        ({"query": "solaris nothing"}, []),
        ({"query": "programming"}, [5, 6]),
        ({"filter": {"genres": ["GENRE_POETRY", "GENRE_MATHEMATICS"]}}, [4, 7]),
        ({"filter": {"tags": ["essay", "classic"]}}, [6]),
        ({"filter": {"labels": {"edition": "2nd"}}}, [2]),
        ({"filter": {"labels": {"edition": ""}}}, []),
        ({"filter": {"price": {"min": 20, "max": 30}}}, [6, 7]),
        ({"filter": {"price": {"max": 0}}}, []),
        ({"filter": {"price": {"currency_code": "USD"}}}, []),
        ({"filter": {"author": {"name": "authors/donald-knuth"}}}, [5, 6]),
        ({"filter": {"author": {"display_name": "LEM"}}}, [2]),
        ({"filter": {"in_stock": False}}, [3]),
        ({"filter": {"in_stock": True, "min_pages": {"value": 600}}}, [5, 7]),
        ({"filter": {"created_after": {"seconds": 1_767_603_600}}}, [1, 2, 3, 4, 5, 6, 7]),
        ({"filter": {"created_after": {"seconds": 1_767_603_600, "nanos": 1}}}, []),
        ({"filter": {"state": "BOOK_STATE_DRAFT"}}, []),
        ({"order_by": "pages desc", "page_size": 2}, [7, 5]),
        ({"order_by": "title", "page_size": 2}, [4, 3]),
    ],
)
def test_search_finds(new: Messages, search: Search, request_: dict[str, Any], ids: list[int]) -> None:
    found = search.search_books(new.SearchBooksRequest(**request_))
    assert [hit.book.id for hit in found.hits] == ids


def test_words_in_the_title_count_more_and_genres_are_counted(new: Messages, search: Search) -> None:
    found = search.search_books(new.SearchBooksRequest(query="utopia"))
    assert [hit.score for hit in found.hits] == [1.0]
    found = search.search_books(new.SearchBooksRequest(query="classic", page_size=1))
    assert found.hits[0].score == 0.5
    assert found.total_size == 3
    assert dict(found.genres) == {"GENRE_COMPUTING": 2, "GENRE_POETRY": 1}


@pytest.mark.parametrize("order_by", ["isbn", "title up", "etag desc", "title, pages"])
def test_an_unknown_order_is_refused(new: Messages, search: Search, order_by: str) -> None:
    with pytest.raises(Failure, match="order_by"):
        search.search_books(new.SearchBooksRequest(order_by=order_by))


def test_an_author_who_is_gone_hinders_no_search(new: Messages, search: Search, shop: Shop) -> None:
    shop.authors.remove("authors/stanislaw-lem")
    found = search.search_books(new.SearchBooksRequest(filter={"author": {"display_name": "lem"}}))
    assert not found.hits
