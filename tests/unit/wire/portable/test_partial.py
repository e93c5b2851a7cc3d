"""Partial answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.wire.codec import BindingError
from edge.wire.portable.partial import keep, tree_of
from tests.unit.wire.portable.compiling import bind, method, read

ANSWER = (
    '{"i32":1,"veryOdd":"x","inner":{"a":"x","b":2,"next":{"a":"y"}},"inners":[{"a":"1","b":1},{"b":2}],'
    '"labels":{"k":"v","l":"w"},"struct":{"p":{"q":1,"r":2}}}'
)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("i32", {"i32": 1}),
        ("odd_name,i32", {"i32": 1, "veryOdd": "x"}),
        ("inner/a", {"inner": {"a": "x"}}),
        ("inner.next.a", {"inner": {"next": {"a": "y"}}}),
        ("inner(a,b)", {"inner": {"a": "x", "b": 2}}),
        ("inners/a", {"inners": [{"a": "1"}, {}]}),
        ("labels/k", {"labels": {"k": "v"}}),
        ("struct/p/q", {"struct": {"p": {"q": 1}}}),
        ("inner,inner/a", {"inner": {"a": "x", "b": 2, "next": {"a": "y"}}}),
        ("inners/*", {"inners": [{"a": "1", "b": 1}, {"b": 2}]}),
        ("text", {}),
        ("*", json.loads(ANSWER)),
    ],
)
def test_selected_fields(fields: str, expected: dict[str, Any]) -> None:
    """Q5: $fields, in either spelling of names."""
    codec = method(body="")
    render = bind(codec, query=f"$fields={fields}").render
    assert json.loads(codec.response(read(ANSWER).SerializeToString(), render).body) == expected


@pytest.mark.parametrize("fields", ["nope", "inner/nope", "i32/a", "a,,b", "inner("])
def test_unknown_fields_are_refused(fields: str) -> None:
    with pytest.raises(BindingError) as caught:
        bind(method(body=""), query=f"$fields={fields}")
    assert caught.value.field == "$fields"


def test_names_as_printed() -> None:
    """Render.fields is what the printer looks for."""
    assert bind(method(body=""), query="fields=odd_name,inner/next").render.fields == ("veryOdd", "inner.next")
    assert bind(method(body="", proto_names=True), query="fields=veryOdd").render.fields == ("odd_name",)


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(".".join), min_size=1))
def test_the_order_of_paths_does_not_matter(paths: list[str]) -> None:
    value = {a: {b: dict.fromkeys("abc", 1) for b in "abc"} for a in "abc"}
    assert keep(value, tree_of(paths)) == keep(value, tree_of(reversed(paths)))
