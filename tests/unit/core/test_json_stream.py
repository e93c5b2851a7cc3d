"""Streams of JSON texts, cut where the texts end, however the bytes arrive."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.json_stream import JsonSplitter, JsonStreamError


def split(*pieces: bytes, array: bool = True, max_bytes: int = 1000, max_depth: int = 5) -> list[bytes]:
    splitter = JsonSplitter(max_bytes, max_depth, array=array)
    return [text for piece in pieces for text in splitter.feed(piece)] + list(splitter.finish())


def single(data: bytes) -> Iterable[bytes]:
    return (data[i : i + 1] for i in range(len(data)))


CASES = [
    (b"", []),
    (b" \r\n\t", []),
    (b"[]", []),
    (b" [ ] \n", []),
    (b'[{"a":1},{"a":2}]', [b'{"a":1}', b'{"a":2}']),
    (
        b' [ {"a" : [1, {"b":"]"}]} ,\n"x,]" , 1 , null,[ ]]',
        [b'{"a" : [1, {"b":"]"}]}', b'"x,]"', b"1", b"null", b"[ ]"],
    ),
    (b'{"a":1}\n{"a":2}\n', [b'{"a":1}', b'{"a":2}']),
    (b'{"a":1}{"a":2}', [b'{"a":1}', b'{"a":2}']),
    (b'{"a":\n1}\r\n\r\n {"b":2}', [b'{"a":\n1}', b'{"b":2}']),
    (b"1 2\n3", [b"1", b"2", b"3"]),
    (b'"a""b" true', [b'"a"', b'"b"', b"true"]),
    (b'{"a":"\\"}"}{"b":"\\\\"}', [b'{"a":"\\"}"}', b'{"b":"\\\\"}']),
    (b'"\\"" "\\\\"', [b'"\\""', b'"\\\\"']),
    ('["ä€😀"]'.encode(), ['"ä€😀"'.encode()]),
]


@pytest.mark.parametrize(("data", "texts"), CASES)
def test_texts(data: bytes, texts: list[bytes]) -> None:
    """Whole, and a byte at a time."""
    assert split(data) == texts
    assert split(*single(data)) == texts


def test_without_array_a_bracket_begins_a_text() -> None:
    """Lines whose texts are arrays themselves."""
    assert split(b"[1,2]\n[3]\n", array=False) == [b"[1,2]", b"[3]"]


def test_a_text_leaves_with_its_last_byte() -> None:
    """Nobody waits for the next text, or for a line's end, to get this one."""
    splitter = JsonSplitter(1000, 5, array=True)
    assert list(splitter.feed(b'[{"a":1')) == []
    assert list(splitter.feed(b"}")) == [b'{"a":1}']
    assert list(splitter.feed(b',"x"')) == [b'"x"']


def _split_into(got: list[bytes], splitter: JsonSplitter, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        got.extend(splitter.feed(piece))
    got.extend(splitter.finish())


@pytest.mark.parametrize(
    ("data", "texts", "why"),
    [
        (b'[{"a":1}', 1, "is cut short"),
        (b"[", 0, "is cut short"),
        (b"[1,", 1, "is cut short"),
        (b"[1", 0, "is cut short"),
        (b'{"a":', 0, "is cut short"),
        (b'"abc', 0, "is cut short"),
        (b"[1,]", 1, "is missing"),
        (b"[,1]", 0, "is missing"),
        (b"[1 2]", 1, "without a comma"),
        (b"[1]2", 1, "follows the end of the array"),
        (b'{"a":1},{"a":2}', 1, "is missing"),
        (b"]", 0, "is missing"),
        (b"}", 0, "is missing"),
        (b"[[[[[[1]]]]]]", 0, "too deep"),
        (b'[1,"' + bytes(1000), 1, "larger than 1000 bytes"),
        (b"{}" + b"9" * 1001, 1, "larger than 1000 bytes"),
    ],
)
def test_what_cannot_be_cut(data: bytes, texts: int, why: str) -> None:
    """The texts before it are given all the same."""
    for pieces in ([data], single(data)):
        splitter = JsonSplitter(1000, 4, array=True)
        got: list[bytes] = []
        with pytest.raises(JsonStreamError, match=why) as caught:
            _split_into(got, splitter, pieces)
        assert len(got) == texts
        assert caught.value.too_large == ("larger" in why)


def test_a_text_may_be_exactly_as_large_as_allowed() -> None:
    text = b'"' + b"x" * 998 + b'"'
    assert split(text + text) == [text, text]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
SPACE = st.text(" \t\r\n", max_size=3)


@given(st.lists(st.tuples(JSON, SPACE)), st.booleans(), st.booleans(), st.lists(st.integers(0, 400), max_size=8))
def test_any_values_however_they_are_cut(
    values: list[tuple[object, str]], array: bool, ascii_only: bool, cuts: list[int]
) -> None:
    """Joined, cut anywhere and split again, they are the same."""
    texts = [json.dumps(value, ensure_ascii=ascii_only) for value, _ in values]
    if array:
        data = ("[" + ",".join(space + text for text, (_, space) in zip(texts, values, strict=True)) + "]").encode()
    else:
        data = "".join(f"{space}{text}\n" for text, (_, space) in zip(texts, values, strict=True)).encode()
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    pieces = [data[a:b] for a, b in pairwise(places)]
    assert split(*pieces, array=array, max_bytes=10**6, max_depth=50) == [text.encode() for text in texts]


@pytest.mark.parametrize(
    "text", [b'"' + b"x" * 200_000 + b'"', b'"' + b"\\n" * 100_000 + b'"', b"[" + b"1," * 100_000 + b"1]"]
)
def test_the_work_does_not_depend_on_the_pieces(text: bytes) -> None:
    """A byte at a time is slower by the calls it takes, not by looking at the beginning again and again."""
    started = time.process_time()
    assert split(*single(text), array=False, max_bytes=10**6) == [text]
    assert time.process_time() - started < 5
