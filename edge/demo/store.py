"""
What the bookstore holds, in memory: shelves, books, authors, reviews, titles, files, orders and the feed of events.

Owns presence and uniqueness: an entry is found or NOT_FOUND, new or ALREADY_EXISTS, and no collection outgrows its bound.
Plain data: no sockets, and the clock is given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from edge.demo.failure import already_exists, full, not_found
from edge.demo.messages import Messages, Msg

K = TypeVar("K", int, str)
MAX_ENTRIES = 10_000
MAX_ID = 10**15
MAX_HISTORY = 100


class Shelved(Generic[K]):
    """Entries of one kind by key, in key order; `pattern` makes resource names of keys (`books/{}`)."""

    def __init__(self, kind: str, pattern: str, max_entries: int = MAX_ENTRIES) -> None:
        self.kind = kind
        self.pattern = pattern
        self.max_entries = max_entries
        self._entries: dict[K, Msg] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Msg]:
        return iter([self._entries[key] for key in sorted(self._entries)])

    def __contains__(self, key: K) -> bool:
        return key in self._entries

    def name(self, key: K) -> str:
        """The resource name of a key."""
        return self.pattern.format(key)

    def get(self, key: K) -> Msg:
        """The entry itself, not a copy; NOT_FOUND when there is none."""
        try:
            return self._entries[key]
        except KeyError:
            raise not_found(self.kind, self.name(key)) from None

    def add(self, key: K, entry: Msg) -> Msg:
        """A new entry; ALREADY_EXISTS when the key is taken."""
        if key in self._entries:
            raise already_exists(self.kind, self.name(key))
        if len(self._entries) >= self.max_entries:
            raise full(self.kind, self.max_entries)
        self._entries[key] = entry
        return entry

    def replace(self, key: K, entry: Msg) -> Msg:
        """Another entry in the place of one that is there."""
        self.get(key)
        self._entries[key] = entry
        return entry

    def remove(self, key: K) -> Msg:
        """Take an entry out and return it."""
        entry = self.get(key)
        del self._entries[key]
        return entry


def next_id(shelved: Shelved[int]) -> int:
    """The number after the highest in use: the same history gives the same numbers."""
    return max((entry.id for entry in shelved), default=0) + 1


@dataclass(slots=True)
class Feed:
    """The last events and who is told of the next ones. A listener is called at once, in the order of events."""

    history: deque[Msg] = field(default_factory=lambda: deque(maxlen=MAX_HISTORY))
    listeners: set[Callable[[Msg], None]] = field(default_factory=set)
    sequence: int = 0

    def publish(self, event: Msg) -> None:
        """Number an event, remember it and tell everyone."""
        self.sequence += 1
        event.sequence = self.sequence
        self.history.append(event)
        for listener in tuple(self.listeners):
            listener(event)


@dataclass(slots=True)
class Shop:
    """All the state of one bookstore. `now_s` is the wall clock, in seconds."""

    messages: Messages
    now_s: Callable[[], float]
    shelves: Shelved[int] = field(default_factory=lambda: Shelved("Shelf", "shelves/{}"))
    books: Shelved[int] = field(default_factory=lambda: Shelved("Book", "books/{}"))
    authors: Shelved[str] = field(default_factory=lambda: Shelved("Author", "{}"))
    reviews: Shelved[str] = field(default_factory=lambda: Shelved("Review", "{}"))
    titles: Shelved[str] = field(default_factory=lambda: Shelved("Title", "{}"))
    orders: Shelved[str] = field(default_factory=lambda: Shelved("Order", "orders/{}"))
    files: Shelved[str] = field(default_factory=lambda: Shelved("File", "files/{}", 200))
    covers: Shelved[int] = field(default_factory=lambda: Shelved("Cover", "books/{}/cover", 200))
    feed: Feed = field(default_factory=Feed)

    def now(self) -> Msg:
        """The time as a Timestamp, to the millisecond."""
        milliseconds = int(self.now_s() * 1000)
        return self.messages.of("google.protobuf.Timestamp")(
            seconds=milliseconds // 1000, nanos=milliseconds % 1000 * 1_000_000
        )

    def book(self, shelf: int, book: int) -> Msg:
        """A book on a shelf; shelf 0 is whichever it stands on."""
        if shelf == 0:
            return self.books.get(book)
        self.shelves.get(shelf)
        if book not in self.books or self.books.get(book).shelf != shelf:
            raise not_found("Book", f"shelves/{shelf}/books/{book}")
        return self.books.get(book)

    def on_shelf(self, shelf: int) -> list[Msg]:
        """The books of a shelf, or with 0 of all of them."""
        if shelf == 0:
            return list(self.books)
        self.shelves.get(shelf)
        return [book for book in self.books if book.shelf == shelf]

    def tell(self, kind: str, book: Msg) -> None:
        """Publish a change of a book: CREATED, UPDATED or DELETED."""
        event = self.messages.BookEvent(kind=f"KIND_{kind}", book=book, time=self.now())
        self.feed.publish(event)
