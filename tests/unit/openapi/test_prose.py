"""Comments as documentation text."""

from __future__ import annotations

import pytest

from edge.openapi.prose import Prose, cleaned, split


@pytest.mark.parametrize(
    ("comment", "text"),
    [
        (" One line.\n", "One line."),
        (" Two\n lines.\n\n A paragraph.\n", "Two\nlines.\n\nA paragraph."),
        (" - item\n   more\n", "- item\n  more"),
        (" Seen. (-- not\n seen --)\n", "Seen."),
        (" Seen.\n buf:lint:ignore X\n", "Seen."),
        (" A [Book][bookstore.v1.Book] or [two][a.B].\n", "A Book or two."),
        (" a\n\n\n\n b\n", "a\n\nb"),
        ("", ""),
    ],
)
def test_cleaned(comment: str, text: str) -> None:
    """What is not for readers is gone, the rest reads as written."""
    assert cleaned(comment) == text


@pytest.mark.parametrize(
    ("text", "prose"),
    [
        ("Gets a book.", Prose("Gets a book", "")),
        ("Gets a book", Prose("Gets a book", "")),
        ("Gets a book. NOT_FOUND when none.", Prose("Gets a book", "Gets a book. NOT_FOUND when none.")),
        ("Gets version 1.2 of\na book.", Prose("Gets version 1.2 of a book", "Gets version 1.2 of\na book.")),
        ("Title\n\nMore.", Prose("Title", "Title\n\nMore.")),
        ("", Prose("", "")),
        ("x" * 130 + ". More.", Prose("", "x" * 130 + ". More.")),
    ],
)
def test_split(text: str, prose: Prose) -> None:
    """The first sentence is the summary; the whole is kept where it says more."""
    assert split(text) == prose
