"""
SearchBooks: which books fit a query and filter, how well, in which order.

Owns the rules of bookstore.v1.BookFilter; a condition that is not set always holds.
"""

from __future__ import annotations

from collections import Counter

from edge.demo.books import Books
from edge.demo.failure import invalid
from edge.demo.messages import Msg
from edge.demo.paging import page
from edge.demo.store import Shop

ORDERS = ("title", "pages", "average_rating")


class Search:
    """The search RPC."""

    def __init__(self, shop: Shop, books: Books) -> None:
        self._shop = shop
        self._messages = shop.messages
        self._books = books
        self._genres = shop.messages.Book.DESCRIPTOR.fields_by_name["genre"].enum_type.values_by_number

    def search_books(self, request: Msg) -> Msg:
        """One page of what fits, and how many of each genre there are on all pages."""
        words = request.query.lower().split()
        fits = [book for book in self._shop.books if self._fits(book, request.filter)]
        scored = [(_score(book, words), book) for book in fits]
        hits = _ordered([hit for hit in scored if hit[0] > 0], request.order_by)
        shown, token = page(hits, request, lambda hit: str(hit[1].id))
        genres = Counter(self._genres[book.genre].name for _, book in hits)
        return self._messages.SearchBooksResponse(
            hits=[{"book": self._books.view(book, request.view), "score": score} for score, book in shown],
            next_page_token=token,
            total_size=len(hits),
            genres=genres,
        )

    def _fits(self, book: Msg, wanted: Msg) -> bool:
        return (
            (not wanted.genres or book.genre in wanted.genres)
            and set(wanted.tags) <= set(book.tags)
            and all(book.labels.get(key) == value for key, value in wanted.labels.items())
            and (not wanted.HasField("price") or _price_fits(book, wanted.price))
            and (not wanted.HasField("author") or self._author_fits(book, wanted.author))
            and (not wanted.HasField("in_stock") or wanted.in_stock == (book.stock.copies > 0))
            and (not wanted.HasField("min_pages") or book.pages >= wanted.min_pages.value)
            and (not wanted.HasField("created_after") or _instant(book.create_time) >= _instant(wanted.created_after))
            and (not wanted.state or book.state == wanted.state)
        )

    def _author_fits(self, book: Msg, wanted: Msg) -> bool:
        if wanted.WhichOneof("author") == "name":
            return bool(book.author == wanted.name)
        shown = self._shop.authors.get(book.author).display_name if book.author in self._shop.authors else ""
        return wanted.display_name.lower() in shown.lower()


def _instant(time: Msg) -> tuple[int, int]:
    return time.seconds, time.nanos


def _price_fits(book: Msg, wanted: Msg) -> bool:
    if not book.HasField("price"):
        return False
    amount = book.price.units + book.price.nanos / 1e9
    return (
        (not wanted.HasField("min") or amount >= wanted.min)
        and (not wanted.HasField("max") or amount <= wanted.max)
        and (not wanted.currency_code or wanted.currency_code == book.price.currency_code)
    )


def _score(book: Msg, words: list[str]) -> float:
    """1 when every word is in the title, less for words found elsewhere, 0 when one is nowhere."""
    if not words:
        return 1.0
    title = f"{book.title} {book.subtitle}".lower()
    elsewhere = " ".join([*book.tags, book.description]).lower()
    weights = [1.0 if word in title else 0.5 if word in elsewhere else 0.0 for word in words]
    return sum(weights) / len(weights) if all(weights) else 0.0


def _ordered(hits: list[tuple[float, Msg]], order_by: str) -> list[tuple[float, Msg]]:
    if not order_by:
        return sorted(hits, key=lambda hit: -hit[0])
    field, _, direction = order_by.strip().partition(" ")
    if field not in ORDERS or direction not in ("", "asc", "desc"):
        raise invalid(("order_by", f'"{order_by}" is not one of {", ".join(ORDERS)}, with or without " desc"'))
    return sorted(hits, key=lambda hit: getattr(hit[1], field), reverse=direction == "desc")
