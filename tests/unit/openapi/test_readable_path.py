"""Templates that people can read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.path_template import parse
from edge.openapi.readable_path import PathParameter, bound_fields, expand


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("/", "/"),
        ("/v1/shelves", "/v1/shelves"),
        ("/v1/shelves/{shelf}", "/v1/shelves/{shelf}"),
        ("/v1/shelves/{shelf.id}:move", "/v1/shelves/{shelf_id}:move"),
        ("/v1/{name=publishers/*/books/*}", "/v1/publishers/{publisher}/books/{book}"),
        ("/v1/{book.name=shelves/*/books/*}:publish", "/v1/shelves/{shelf}/books/{book}:publish"),
        ("/v1/{name=shelves/*}/books/{book}", "/v1/shelves/{shelf}/books/{book}"),
        ("/v1/{a=books/*}/x/{b=books/*}", "/v1/books/{book}/x/books/{book_2}"),
        ("/v1/{name=user-events/*}", "/v1/user-events/{user_event}"),
        ("/v1/{name=a/*/*}", "/v1/a/{a}/{name}"),
        ("/v1/files/{path=**}", "/v1/files/{path}"),
        ("/v1/{name=files/**}", "/v1/files/{file}"),
        ("/v1/{shelf=100}/books", "/v1/100/books"),
        ("/v1/shelves/*/books", "/v1/shelves/{shelf}/books"),
        ("/*/**", "/{segment}/{segment_2}"),
        ("/v1/a%20b/{x}", "/v1/a%20b/{x}"),
    ],
)
def test_text(template: str, text: str) -> None:
    """Variables of several segments are written out, names are unique."""
    assert expand(parse(template)).text == text


def test_parameters_know_their_field() -> None:
    """What a parameter fills, or is a part of, and whether it spans segments."""
    assert expand(parse("/{x.y}/{name=shelves/*/files/**}")).parameters == (
        PathParameter("x_y", "x.y"),
        PathParameter("shelf", "name", "shelves/*/files/**"),
        PathParameter("file", "name", "shelves/*/files/**", spans=True),
    )


def test_one_shape_one_set_of_names() -> None:
    """Names differ, shapes do not; a path can take another's names and keeps its fields."""
    first, second = expand(parse("/v1/shelves/{shelf}")), expand(parse("/v1/shelves/{shelf.id}"))
    assert first.shape == second.shape == "/v1/shelves/{}"
    renamed = second.named_like(first)
    assert renamed.text == first.text
    assert renamed.parameters[0].field == "shelf.id"


def test_bound_fields() -> None:
    """As tuples; a wildcard outside a variable fills nothing."""
    assert bound_fields(expand(parse("/{a.b}/{c=x/*/*}/*")).parameters) == {("a", "b"), ("c",)}


_SEGMENT = st.sampled_from(["books", "shelves", "*"])
_VARIABLE = st.builds(
    lambda name, parts: f"{{{name}={'/'.join(parts)}}}",
    st.uuids().map(lambda u: f"f{u.hex}"),
    st.lists(_SEGMENT, min_size=1),
)


@given(st.lists(_SEGMENT | _VARIABLE, min_size=1, max_size=6))
def test_names_are_unique_whatever_the_template(parts: list[str]) -> None:
    """OpenAPI forbids two parameters of one name, and the text has each of them once."""
    path = expand(parse("/" + "/".join(parts)))
    names = [parameter.name for parameter in path.parameters]
    assert len(set(names)) == len(names)
    assert all(path.text.count(f"{{{name}}}") == 1 for name in names)
    assert path.shape.count("{}") == len(names)
