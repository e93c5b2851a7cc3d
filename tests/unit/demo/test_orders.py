"""Orders and stock."""

from __future__ import annotations

from typing import Any

import pytest

from edge.core.grpc_status import Code
from edge.demo.failure import Failure
from edge.demo.messages import Messages, Msg
from edge.demo.orders import Orders
from edge.demo.store import Shop


@pytest.fixture
def orders(shop: Shop) -> Orders:
    return Orders(shop)


def order(new: Messages, *items: tuple[int, int], request_id: str = "", **more: Any) -> Msg:
    wanted = [{"book": book, "copies": copies} for book, copies in items]
    return new.CreateOrderRequest(order={"customer": "Kris", "items": wanted, **more}, request_id=request_id)


def test_an_order_takes_its_copies_and_sums_its_prices(new: Messages, orders: Orders, shop: Shop) -> None:
    placed = orders.create_order(order(new, (2, 2), (4, 1), invoice={"recipient": "Sartorius"}))
    assert (placed.id, placed.state) == ("o-1", 1)
    assert (placed.total.units, placed.total.nanos, placed.total.currency_code) == (43, 700_000_000, "EUR")
    assert (shop.book(0, 2).stock.copies, shop.book(0, 4).stock.copies) == (1, 7)
    assert placed.WhichOneof("payment") == "invoice"


def test_an_order_takes_all_or_nothing_and_tells_each_shortage(new: Messages, orders: Orders, shop: Shop) -> None:
    with pytest.raises(Failure) as raised:
        orders.create_order(order(new, (2, 2), (2, 2), (3, 1), (4, 1)))
    assert raised.value.code == Code.FAILED_PRECONDITION
    shortages = [detail for detail in raised.value.details if detail.DESCRIPTOR.name == "OutOfStock"]
    assert [(detail.book, detail.requested, detail.available) for detail in shortages] == [(2, 4, 3), (3, 1, 0)]
    assert [shop.book(0, book).stock.copies for book in (2, 3, 4)] == [3, 0, 8]


def test_every_wrong_item_is_named_by_its_place(new: Messages, orders: Orders) -> None:
    with pytest.raises(Failure) as raised:
        orders.create_order(order(new, (2, 0), (99, 1), customer=""))
    fields = [violation.field for violation in raised.value.details[0].field_violations]
    assert fields == ["order.customer", "order.items[0].copies", "order.items[1].book"]


def test_the_same_request_id_orders_once(new: Messages, orders: Orders, shop: Shop) -> None:
    first = orders.create_order(order(new, (2, 1), request_id="r"))
    assert orders.create_order(order(new, (2, 1), request_id="r")) == first
    assert shop.book(0, 2).stock.copies == 2
    assert orders.create_order(order(new, (2, 1), request_id="s")).id == "o-2"


def test_books_priced_in_two_currencies_are_refused_and_stay_in_stock(
    new: Messages, orders: Orders, shop: Shop
) -> None:
    shop.book(0, 2).price.currency_code = "PLN"
    with pytest.raises(Failure, match="several currencies"):
        orders.create_order(order(new, (2, 1), (4, 1)))
    assert shop.book(0, 4).stock.copies == 8


def test_an_order_is_cancelled_once_and_its_copies_come_back(new: Messages, orders: Orders, shop: Shop) -> None:
    orders.create_order(order(new, (2, 2), (2, 1)))
    cancelled = orders.cancel_order(new.CancelOrderRequest(order="o-1", reason="too wet"))
    assert (cancelled.state, cancelled.notes["cancelled"]) == (2, "too wet")
    assert shop.book(0, 2).stock.copies == 3
    with pytest.raises(Failure) as raised:
        orders.cancel_order(new.CancelOrderRequest(order="o-1"))
    assert raised.value.code == Code.FAILED_PRECONDITION


def test_orders_are_listed_oldest_first_by_customer_and_state(new: Messages, orders: Orders) -> None:
    for book in (7, 7, 7, 7, 7, 7, 1, 1, 1):
        orders.create_order(order(new, (book, 1)))
    for _ in range(2):
        orders.create_order(order(new, (4, 1), customer="Snow"))
    orders.cancel_order(new.CancelOrderRequest(order="o-2"))
    listed = orders.list_orders(new.ListOrdersRequest()).orders
    assert [entry.id for entry in listed] == [f"o-{number}" for number in range(1, 12)]
    assert len(orders.list_orders(new.ListOrdersRequest(customer="Snow")).orders) == 2
    assert [entry.id for entry in orders.list_orders(new.ListOrdersRequest(states=[2])).orders] == ["o-2"]
    assert orders.get_order(new.GetOrderRequest(order="o-3")).customer == "Kris"
