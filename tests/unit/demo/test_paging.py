"""Pages and their tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.demo.failure import Failure
from edge.demo.messages import Messages
from edge.demo.paging import MAX_SIZE, page
from tests.upstreams.bookstore import known


@given(total=st.integers(0, 120), size=st.integers(0, 60))
def test_following_the_tokens_gives_every_item_once_in_order(total: int, size: int) -> None:
    items, seen, token = list(range(total)), [], ""
    while True:
        request = known().ListShelvesRequest(page_size=size, page_token=token)
        shown, token = page(items, request, str)
        assert len(shown) <= (size or 50)
        seen += shown
        if not token:
            break
    assert seen == items


def test_an_item_that_goes_away_between_pages_shifts_nothing(new: Messages) -> None:
    _, token = page([1, 2, 3, 4], new.ListShelvesRequest(page_size=2), str)
    shown, _ = page([2, 3, 4], new.ListShelvesRequest(page_size=2, page_token=token), str)
    assert shown == [3, 4]


def test_a_page_is_never_larger_than_the_maximum(new: Messages) -> None:
    shown, token = page(range(MAX_SIZE + 1), new.ListShelvesRequest(page_size=MAX_SIZE * 5), str)
    assert len(shown) == MAX_SIZE
    assert token


def test_a_negative_size_is_refused(new: Messages) -> None:
    with pytest.raises(Failure, match="page_size"):
        page([1], new.ListShelvesRequest(page_size=-1), str)


@pytest.mark.parametrize("token", ["x", "!!", "bnVsbA", "WzFd", "é"])
def test_a_token_of_someone_else_is_refused(new: Messages, token: str) -> None:
    with pytest.raises(Failure, match="page_token"):
        page([1], new.ListShelvesRequest(page_token=token), str)


def test_a_token_for_other_parameters_is_refused_but_the_page_size_may_change(new: Messages) -> None:
    _, token = page([1, 2, 3], new.ListBooksRequest(shelf=1, page_size=1), str)
    shown, _ = page([1, 2, 3], new.ListBooksRequest(shelf=1, page_size=2, page_token=token), str)
    assert shown == [2, 3]
    with pytest.raises(Failure, match="other parameters"):
        page([1, 2, 3], new.ListBooksRequest(shelf=2, page_size=1, page_token=token), str)
