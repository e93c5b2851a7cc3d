"""Nodes to data: types, lines, duplicates, merging, and bounded expansion."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config import document as document_module
from edge.config.document import Document, dotted, printable, quoted, read_document
from edge.core.problem import ProblemsError


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1", 1), ("-7", -7), ("0x1F", 31), ("0o17", 15), ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5),
        ("true", True), ("False", False), ("TRUE", True), ("null", None), ("~", None), ("", None),
        ("yes", "yes"), ("on", "on"), ("no", "no"), ("017", "017"), ("8080:30", "8080:30"), ("1_000", "1_000"),
        ("2024-01-01", "2024-01-01"), ("'1'", "1"), ('"true"', "true"), ("!!str 1", "1"), (".inf", ".inf"), ("1e999", "1e999"),
        ("=", "="),
    ],
)  # fmt: skip
def test_core_schema(written: str, value: object) -> None:
    """Values follow YAML 1.2: no sexagesimal numbers, no dates, `no` is text."""
    data = read_document(f"a: {written}\n", "edge.yaml").data
    assert data == {"a": value}
    assert isinstance(data, dict)
    assert type(data["a"]) is type(value)


def test_lines_of_keys_items_and_values() -> None:
    """A place is the line of its value, or of its key where the value is a section."""
    document = read_document("a:\n  b: 1\nc:\n  - d\n  -\n    e:\n      2\n", "edge.yaml")
    places = {dotted(loc): line for loc, line in document.lines.items()}
    assert places == {"": 1, "a": 1, "a.b": 2, "c": 3, "c[0]": 4, "c[1]": 6, "c[1].e": 7}


def test_place_of_what_is_not_written() -> None:
    """A missing key is reported at the section it is missing from."""
    document = read_document("a:\n  b: 1\n", "edge.yaml")
    assert document.place(("a", "nowhere", 3)) == "edge.yaml:1"
    assert Document("edge.yaml").place(("a",)) == "edge.yaml"


def test_duplicate_keys_are_noted_and_the_first_counts() -> None:
    """Both lines are told."""
    document = read_document("a: 1\nb: 2\na: 3\n", "edge.yaml")
    (problem,) = document.problems
    assert (problem.place, problem.path) == ("edge.yaml:3", "a")
    assert problem.message == 'the key "a" is written twice; the first is on line 1'
    assert document.data == {"a": 1, "b": 2}


def test_merge_keeps_own_keys_and_prefers_the_earlier_source() -> None:
    """`<<` as the YAML merge type has it."""
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  <<: [*x, *y]\n  a: 0\nw: {<<: *x}\n"
    document = read_document(text, "edge.yaml")
    assert isinstance(document.data, dict)
    assert document.data["z"] == {"a": 0, "b": 1, "c": 2}
    assert document.data["w"] == {"a": 1, "b": 1}
    assert document.lines["z", "a"] == 5
    assert document.lines["z", "b"] == 1


def test_alias_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anchors of anchors expand within a budget: nine levels of nine would be 387 million values."""
    monkeypatch.setattr(document_module, "MAX_VALUES", 10_000)
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
    with pytest.raises(ProblemsError, match="more than 10000 values"):
        read_document(f"a0: &a0 [x]\n{levels}", "edge.yaml")


def test_merge_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Merging counts as well."""
    monkeypatch.setattr(document_module, "MAX_VALUES", 10_000)
    levels = "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 10))
    with pytest.raises(ProblemsError, match="more than 10000 values"):
        read_document(f"a0: &a0 {{k: x}}\n{levels}", "edge.yaml")


def test_a_chain_of_aliases_is_bounded_in_depth() -> None:
    """Each alias may be shallow and the whole deep."""
    chain = "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 2000))
    with pytest.raises(ProblemsError, match="nested deeper"):
        read_document(f"a0: &a0 [x]\n{chain}", "edge.yaml")


def test_json_with_tabs() -> None:
    """JSON may be indented with tabs."""
    assert read_document('{\n\t"a":\t[1,\t"b"]\n}', "edge.json").data == {"a": [1, "b"]}


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), _JSON, max_size=4))
def test_json_is_read_as_json_does(data: dict[str, object]) -> None:
    """JSON is YAML: whatever json.dumps writes reads back equal."""
    assert read_document(json.dumps(data), "edge.json").data == data
    assert read_document(json.dumps(data, indent="\t"), "edge.json").data == data


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r"\ud83d\ude00", "😀"),
        (r"\uD83D\uDE00", "😀"),
        (r"\\ud83d\\ude00", r"\ud83d\ude00"),
        (r"\\\ud83d\ude00", "\\😀"),
    ],
)
def test_json_surrogates(written: str, text: str) -> None:
    """JSON spells a character past U+FFFF in two halves."""
    assert read_document(f'{{"a": "{written}"}}', "edge.json").data == {"a": text}


def test_quoted() -> None:
    """Text in quotes, numbers bare, long values cut."""
    values: list[object] = ["a", 5, True, None, {}, [1]]
    assert [quoted(value) for value in values] == [
        '"a"',
        "5",
        "true",
        "null",
        "a mapping",
        "a list",
    ]
    assert len(quoted("x" * 1000)) <= 80


def test_printable() -> None:
    """A file cannot write escape codes to the operator's terminal."""
    assert printable("a\x1b[31mé") == r"a\x1b[31mé"
