"""References to component schemas."""

from __future__ import annotations

from edge.openapi.references import reference, renamed, with_plain_names


def test_renamed() -> None:
    """Wherever they stand; other texts and the names of properties are left alone."""
    value = {"a": [reference("X-Input"), {"$ref": "#/components/responses/X-Input"}], "X-Input": "X-Input"}
    assert renamed(value, {"X-Input": "X"}) == {
        "a": [reference("X"), {"$ref": "#/components/responses/X-Input"}],
        "X-Input": "X-Input",
    }


def test_a_suffix_stays_where_it_tells_two_apart() -> None:
    """The plain name is given once."""
    names = with_plain_names(
        {"A-Input": {}, "A": {}, "B-Input": {}, "B-Patch": {}, "C-Patch": {}}, ("-Input", "-Patch")
    )
    assert names == {"B-Input": "B", "C-Patch": "C"}
