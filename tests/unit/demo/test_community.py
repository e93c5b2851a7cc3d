"""Authors and reviews."""

from __future__ import annotations

import pytest

from edge.core.grpc_status import Code
from edge.demo.community import Community
from edge.demo.failure import Failure
from edge.demo.messages import Messages
from edge.demo.store import Shop

SOLARIS = "shelves/1/books/2"


@pytest.fixture
def community(shop: Shop) -> Community:
    return Community(shop)


def test_an_author_is_created_under_the_id_asked_for(new: Messages, community: Community) -> None:
    made = community.create_author(
        new.CreateAuthorRequest(author={"display_name": "A", "name": "authors/x"}, author_id="a-1")
    )
    assert made.name == "authors/a-1"
    assert community.get_author(new.GetAuthorRequest(name="authors/a-1")).display_name == "A"
    assert [author.name for author in community.list_authors(new.ListAuthorsRequest(page_size=1)).authors] == [
        made.name
    ]


@pytest.mark.parametrize("author_id", ["", "1a", "A", "a/b", "a" * 64, "a\n"])
def test_a_wrong_author_id_is_refused(new: Messages, community: Community, author_id: str) -> None:
    with pytest.raises(Failure, match="author_id"):
        community.create_author(new.CreateAuthorRequest(author={"display_name": "A"}, author_id=author_id))


def test_an_author_needs_a_name_to_print(new: Messages, community: Community) -> None:
    with pytest.raises(Failure, match="display_name"):
        community.create_author(new.CreateAuthorRequest(author_id="a"))


def test_an_author_is_updated_by_name_under_etag(new: Messages, community: Community) -> None:
    change = {"name": "authors/mary-shelley", "languages": ["en", "it"]}
    assert list(community.update_author(new.UpdateAuthorRequest(author=change)).languages) == ["en", "it"]
    with pytest.raises(Failure) as raised:
        community.update_author(new.UpdateAuthorRequest(author={**change, "etag": "old"}))
    assert raised.value.code == Code.ABORTED


def test_an_author_goes_only_without_books(new: Messages, community: Community, shop: Shop) -> None:
    request = new.DeleteAuthorRequest(name="authors/stanislaw-lem")
    with pytest.raises(Failure) as raised:
        community.delete_author(request)
    assert raised.value.code == Code.FAILED_PRECONDITION
    shop.books.remove(2)
    community.delete_author(request)
    assert request.name not in shop.authors


def test_reviews_change_the_average_but_not_the_etag(new: Messages, community: Community, shop: Shop) -> None:
    etag = shop.book(1, 2).etag
    review = community.create_review(
        new.CreateReviewRequest(parent=SOLARIS, review={"reviewer": "S", "stars": 1, "name": "x"})
    )
    assert review.name == f"{SOLARIS}/reviews/3"
    assert shop.book(1, 2).average_rating == pytest.approx(10 / 3)
    community.delete_review(new.DeleteReviewRequest(name=review.name))
    assert shop.book(1, 2).average_rating == 4.5
    assert shop.book(1, 2).etag == etag


def test_reviews_are_listed_oldest_first_past_ten(new: Messages, community: Community) -> None:
    for _ in range(10):
        community.create_review(new.CreateReviewRequest(parent=SOLARIS, review={"reviewer": "S", "stars": 5}))
    listed = community.list_reviews(new.ListReviewsRequest(parent=SOLARIS))
    assert [int(review.name.rpartition("/")[2]) for review in listed.reviews] == list(range(1, 13))
    assert community.get_review(new.GetReviewRequest(name=f"{SOLARIS}/reviews/12")).stars == 5


@pytest.mark.parametrize("review", [{"stars": 3}, {"reviewer": "S"}, {"reviewer": "S", "stars": 6}])
def test_a_wrong_review_is_refused(new: Messages, community: Community, review: dict[str, object]) -> None:
    with pytest.raises(Failure) as raised:
        community.create_review(new.CreateReviewRequest(parent=SOLARIS, review=review))
    assert raised.value.code == Code.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "parent", ["", "shelves/1", "shelves/x/books/2", "shelves/1/books/2/", f"shelves/{'9' * 30}/books/1"]
)
def test_a_parent_that_is_no_book_is_refused(new: Messages, community: Community, parent: str) -> None:
    with pytest.raises(Failure, match="parent"):
        community.list_reviews(new.ListReviewsRequest(parent=parent))
