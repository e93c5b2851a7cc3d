"""
Bookstore's book methods: the standard five, move, publish, batch get and count.

Owns what a right book is, which of its fields only the service sets, and the way from draft to sale.
"""

from __future__ import annotations

from edge.demo.change import changed, guard, stamp
from edge.demo.failure import already_exists, invalid, precondition
from edge.demo.messages import Msg
from edge.demo.paging import page
from edge.demo.store import MAX_ID, Shop, next_id

KEPT = frozenset({"id", "shelf", "state", "average_rating", "create_time", "update_time", "etag"})
FULL_ONLY = ("description", "chapters")
MAX_TITLE = 200
MAX_BATCH = 100


class Books:
    """The RPCs on books, each a plain function of the shop and a request."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._messages = shop.messages
        self._full = shop.messages.number("BookView", "BOOK_VIEW_FULL")

    def list_books(self, request: Msg) -> Msg:
        """One page, by number."""
        books = self._shop.on_shelf(request.shelf)
        shown, token = page(books, request, lambda book: str(book.id))
        shown = [self.view(book, request.view) for book in shown]
        return self._messages.ListBooksResponse(books=shown, next_page_token=token, total_size=len(books))

    def get_book(self, request: Msg) -> Msg:
        """One book, as much of it as asked for."""
        return self.view(self._shop.book(request.shelf, request.book), request.view)

    def create_book(self, request: Msg) -> Msg:
        """A new book, a draft; with validate_only what it would be."""
        self._shop.shelves.get(request.shelf)
        check_book(self._shop, request.book, own=0)
        if not 0 <= request.book_id <= MAX_ID:
            raise invalid(("book_id", f"must be 0 to {MAX_ID}, is {request.book_id}"))
        if request.book_id in self._shop.books:
            raise already_exists("Book", self._shop.books.name(request.book_id))
        book = changed(self._messages.Book(), request.book, ["*"], KEPT)
        book.id, book.shelf, book.state = request.book_id or next_id(self._shop.books), request.shelf, 1
        book.create_time.CopyFrom(self._shop.now())
        book.update_time.CopyFrom(book.create_time)
        if request.validate_only:
            return stamp(book)
        self._shop.tell("CREATED", self._shop.books.add(book.id, stamp(book)))
        return book

    def update_book(self, request: Msg) -> Msg:
        """A book with new values."""
        present = self._shop.book(request.book.shelf, request.book.id)
        guard(present, request.book.etag, book_name(present))
        book = changed(present, request.book, request.update_mask.paths, KEPT)
        check_book(self._shop, book, own=book.id)
        return self._keep(book)

    def delete_book(self, request: Msg) -> Msg:
        """Nothing, once the book is gone."""
        book = self._shop.book(request.shelf, request.book)
        guard(book, request.etag, book_name(book))
        drop_book(self._shop, book)
        return self._messages.of("google.protobuf.Empty")()

    def move_book(self, request: Msg) -> Msg:
        """The book on its new shelf; its reviews go with it."""
        book = self._copy(request)
        self._shop.shelves.get(request.to_shelf)
        old_name = book_name(book)
        book.shelf = request.to_shelf
        for review in [review for review in self._shop.reviews if review.name.startswith(f"{old_name}/reviews/")]:
            self._shop.reviews.remove(review.name)
            review.name = book_name(book) + review.name.removeprefix(old_name)
            self._shop.reviews.add(review.name, review)
        return self._keep(book)

    def publish_book(self, request: Msg) -> Msg:
        """The book on sale."""
        book = self._copy(request)
        name = book_name(book)
        guard(book, request.etag, name)
        if book.state != 1:
            raise precondition("ALREADY_PUBLISHED", name, f"{name} is on sale already")
        if not book.HasField("price"):
            raise precondition("PRICE_MISSING", name, f"{name} has no price: set one before you publish it")
        book.state = 2
        return self._keep(book)

    def batch_get_books(self, request: Msg) -> Msg:
        """The books in the order asked for."""
        if not 1 <= len(request.ids) <= MAX_BATCH:
            raise invalid(("ids", f"must have 1 to {MAX_BATCH} entries, has {len(request.ids)}"))
        books = [self.view(self._shop.books.get(book), request.view) for book in request.ids]
        return self._messages.BatchGetBooksResponse(books=books)

    def count_books(self, request: Msg) -> Msg:
        """How many stand on a shelf."""
        return self._messages.CountBooksResponse(count=len(self._shop.on_shelf(request.shelf)))

    def view(self, book: Msg, view: int) -> Msg:
        """A copy as the view wants it."""
        shown = self._messages.Book()
        shown.CopyFrom(book)
        if view != self._full:
            for field in FULL_ONLY:
                shown.ClearField(field)
        return shown

    def _copy(self, request: Msg) -> Msg:
        return self.view(self._shop.book(request.shelf, request.book), self._full)

    def _keep(self, book: Msg) -> Msg:
        book.update_time.CopyFrom(self._shop.now())
        self._shop.tell("UPDATED", self._shop.books.replace(book.id, stamp(book)))
        return book


def book_name(book: Msg) -> str:
    """The book's resource name."""
    return f"shelves/{book.shelf}/books/{book.id}"


def drop_book(shop: Shop, book: Msg) -> None:
    """Take a book out of the shop, with its cover and reviews."""
    for review in [review for review in shop.reviews if review.name.startswith(f"{book_name(book)}/reviews/")]:
        shop.reviews.remove(review.name)
    if book.id in shop.covers:
        shop.covers.remove(book.id)
    shop.tell("DELETED", shop.books.remove(book.id))


def check_book(shop: Shop, book: Msg, own: int) -> None:
    """Refuse a book that is not right, naming every wrong field; `own` is its number, 0 when it is new."""
    wrong = []
    if not 1 <= len(book.title) <= MAX_TITLE:
        wrong.append(("book.title", f"must have 1 to {MAX_TITLE} characters, has {len(book.title)}"))
    if book.pages < 0:
        wrong.append(("book.pages", f"{book.pages} is negative"))
    if book.author and book.author not in shop.authors:
        wrong.append(("book.author", f'there is no "{book.author}"'))
    if book.isbn and not _is_isbn(book.isbn):
        wrong.append(("book.isbn", f'"{book.isbn}" is not an ISBN of 13 digits with the right check digit'))
    if wrong:
        raise invalid(*wrong)
    for other in shop.books if book.isbn else ():
        if other.id != own and other.isbn == book.isbn:
            raise already_exists("Book", book_name(other), f"{book_name(other)} has the ISBN {book.isbn} already")


def _is_isbn(text: str) -> bool:
    """ISO 2108: weights 1 and 3 by turns, the sum a multiple of 10."""
    if len(text) != 13 or not (text.isascii() and text.isdigit()):
        return False
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(text)) % 10 == 0
