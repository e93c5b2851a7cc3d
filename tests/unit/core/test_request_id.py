"""Request ids from outside are kept only when they are harmless."""

from __future__ import annotations

import pytest

from edge.core.request_id import request_id


@pytest.mark.parametrize("given", ["abc-123", "7f3c2b1e-0000-4000-8000-000000000000", "a" * 128])
def test_a_plain_token_is_kept(given: str) -> None:
    assert request_id(given, lambda: "new") == given


@pytest.mark.parametrize("given", ["", "a" * 129, "a b", "a\nb", 'a"b', "é", "abc\n"])
def test_anything_else_is_replaced(given: str) -> None:
    assert request_id(given, lambda: "new") == "new"
