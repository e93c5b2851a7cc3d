"""
What stands in the shop when it opens: the same every time, so that examples and tests can name it.

Owns the data only; it enters through the same rules as everyone's.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from google.protobuf import json_format

from edge.demo.change import stamp
from edge.demo.messages import Msg
from edge.demo.store import Shop

Row: TypeAlias = dict[str, Any]
"""A message in its JSON form."""

OPENED = "2026-01-05T09:00:00Z"

SHELVES: dict[int, Row] = {
    1: {"theme": "Science fiction", "labels": {"floor": "1"}},
    2: {"theme": "Mathematics", "labels": {"floor": "2"}},
    3: {"theme": "Computing", "labels": {"floor": "2"}},
    4: {"theme": "Poetry"},
}

AUTHORS: dict[str, Row] = {
    "ursula-k-le-guin": {"displayName": "Ursula K. Le Guin", "birthDate": {"year": 1929, "month": 10, "day": 21}},
    "stanislaw-lem": {"displayName": "Stanisław Lem", "birthDate": {"year": 1921}, "languages": ["pl"]},
    "mary-shelley": {"displayName": "Mary Shelley", "birthDate": {"year": 1797}, "languages": ["en"]},
    "g-h-hardy": {"displayName": "G. H. Hardy", "languages": ["en"]},
    "donald-knuth": {"displayName": "Donald E. Knuth", "links": {"homepage": "https://www-cs-faculty.stanford.edu/~knuth/"}},
    "emily-dickinson": {"displayName": "Emily Dickinson", "languages": ["en"]},
}  # fmt: skip


def _book(
    shelf: int, title: str, author: str, isbn: str, genre: str, pages: int, units: int, copies: int, more: Row
) -> Row:
    return {
        "shelf": str(shelf),
        "title": title,
        "author": f"authors/{author}",
        "isbn": isbn,
        "genre": f"GENRE_{genre}",
        "pages": pages,
        "price": {"currencyCode": "EUR", "units": str(units), "nanos": 900_000_000},
        "stock": {"copies": copies, "location": f"A-{shelf}"},
        **more,
    }


BOOKS: dict[int, Row] = {
    1: _book(1, "The Dispossessed", "ursula-k-le-guin", "9780061054884", "SCIENCE_FICTION", 387, 9, 5, {
        "subtitle": "An Ambiguous Utopia",
        "tags": ["utopia", "anarchism"],
        "description": "A physicist leaves his barren moon for the rich planet it circles.",
    }),
    2: _book(1, "Solaris", "stanislaw-lem", "9780156027601", "SCIENCE_FICTION", 204, 11, 3, {
        "tags": ["ocean", "contact"],
        "labels": {"edition": "2nd"},
        "description": "A psychologist arrives at a station above an ocean that thinks.",
        "chapters": [
            {"title": "The Arrival", "page": 1, "sections": [{"title": "The station", "page": 5}]},
            {"title": "The Solarists", "page": 14},
        ],
    }),
    3: _book(1, "Frankenstein", "mary-shelley", "9780141439471", "FICTION", 273, 7, 0, {
        "subtitle": "or, The Modern Prometheus",
        "tags": ["creation"],
        "description": "A student makes a man.",
    }),
    4: _book(2, "A Mathematician's Apology", "g-h-hardy", "9781107604636", "MATHEMATICS", 153, 19, 8, {
        "tags": ["essay"],
        "description": "Why one does mathematics, by one who did.",
    }),
    5: _book(3, "The Art of Computer Programming", "donald-knuth", "9780201896831", "COMPUTING", 672, 79, 2, {
        "subtitle": "Volume 1: Fundamental Algorithms",
        "tags": ["algorithms", "classic"],
        "publishDate": {"year": 1997, "month": 7, "day": 7},
        "description": "Lists, trees, and how to count.",
    }),
    6: _book(3, "Literate Programming", "donald-knuth", "9780937073803", "COMPUTING", 368, 29, 4, {
        "tags": ["essay", "classic"],
        "description": "Programs as literature.",
    }),
    7: _book(4, "The Complete Poems", "emily-dickinson", "9780316184137", "POETRY", 770, 21, 6, {
        "tags": ["classic"],
        "description": "1,775 poems.",
    }),
}  # fmt: skip

REVIEWS: dict[str, Row] = {
    "shelves/1/books/2/reviews/1": {"reviewer": "Rheya", "stars": 5, "text": "It read me."},
    "shelves/1/books/2/reviews/2": {"reviewer": "Snow", "stars": 4, "text": "Too much water."},
}

TITLES: dict[str, Row] = {
    "publishers/wave/books/tides": {"displayName": "Tides", "terms": {"discountPercent": 12.5, "minimumCopies": 10}},
    "publishers/wave/books/foam": {"displayName": "Foam", "terms": {"notes": ["returns accepted"]}},
    "publishers/stone/books/granite": {"displayName": "Granite"},
}

FILES = {
    "readme.txt": ("text/plain; charset=utf-8", b"Files of the bookstore.\n"),
    "catalogues/2026/spring.csv": ("text/csv; charset=utf-8", b"isbn,copies\r\n9780156027601,3\r\n"),
}

# The smallest PNG there is: one transparent pixel.
COVER = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)


def fill(shop: Shop) -> Shop:
    """Put the seed into an empty shop and return it."""
    new = shop.messages
    for number, shelf in SHELVES.items():
        shop.shelves.add(number, stamp(_made(new.Shelf(id=number), {**shelf, "createTime": OPENED})))
    for key, author in AUTHORS.items():
        shop.authors.add(f"authors/{key}", stamp(_made(new.Author(name=f"authors/{key}"), author)))
    for number, book in BOOKS.items():
        times = {"state": "BOOK_STATE_PUBLISHED", "createTime": OPENED, "updateTime": OPENED}
        shop.books.add(number, stamp(_made(new.Book(id=number), {**book, **times})))
        shop.tell("CREATED", shop.books.get(number))
    for name, review in REVIEWS.items():
        shop.reviews.add(name, _made(new.Review(name=name), {**review, "createTime": OPENED}))
    shop.books.get(2).average_rating = 4.5
    for name, title in TITLES.items():
        shop.titles.add(name, stamp(_made(new.Title(name=name), title)))
    body = new.of("google.api.HttpBody")
    for path, (kind, data) in FILES.items():
        shop.files.add(path, new.UploadFileRequest(path=path, content=body(content_type=kind, data=data)))
    shop.covers.add(2, body(content_type="image/png", data=COVER))
    return shop


def _made(message: Msg, data: Row) -> Msg:
    return json_format.ParseDict(data, message)
