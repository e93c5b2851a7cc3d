"""Bodies as text: stable, in conventional order, quoted."""

from __future__ import annotations

import json

import yaml
from hypothesis import given
from hypothesis import strategies as st

from meshconfig.text import as_hcl, as_json, as_yaml

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1000, 1000)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abAB-./", min_size=1), inner, max_size=3),
    max_leaves=8,
)
BODIES = st.dictionaries(st.text("abcKN", min_size=1), VALUES, max_size=5)


@given(BODIES)
def test_yaml_and_json_say_what_the_body_says(body: dict[str, object]) -> None:
    """And the order of its keys changes no byte."""
    assert json.loads(as_json(body)) == body
    assert yaml.safe_load(as_yaml(body)) == body
    assert as_yaml(dict(reversed(list(body.items())))) == as_yaml(body)


def test_what_names_an_object_comes_first() -> None:
    """Then the alphabet, then spec."""
    lines = as_yaml(
        {"spec": {}, "kind": "X", "data": 1, "metadata": {"labels": {}, "name": "x"}, "apiVersion": "v1"}
    ).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "apiVersion",
        "kind",
        "metadata",
        "  name",
        "  labels",
        "data",
        "spec",
    ]


def test_equal_parts_are_written_out() -> None:
    """An alias would make a reader look elsewhere."""
    part = {"x": [1]}
    assert "&" not in as_yaml({"a": part, "b": part})


def test_hcl() -> None:
    """Attributes, quoted keys where they are no words, no interpolation."""
    body = {"Kind": "k", "Meta": {"managed-by": 'a"b', "x": "${y}"}, "List": [1, True], "Parts": [{"A": []}, {}]}
    assert as_hcl(body) == (
        'Kind = "k"\nList = [1, true]\nParts = [\n  {\n    A = []\n  },\n  {},\n]\n'
        'Meta = {\n  "managed-by" = "a\\"b"\n  x = "$${y}"\n}\n'
    )
