"""Titles in publishers' lists."""

from __future__ import annotations

import pytest

from edge.core.grpc_status import Code
from edge.demo.failure import Failure
from edge.demo.messages import Messages
from edge.demo.publishing import Publishing
from edge.demo.store import Shop

TIDES = "publishers/wave/books/tides"


@pytest.fixture
def publishing(shop: Shop) -> Publishing:
    return Publishing(shop)


def names(new: Messages, publishing: Publishing, parent: str) -> list[str]:
    return [title.name for title in publishing.list_titles(new.ListTitlesRequest(parent=parent)).titles]


def test_a_publisher_s_titles_or_everyone_s_are_listed(new: Messages, publishing: Publishing) -> None:
    assert names(new, publishing, "publishers/wave") == ["publishers/wave/books/foam", TIDES]
    assert len(names(new, publishing, "publishers/-")) == 3
    assert names(new, publishing, "publishers/wav") == []


def test_a_dotted_mask_changes_one_term(new: Messages, publishing: Publishing) -> None:
    change = {"name": TIDES, "terms": {"minimum_copies": 20, "discount_percent": 1}}
    title = publishing.update_title(
        new.UpdateTitleRequest(title=change, update_mask={"paths": ["terms.minimum_copies"]})
    )
    assert (title.terms.minimum_copies, title.terms.discount_percent) == (20, 12.5)
    with pytest.raises(Failure) as raised:
        publishing.update_title(new.UpdateTitleRequest(title={**change, "etag": "old"}))
    assert raised.value.code == Code.ABORTED


def test_a_missing_title_is_added_only_if_allowed(new: Messages, publishing: Publishing) -> None:
    title = {"name": "publishers/wave/books/spray", "display_name": "Spray", "withdrawn": True}
    with pytest.raises(Failure) as raised:
        publishing.update_title(new.UpdateTitleRequest(title=title))
    assert raised.value.code == Code.NOT_FOUND
    added = publishing.update_title(new.UpdateTitleRequest(title=title, allow_missing=True))
    assert (added.display_name, added.withdrawn) == ("Spray", False)
    assert publishing.get_title(new.GetTitleRequest(name=added.name)) == added


def test_a_wrong_name_is_refused(new: Messages, publishing: Publishing) -> None:
    with pytest.raises(Failure, match=r"title\.name"):
        publishing.update_title(new.UpdateTitleRequest(title={"name": "publishers/wave/books/a/b"}, allow_missing=True))


def test_a_withdrawn_title_is_listed_no_more_but_can_be_got(new: Messages, publishing: Publishing) -> None:
    request = new.WithdrawTitleRequest(name=TIDES)
    assert publishing.withdraw_title(request).withdrawn
    assert TIDES not in names(new, publishing, "publishers/-")
    assert publishing.get_title(new.GetTitleRequest(name=TIDES)).withdrawn
    with pytest.raises(Failure) as raised:
        publishing.withdraw_title(request)
    assert raised.value.code == Code.FAILED_PRECONDITION
