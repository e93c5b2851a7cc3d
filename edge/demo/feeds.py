"""
Feeds' methods: streams of every kind.

Owns back-pressure by bounded queues: a watcher that does not keep up loses its stream, not the shop's memory.
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Sequence

from edge.core.grpc_status import Code
from edge.demo.books import Books
from edge.demo.failure import Failure, invalid, reason
from edge.demo.messages import Msg
from edge.demo.store import MAX_HISTORY, Shop

MAX_BEHIND = 1000
MAX_COUNT = 1_000_000
COLUMNS = ("id", "shelf", "title", "author", "isbn", "pages")


class Watcher:
    """The events one watcher has yet to be sent; at MAX_BEHIND of them it is given up."""

    def __init__(self, shelf: int) -> None:
        self._shelf = shelf
        self._events: asyncio.Queue[Msg] = asyncio.Queue(MAX_BEHIND)
        self._lost = False

    def tell(self, event: Msg) -> None:
        """Take an event in. Never raises: the writer must not suffer for a slow reader."""
        if self._shelf not in (0, event.book.shelf):
            return
        if self._events.full():
            self._lost = True
        else:
            self._events.put_nowait(event)

    async def next(self) -> Msg:
        """The next event; RESOURCE_EXHAUSTED once one was lost."""
        if self._lost:
            raise Failure(Code.RESOURCE_EXHAUSTED, "the watcher does not keep up", [reason("TOO_SLOW")])
        return await self._events.get()


class Feeds:
    """The streaming RPCs. Those that answer many times are asynchronous generators."""

    def __init__(self, shop: Shop, books: Books) -> None:
        self._shop = shop
        self._messages = shop.messages
        self._books = books

    async def watch_books(self, request: Msg, context: Msg) -> AsyncIterator[Msg]:
        """Past events, then new ones as they happen."""
        if not 0 <= request.replay <= MAX_HISTORY:
            raise invalid(("replay", f"must be 0 to {MAX_HISTORY}, is {request.replay}"))
        watcher = Watcher(request.shelf)
        past = list(self._shop.feed.history)
        for event in past[len(past) - min(request.replay, len(past)) :]:
            watcher.tell(event)
        self._shop.feed.listeners.add(watcher.tell)
        try:
            sent = 0
            while request.limit == 0 or sent < request.limit:
                yield await watcher.next()
                sent += 1
        finally:
            self._shop.feed.listeners.discard(watcher.tell)

    async def export_books(self, request: Msg, context: Msg) -> AsyncIterator[Msg]:
        """A CSV file in pieces; the first names its type."""
        books = self._shop.on_shelf(request.shelf)
        size = max(request.books_per_chunk, 0) or 5
        body = self._messages.of("google.api.HttpBody")
        yield body(content_type="text/csv; charset=utf-8", data=_csv([COLUMNS]))
        for start in range(0, len(books), size):
            rows = [tuple(getattr(book, column) for column in COLUMNS) for book in books[start : start + size]]
            yield body(data=_csv(rows))

    async def import_books(self, requests: AsyncIterator[Msg], context: Msg) -> Msg:
        """What became of each book, once the stream has ended."""
        result = self._messages.ImportBooksResponse()
        index = 0
        async for request in requests:
            try:
                create = self._messages.CreateBookRequest(shelf=request.shelf, book=request.book)
                result.ids.append(self._books.create_book(create).id)
            except Failure as failure:
                result.failures.add(index=index, message=failure.message)
            index += 1
        result.created = len(result.ids)
        return result

    async def chat(self, requests: AsyncIterator[Msg], context: Msg) -> AsyncIterator[Msg]:
        """One answer per message; `bye` is the last one answered."""
        async for request in requests:
            last = request.text.strip().lower() == "bye"
            text = "Goodbye." if last else f"You said: {request.text}"
            yield self._messages.ChatMessage(**{"from": "staff"}, text=text, time=self._shop.now())
            if last:
                return

    async def count(self, request: Msg, context: Msg) -> AsyncIterator[Msg]:
        """Numbers at a steady pace, then the status asked for."""
        if not 0 <= request.to <= MAX_COUNT:
            raise invalid(("to", f"must be 0 to {MAX_COUNT}, is {request.to}"))
        pause_s = request.interval.seconds + request.interval.nanos / 1e9
        for number in range(1, request.to + 1):
            if pause_s > 0:
                await asyncio.sleep(pause_s)
            yield self._messages.CountResponse(number=number)
        if request.code:
            raise Failure(request.code, f"counted to {request.to}, then failed as told", [reason("AS_TOLD")])


def _csv(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
