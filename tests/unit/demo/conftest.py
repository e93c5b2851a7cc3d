"""A seeded shop with its clock standing still, and all that works on it."""

from __future__ import annotations

import pytest

from edge.demo import seed
from edge.demo.books import Books
from edge.demo.messages import Messages
from edge.demo.store import Shop
from tests.upstreams.bookstore import OPENED_S, known


@pytest.fixture
def new() -> Messages:
    """Message classes."""
    return known()


@pytest.fixture
def shop(new: Messages) -> Shop:
    """A seeded shop; its clock is a day past the seed's."""
    return seed.fill(Shop(new, lambda: OPENED_S + 86_400))


@pytest.fixture
def books(shop: Shop) -> Books:
    """The book methods."""
    return Books(shop)
