"""Presence, uniqueness and bounds."""

from __future__ import annotations

import pytest

from edge.core.grpc_status import Code
from edge.demo.failure import Failure
from edge.demo.messages import Messages, Msg
from edge.demo.store import MAX_HISTORY, Feed, Shelved, Shop, next_id


def test_entries_come_in_key_order_whatever_the_order_of_arrival() -> None:
    shelved: Shelved[int] = Shelved("Thing", "things/{}")
    for key in (10, 2, 30):
        shelved.add(key, f"thing {key}")
    assert list(shelved) == ["thing 2", "thing 10", "thing 30"]


def test_what_is_not_there_is_not_found_by_any_method() -> None:
    shelved: Shelved[int] = Shelved("Thing", "things/{}")
    for call in (shelved.get, shelved.remove, lambda key: shelved.replace(key, "x")):
        with pytest.raises(Failure, match="there is no things/1") as raised:
            call(1)
        assert raised.value.code == Code.NOT_FOUND
    assert len(shelved) == 0


def test_a_key_is_taken_once_and_free_again_after_removal() -> None:
    shelved: Shelved[str] = Shelved("Thing", "{}")
    shelved.add("a", 1)
    with pytest.raises(Failure) as raised:
        shelved.add("a", 2)
    assert raised.value.code == Code.ALREADY_EXISTS
    assert shelved.remove("a") == 1
    assert shelved.add("a", 2) == 2


def test_a_collection_never_outgrows_its_bound() -> None:
    shelved: Shelved[int] = Shelved("Thing", "{}", max_entries=2)
    shelved.add(1, "a")
    shelved.add(2, "b")
    with pytest.raises(Failure) as raised:
        shelved.add(3, "c")
    assert raised.value.code == Code.RESOURCE_EXHAUSTED


def test_the_next_number_follows_the_highest(shop: Shop) -> None:
    assert next_id(shop.books) == 8
    shop.books.remove(3)
    assert next_id(shop.books) == 8


def test_a_book_is_found_on_its_own_shelf_or_on_any_but_not_on_another(shop: Shop) -> None:
    assert shop.book(1, 2).title == "Solaris"
    assert shop.book(0, 2).title == "Solaris"
    with pytest.raises(Failure, match="shelves/2/books/2"):
        shop.book(2, 2)
    with pytest.raises(Failure, match=r"shelves/77$"):
        shop.book(77, 2)


def test_the_feed_numbers_events_tells_listeners_and_forgets_old_ones(new: Messages) -> None:
    feed = Feed()
    heard: list[Msg] = []
    feed.listeners.add(heard.append)
    for _ in range(MAX_HISTORY + 5):
        feed.publish(new.BookEvent())
    assert [event.sequence for event in heard] == list(range(1, MAX_HISTORY + 6))
    assert len(feed.history) == MAX_HISTORY
    assert feed.history[0].sequence == 6


def test_time_is_told_to_the_millisecond(new: Messages) -> None:
    assert Shop(new, lambda: 12.3456).now().ToJsonString() == "1970-01-01T00:00:12.345Z"
