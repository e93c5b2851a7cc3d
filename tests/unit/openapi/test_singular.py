"""One of many."""

from __future__ import annotations

import pytest

from edge.openapi.singular import singular


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("shelves", "shelf"),
        ("books", "book"),
        ("publishers", "publisher"),
        ("companies", "company"),
        ("movies", "movie"),
        ("addresses", "address"),
        ("boxes", "box"),
        ("branches", "branch"),
        ("caches", "cache"),
        ("archives", "archive"),
        ("databases", "database"),
        ("statuses", "status"),
        ("status", "status"),
        ("access", "access"),
        ("people", "person"),
        ("series", "series"),
        ("metadata", "metadata"),
        ("ties", "tie"),
        ("reviewThreads", "reviewThread"),
        ("subCategories", "subCategory"),
        ("user-events", "user-event"),
        ("user_events", "user_event"),
        ("v1", "v1"),
        ("", ""),
    ],
)
def test_singular(many: str, one: str) -> None:
    """Regular and irregular plurals, compounds, and what has no plural."""
    assert singular(many) == one
