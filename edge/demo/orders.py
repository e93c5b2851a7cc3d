"""
Orders' methods: placing and cancelling, with stock taken and put back.

Owns: an order takes all its copies or none, and the same request_id orders once.
"""

from __future__ import annotations

from collections import Counter

from edge.core.grpc_status import Code
from edge.demo.change import changed, stamp
from edge.demo.failure import Failure, invalid, precondition, reason
from edge.demo.messages import Msg
from edge.demo.paging import page
from edge.demo.store import Shop

KEPT = frozenset({"id", "state", "total", "create_time"})
PLACED, CANCELLED = 1, 2
NANOS = 1_000_000_000
MAX_ITEMS = 100
MAX_COPIES = 1_000_000


class Orders:
    """The RPCs on orders, each a plain function of the shop and a request."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._messages = shop.messages
        self._by_request: dict[str, str] = {}  # no more entries than there are orders, which are bounded
        self._count = 0

    def list_orders(self, request: Msg) -> Msg:
        """One page, oldest first."""
        orders = [
            order
            for order in sorted(self._shop.orders, key=lambda order: int(order.id.removeprefix("o-")))
            if (not request.customer or order.customer == request.customer)
            and (not request.states or order.state in request.states)
        ]
        shown, token = page(orders, request, lambda order: str(order.id))
        return self._messages.ListOrdersResponse(orders=shown, next_page_token=token)

    def get_order(self, request: Msg) -> Msg:
        """One order."""
        return self._shop.orders.get(request.order)

    def create_order(self, request: Msg) -> Msg:
        """A new order, or the one this request_id placed before."""
        if request.request_id in self._by_request:
            return self._shop.orders.get(self._by_request[request.request_id])
        copies = self._check(request.order)
        order = changed(self._messages.Order(), request.order, ["*"], KEPT)
        order.id, order.state = f"o-{self._count + 1}", PLACED
        order.total.CopyFrom(self._total(copies))
        order.create_time.CopyFrom(self._shop.now())
        self._shop.orders.add(order.id, order)
        self._count += 1
        if request.request_id:
            self._by_request[request.request_id] = order.id
        self._move_stock(copies, -1)
        return order

    def cancel_order(self, request: Msg) -> Msg:
        """The order, cancelled."""
        order = self._shop.orders.get(request.order)
        name = self._shop.orders.name(order.id)
        if order.state != PLACED:
            raise precondition("ORDER_NOT_OPEN", name, f"{name} can be cancelled no more")
        order.state = CANCELLED
        if request.reason:
            order.notes["cancelled"] = request.reason
        self._move_stock(_copies(order), 1)
        return order

    def _check(self, order: Msg) -> Counter[int]:
        """Copies by book; refuses wrong fields first, then what stands in the way."""
        wrong = [] if order.customer else [("order.customer", "must not be empty")]
        if not 1 <= len(order.items) <= MAX_ITEMS:
            wrong.append(("order.items", f"must have 1 to {MAX_ITEMS} entries, has {len(order.items)}"))
        for place, item in enumerate(order.items):
            if not 1 <= item.copies <= MAX_COPIES:
                text = f"must be 1 to {MAX_COPIES}, is {item.copies}"
                wrong.append((f"order.items[{place}].copies", text))
            if item.book not in self._shop.books:
                wrong.append((f"order.items[{place}].book", f"there is no books/{item.book}"))
        if wrong:
            raise invalid(*wrong)
        copies = _copies(order)
        self._check_stock(copies)
        return copies

    def _check_stock(self, copies: Counter[int]) -> None:
        short = [
            self._messages.OutOfStock(book=book, requested=wanted, available=self._shop.books.get(book).stock.copies)
            for book, wanted in copies.items()
            if wanted > self._shop.books.get(book).stock.copies
        ]
        if short:
            names = ", ".join(f"books/{detail.book}" for detail in short)
            raise precondition("OUT_OF_STOCK", names, f"too few copies of {names}", *short)

    def _total(self, copies: Counter[int]) -> Msg:
        nanos, currencies = 0, set()
        for book, count in copies.items():
            price = self._shop.books.get(book).price
            nanos += (price.units * NANOS + price.nanos) * count
            currencies.add(price.currency_code)
        if len(currencies) > 1:
            raise Failure(
                Code.FAILED_PRECONDITION, "the books are priced in several currencies", [reason("MIXED_CURRENCIES")]
            )
        money = self._messages.of("google.type.Money")
        return money(currency_code=currencies.pop(), units=nanos // NANOS, nanos=nanos % NANOS)

    def _move_stock(self, copies: Counter[int], direction: int) -> None:
        for number, count in copies.items():
            book = self._shop.books.get(number) if number in self._shop.books else None
            if book is not None and book.HasField("stock"):
                book.stock.copies += direction * count
                self._shop.tell("UPDATED", stamp(book))


def _copies(order: Msg) -> Counter[int]:
    """Copies by book; a book may stand in several items."""
    copies: Counter[int] = Counter()
    for item in order.items:
        copies[item.book] += item.copies
    return copies
