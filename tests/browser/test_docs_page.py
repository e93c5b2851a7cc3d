"""The documentation page tries an operation out, through the gateway, when the API allows its origin."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.browser.chromium import needs_chromium
from tests.browser.docs_page import ALLOWED, documentation, send

pytestmark = [needs_chromium, pytest.mark.slow]


def test_an_operation_is_tried_out(tmp_path: Path) -> None:
    """The answer's status and its JSON stand under the form; another value gets another answer."""
    with documentation(tmp_path, ALLOWED) as page:
        head, _, body = send(page, shelf="1", book="2", view="BOOK_VIEW_FULL").partition("\n")
        assert head.startswith("200 OK application/json, ")
        assert json.loads(body)["title"] == "Solaris"
        assert send(page, book="99999").startswith("404 Not Found application/json, ")


def test_without_cors_the_page_says_why_and_has_the_curl_line(tmp_path: Path) -> None:
    """A browser keeps the answer from it."""
    with documentation(tmp_path, None) as page:
        assert "does not allow this page's origin (CORS)" in send(page, shelf="1", book="2")
        assert page.value("document.querySelector('.try pre').textContent").endswith("/v1/shelves/1/books/2'")
