"""Streams, without a wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from edge.core.grpc_status import Code
from edge.demo.books import Books
from edge.demo.failure import Failure
from edge.demo.feeds import MAX_BEHIND, Feeds, Watcher
from edge.demo.messages import Messages, Msg
from edge.demo.store import Shop


@pytest.fixture
def feeds(shop: Shop, books: Books) -> Feeds:
    return Feeds(shop, books)


async def each(*messages: Msg) -> AsyncIterator[Msg]:
    for message in messages:
        yield message


async def test_a_watcher_gets_the_past_asked_for_then_the_present(
    new: Messages, feeds: Feeds, books: Books, shop: Shop
) -> None:
    events = feeds.watch_books(new.WatchBooksRequest(replay=1, limit=2), None)
    assert (await anext(events)).book.id == 7
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)
    books.delete_book(new.DeleteBookRequest(shelf=1, book=3))
    event = await waiting
    assert (event.kind, event.book.id, event.sequence) == (3, 3, 8)
    with pytest.raises(StopAsyncIteration):
        await anext(events)
    assert not shop.feed.listeners


async def test_a_watcher_of_one_shelf_hears_of_no_other(new: Messages, feeds: Feeds) -> None:
    events = feeds.watch_books(new.WatchBooksRequest(shelf=3, replay=100, limit=2), None)
    assert [event.book.id async for event in events] == [5, 6]


async def test_a_watcher_that_leaves_is_forgotten(new: Messages, feeds: Feeds, shop: Shop) -> None:
    events = feeds.watch_books(new.WatchBooksRequest(replay=1), None)
    await anext(events)
    assert shop.feed.listeners
    await events.aclose()  # type: ignore[attr-defined]  # it is a generator
    assert not shop.feed.listeners


async def test_a_watcher_that_does_not_keep_up_is_given_up(new: Messages) -> None:
    watcher = Watcher(0)
    for _ in range(MAX_BEHIND + 1):
        watcher.tell(new.BookEvent())
    with pytest.raises(Failure) as raised:
        await watcher.next()
    assert raised.value.code == Code.RESOURCE_EXHAUSTED


async def test_more_past_than_there_can_be_is_refused(new: Messages, feeds: Feeds) -> None:
    with pytest.raises(Failure, match="replay"):
        await anext(feeds.watch_books(new.WatchBooksRequest(replay=101), None))


async def test_books_are_exported_as_csv_in_pieces(new: Messages, feeds: Feeds) -> None:
    pieces = [piece async for piece in feeds.export_books(new.ExportBooksRequest(books_per_chunk=3), None)]
    assert pieces[0].content_type == "text/csv; charset=utf-8"
    lines = b"".join(piece.data for piece in pieces).decode().splitlines()
    assert lines[0] == "id,shelf,title,author,isbn,pages"
    assert len(lines) == 8
    assert len(pieces) == 4


async def test_an_import_takes_what_is_right_and_tells_what_is_not(new: Messages, feeds: Feeds) -> None:
    wanted = [new.ImportBooksRequest(shelf=1, book={"title": title}) for title in ("A", "", "B")]
    result = await feeds.import_books(each(*wanted), None)
    assert (result.created, list(result.ids)) == (2, [8, 9])
    assert [failure.index for failure in result.failures] == [1]


async def test_a_chat_answers_until_bye(new: Messages, feeds: Feeds) -> None:
    said = [new.ChatMessage(text=text) for text in ("hello", "Bye", "still there?")]
    answers = [answer.text async for answer in feeds.chat(each(*said), None)]
    assert answers == ["You said: hello", "Goodbye."]


async def test_counting_ends_as_told(new: Messages, feeds: Feeds) -> None:
    numbers: list[int] = []

    async def collect() -> None:
        async for message in feeds.count(new.CountRequest(to=3, code=14), None):
            numbers.append(message.number)

    with pytest.raises(Failure) as raised:
        await collect()
    assert numbers == [1, 2, 3]
    assert raised.value.code == Code.UNAVAILABLE
    assert [message.number async for message in feeds.count(new.CountRequest(to=2), None)] == [1, 2]
