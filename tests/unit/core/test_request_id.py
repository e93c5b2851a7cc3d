"""Request ids from outside are kept only when they are harmless."""

from __future__ import annotations

import pytest

from edge.core.request_id import RequestIds, request_id


@pytest.mark.parametrize("given", ["abc-123", "7f3c2b1e-0000-4000-8000-000000000000", "a" * 128])
def test_a_plain_token_is_kept(given: str) -> None:
    assert request_id(given, lambda: "new") == given


@pytest.mark.parametrize("given", ["", "a" * 129, "a b", "a\nb", 'a"b', "é", "abc\n"])
def test_anything_else_is_replaced(given: str) -> None:
    assert request_id(given, lambda: "new") == "new"


def test_new_ids_are_128_bits_each_and_never_said_twice() -> None:
    """However many are made at a time."""
    asked: list[int] = []

    def random(size: int) -> bytes:
        asked.append(size)
        return b"".join((len(asked) * 10_000 + number).to_bytes(16, "big") for number in range(size // 16))

    ids = RequestIds(random)
    made = [ids() for _ in range(600)]
    assert len(set(made)) == 600
    assert {len(one) for one in made} == {32}
    assert asked == [4096, 4096, 4096]
