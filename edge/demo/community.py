"""
Community's methods: authors and reviews, addressed by resource names.

Owns the form of those names, and that a book's average rating is the mean of its reviews' stars.
"""

from __future__ import annotations

import re

from edge.demo.books import book_name
from edge.demo.change import changed, guard, stamp
from edge.demo.failure import invalid, precondition
from edge.demo.messages import Msg
from edge.demo.paging import page
from edge.demo.store import Shop

AUTHOR_KEPT = frozenset({"name", "etag"})
_AUTHOR_ID = re.compile(r"[a-z][a-z0-9-]{0,62}")
_BOOK = re.compile(r"shelves/(\d{1,18})/books/(\d{1,18})")
MAX_STARS = 5


class Community:
    """The RPCs on authors and reviews, each a plain function of the shop and a request."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._messages = shop.messages

    def list_authors(self, request: Msg) -> Msg:
        """One page, by name."""
        authors, token = page(list(self._shop.authors), request, lambda author: str(author.name))
        return self._messages.ListAuthorsResponse(authors=authors, next_page_token=token)

    def get_author(self, request: Msg) -> Msg:
        """One author."""
        return self._shop.authors.get(request.name)

    def create_author(self, request: Msg) -> Msg:
        """A new author under the id asked for."""
        if not _AUTHOR_ID.fullmatch(request.author_id):
            raise invalid(
                ("author_id", f'"{request.author_id}" is not 1 to 63 of a-z, 0-9, -, beginning with a letter')
            )
        author = changed(self._messages.Author(), request.author, ["*"], AUTHOR_KEPT)
        author.name = f"authors/{request.author_id}"
        _check_author(author)
        return self._shop.authors.add(author.name, stamp(author))

    def update_author(self, request: Msg) -> Msg:
        """An author with new values."""
        present = self._shop.authors.get(request.author.name)
        guard(present, request.author.etag, present.name)
        author = changed(present, request.author, request.update_mask.paths, AUTHOR_KEPT)
        _check_author(author)
        return self._shop.authors.replace(author.name, stamp(author))

    def delete_author(self, request: Msg) -> Msg:
        """Nothing, once the author is gone."""
        books = [book for book in self._shop.books if book.author == request.name]
        if books:
            text = f"{request.name} has {len(books)} books in the shop"
            raise precondition("AUTHOR_HAS_BOOKS", request.name, text)
        self._shop.authors.remove(request.name)
        return self._messages.of("google.protobuf.Empty")()

    def list_reviews(self, request: Msg) -> Msg:
        """One page, oldest first."""
        reviews = self._reviews(self._book(request.parent))
        shown, token = page(reviews, request, lambda review: str(review.name))
        return self._messages.ListReviewsResponse(reviews=shown, next_page_token=token)

    def get_review(self, request: Msg) -> Msg:
        """One review."""
        return self._shop.reviews.get(request.name)

    def create_review(self, request: Msg) -> Msg:
        """A new review."""
        book = self._book(request.parent)
        _check_review(request.review)
        review = changed(self._messages.Review(), request.review, ["*"], {"name", "create_time"})
        review.name = f"{book_name(book)}/reviews/{self._next(book)}"
        review.create_time.CopyFrom(self._shop.now())
        self._shop.reviews.add(review.name, review)
        self._rate(book)
        return review

    def delete_review(self, request: Msg) -> Msg:
        """Nothing, once the review is gone."""
        self._shop.reviews.remove(request.name)
        self._rate(self._book(request.name.partition("/reviews/")[0]))
        return self._messages.of("google.protobuf.Empty")()

    def _book(self, name: str) -> Msg:
        match = _BOOK.fullmatch(name)
        if match is None:
            raise invalid(("parent", f'"{name}" is not of the form shelves/{{number}}/books/{{number}}'))
        return self._shop.book(int(match[1]), int(match[2]))

    def _reviews(self, book: Msg) -> list[Msg]:
        prefix = f"{book_name(book)}/reviews/"
        mine = [review for review in self._shop.reviews if review.name.startswith(prefix)]
        return sorted(mine, key=_number)

    def _next(self, book: Msg) -> int:
        return max(map(_number, self._reviews(book)), default=0) + 1

    def _rate(self, book: Msg) -> None:
        """Ratings are not part of a book's version: an opinion must not spoil an editor's etag."""
        stars = [review.stars for review in self._reviews(book)]
        book.average_rating = sum(stars) / len(stars) if stars else 0.0


def _number(review: Msg) -> int:
    return int(review.name.rpartition("/")[2])


def _check_author(author: Msg) -> None:
    if not author.display_name:
        raise invalid(("author.display_name", "must not be empty"))


def _check_review(review: Msg) -> None:
    wrong = []
    if not review.reviewer:
        wrong.append(("review.reviewer", "must not be empty"))
    if not 1 <= review.stars <= MAX_STARS:
        wrong.append(("review.stars", f"must be 1 to {MAX_STARS}, is {review.stars}"))
    if wrong:
        raise invalid(*wrong)
