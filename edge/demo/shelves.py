"""
Bookstore's shelf methods: list, get, create, update, delete.

Owns: themes are unique, and a shelf with books comes down only by force.
"""

from __future__ import annotations

from edge.demo.books import drop_book
from edge.demo.change import changed, guard, stamp
from edge.demo.failure import already_exists, invalid, precondition
from edge.demo.messages import Msg
from edge.demo.paging import page
from edge.demo.store import MAX_ID, Shop, next_id

KEPT = frozenset({"id", "book_count", "create_time", "etag"})
MAX_THEME = 80


class Shelves:
    """The RPCs on shelves, each a plain function of the shop and a request."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._messages = shop.messages

    def list_shelves(self, request: Msg) -> Msg:
        """One page, by number."""
        shelves, token = page(list(self._shop.shelves), request, lambda shelf: str(shelf.id))
        return self._messages.ListShelvesResponse(shelves=map(self._shown, shelves), next_page_token=token)

    def get_shelf(self, request: Msg) -> Msg:
        """One shelf."""
        return self._shown(self._shop.shelves.get(request.shelf))

    def create_shelf(self, request: Msg) -> Msg:
        """A new shelf."""
        self._check(request.shelf, own=0)
        if not 0 <= request.shelf_id <= MAX_ID:
            raise invalid(("shelf_id", f"must be 0 to {MAX_ID}, is {request.shelf_id}"))
        shelf = changed(self._messages.Shelf(), request.shelf, ["*"], KEPT)
        shelf.id = request.shelf_id or next_id(self._shop.shelves)
        shelf.create_time.CopyFrom(self._shop.now())
        return self._shown(self._shop.shelves.add(shelf.id, stamp(shelf)))

    def update_shelf(self, request: Msg) -> Msg:
        """A shelf with new values."""
        present = self._shop.shelves.get(request.shelf.id)
        guard(present, request.shelf.etag, self._shop.shelves.name(present.id))
        shelf = changed(present, request.shelf, request.update_mask.paths, KEPT)
        self._check(shelf, own=shelf.id)
        return self._shown(self._shop.shelves.replace(shelf.id, stamp(shelf)))

    def delete_shelf(self, request: Msg) -> Msg:
        """Nothing, once the shelf is gone."""
        books = self._shop.on_shelf(self._shop.shelves.get(request.shelf).id)
        if books and not request.force:
            name = self._shop.shelves.name(request.shelf)
            raise precondition(
                "SHELF_NOT_EMPTY", name, f"{name} holds {len(books)} books; set force to remove them too"
            )
        for book in books:
            drop_book(self._shop, book)
        self._shop.shelves.remove(request.shelf)
        return self._messages.of("google.protobuf.Empty")()

    def _shown(self, shelf: Msg) -> Msg:
        """A copy with the count of today; it is no part of the shelf's version."""
        shown = self._messages.Shelf()
        shown.CopyFrom(shelf)
        shown.book_count = len(self._shop.on_shelf(shelf.id))
        return shown

    def _check(self, shelf: Msg, own: int) -> None:
        if not 1 <= len(shelf.theme) <= MAX_THEME:
            raise invalid(("shelf.theme", f"must have 1 to {MAX_THEME} characters, has {len(shelf.theme)}"))
        for other in self._shop.shelves:
            if other.id != own and other.theme == shelf.theme:
                name = self._shop.shelves.name(other.id)
                raise already_exists("Shelf", name, f'{name} has the theme "{shelf.theme}" already')
