"""The shop's first stock."""

from __future__ import annotations

from edge.demo import seed
from edge.demo.books import check_book
from edge.demo.messages import Messages
from edge.demo.store import Shop


def test_the_seed_obeys_the_shop_s_own_rules(shop: Shop) -> None:
    for book in shop.books:
        check_book(shop, book, own=book.id)
        assert book.shelf in shop.shelves


def test_two_shops_open_alike(new: Messages, shop: Shop) -> None:
    other = seed.fill(Shop(new, shop.now_s))
    assert list(other.books) == list(shop.books)
    assert [shelf.etag for shelf in other.shelves] == [shelf.etag for shelf in shop.shelves]


def test_ratings_are_the_mean_of_the_reviews(shop: Shop) -> None:
    stars = [review["stars"] for review in seed.REVIEWS.values()]
    assert shop.book(1, 2).average_rating == sum(stars) / len(stars)
