"""
List F (PATCH and update masks) of transcoding.md: the mask the service received, and what the real UpdateBook makes of it.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from tests.matrix.rest_site import Site, recorded, shaped

_numbers = itertools.count(500)


def mask(site: Site, change: Any, query: str = "") -> list[str] | None:
    """The update_mask the service got for a PATCH of a book; None when there was none."""
    answer = site.fresh().ask("PATCH", f"/v1/shelves/1/books/2{query}", json.dumps(change))
    assert answer.status_code == 200, answer.text
    request = site.seen("UpdateBookRequest")
    return list(request.update_mask.paths) if request.HasField("update_mask") else None


@pytest.mark.parametrize(
    ("change", "paths"),
    [({"title": "t"}, ["title"]), ({"title": "t", "pages": 0}, ["title", "pages"]), ({"averageRating": 1}, ["average_rating"]),
     ({"average_rating": 1}, ["average_rating"]), ({"price": {"units": "3"}}, ["price.units"]),
     ({"price": {"units": 1, "currencyCode": "EUR"}}, ["price.units", "price.currency_code"]),
     ({"price": {}}, ["price"]), ({"labels": {"a": "b"}}, ["labels"]), ({"labels": {}}, ["labels"]), ({"tags": ["x"]}, ["tags"]),
     ({"chapters": [{"title": "x"}]}, ["chapters"]), ({"stock": {"copies": 1}}, ["stock.copies"]),
     ({"preorder": {"expected": {"year": 2027}}}, ["preorder.expected.year"]),
     ({"createTime": "2026-01-01T00:00:00Z"}, ["create_time"]), ({"subtitle": None}, ["subtitle"]),
     ({"publishDate": None}, ["publish_date"]), ({}, [])],
)  # fmt: skip
def test_f1_f2_the_mask_is_what_the_body_speaks_of(lab: Site, change: Any, paths: list[str]) -> None:
    """F1, F2: nested fields, oneof members, maps and lists whole, well-known types whole, JSON names; null clears."""
    assert mask(lab, change) == paths


def test_f1_the_path_s_fields_are_not_in_the_mask(lab: Site) -> None:
    """F1: `book.id` comes from the path; a body that repeats it does not ask to change it into itself."""
    got = mask(lab, {"title": "t"})
    assert got == ["title"]
    assert (lab.seen("UpdateBookRequest").book.shelf, lab.seen("UpdateBookRequest").book.id) == (1, 2)


@pytest.mark.parametrize(
    "query",
    ["?updateMask=pages", "?update_mask=pages", "?update_mask=pages,price.units", "?updateMask=price.currencyCode"],
)
def test_f3_an_explicit_mask_wins(lab: Site, query: str) -> None:
    """F3: in either spelling, its own paths in camelCase or as the proto has them."""
    expected = [path.replace("currencyCode", "currency_code") for path in query.partition("=")[2].split(",")]
    assert mask(lab, {"title": "t"}, query) == expected


def test_f3_a_whole_body_is_left_alone(tmp_path: Path) -> None:
    """F3: body `*` brings its own mask or none."""
    rule = {"selector": "bookstore.v1.Bookstore.UpdateBook", "patch": "/p", "body": "*"}
    with recorded(tmp_path, api={"http": {"rules": [rule]}}) as site:
        site.ask("PATCH", "/p", '{"book": {"title": "t"}}')
        assert not site.seen("UpdateBookRequest").HasField("update_mask")
        site.fresh().ask("PATCH", "/p", '{"book": {"title": "t"}, "updateMask": "title,averageRating"}')
        assert list(site.seen("UpdateBookRequest").update_mask.paths) == ["title", "average_rating"]


def test_f4_off_by_choice(tmp_path: Path) -> None:
    """F4: `json.update_mask: false`."""
    with recorded(tmp_path, api={"json": {"update_mask": False}}) as site:
        assert mask(site, {"title": "t"}) is None


def test_f_only_patch(tmp_path: Path) -> None:
    """F1: a PUT of the same method replaces, no mask is made."""
    rule = {"selector": "bookstore.v1.Bookstore.UpdateBook", "put": "/p/{book.id}", "body": "book"}
    with recorded(tmp_path, api={"http": {"rules": [rule]}}) as site:
        site.ask("PUT", "/p/1", '{"title": "t"}')
        assert not site.seen("UpdateBookRequest").HasField("update_mask")


@pytest.fixture
def book(shop: Site) -> str:
    """A fresh book of the real service, as a path."""
    number = next(_numbers)
    new = {"title": "Draft", "pages": 10, "subtitle": "s", "labels": {"a": "1", "b": "2"}, "tags": ["x", "y"],
           "price": {"currencyCode": "EUR", "units": "5", "nanos": 7}, "stock": {"copies": 1, "location": "A"}}  # fmt: skip
    answer = shop.post(f"/v1/shelves/4/books?bookId={number}", new)
    assert answer.status_code == 200, answer.text
    return f"/v1/shelves/4/books/{number}"


def patched(shop: Site, book: str, change: Any, query: str = "") -> Any:
    """The book after a PATCH, read anew."""
    answer = shop.ask("PATCH", book + query, json.dumps(change))
    assert answer.status_code == 200, answer.text
    return shop.get(f"{book}?view=BOOK_VIEW_FULL").json()


def test_f_real_update_changes_only_what_was_sent(shop: Site, book: str) -> None:
    """F1 against the real service: the other fields stay."""
    after = patched(shop, book, {"title": "New"})
    assert (after["title"], after["pages"], after["subtitle"], after["tags"]) == ("New", 10, "s", ["x", "y"])


def test_f_real_update_of_nested_fields(shop: Site, book: str) -> None:
    """F2: one field of a message changes, its neighbours stay."""
    assert patched(shop, book, {"price": {"units": "9"}})["price"] == {"currencyCode": "EUR", "units": "9", "nanos": 7}


def test_f_real_update_clears(shop: Site, book: str) -> None:
    """F2: null, zero and an empty list clear; an empty text in an optional field is a value."""
    after = patched(shop, book, {"subtitle": None, "pages": 0, "tags": []})
    assert not {"subtitle", "pages", "tags"} & set(after)
    assert patched(shop, book, {"subtitle": ""})["subtitle"] == ""


def test_f_real_update_replaces_maps_and_switches_oneofs(shop: Site, book: str) -> None:
    """F2: a map is one field; setting a oneof's other member takes the first one's place."""
    assert patched(shop, book, {"labels": {"c": "3"}})["labels"] == {"c": "3"}
    after = patched(shop, book, {"preorder": {"expected": {"year": 2027, "month": 1, "day": 1}}})
    assert after["preorder"] == {"expected": {"year": 2027, "month": 1, "day": 1}}
    assert "stock" not in after


def test_f_real_update_with_a_mask(shop: Site, book: str) -> None:
    """F3: fields that were sent but not masked do not change; a wrong path is the service's own 400."""
    after = patched(shop, book, {"title": "New", "pages": 99}, "?updateMask=pages")
    assert (after["title"], after["pages"]) == ("Draft", 99)
    wrong = shop.ask("PATCH", f"{book}?updateMask=noSuch", "{}")
    assert shaped(wrong, 400)["details"][0]["fieldViolations"][0]["field"] == "update_mask"


def test_f_real_update_guarded_by_etag(shop: Site, book: str) -> None:
    """F, E1: a stale etag is ABORTED, 409."""
    assert shaped(shop.ask("PATCH", book, '{"title": "New", "etag": "stale"}'), 409)["code"] == 10
