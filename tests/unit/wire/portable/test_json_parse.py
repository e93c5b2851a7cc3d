"""Strict JSON."""

from __future__ import annotations

import json
import math
import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.wire.portable.json_parse import parse_json, refuse_deeper
from edge.wire.portable.misfit import Misfit


@pytest.mark.parametrize(
    ("body", "offset"),
    [
        (b"\xc3\x28", 0),
        (b'{"a": "\xff"}', 7),
        (b'"\xed\xa0\x80"', 1),
        (b"\xef\xbb\xbf{}", 0),
        (b'{"a": "\\ud800"}', 7),
        (b'"x\\ude00\\ud83d"', 2),
        (b'"\\ud83d\\ud83d\\ude00"', 1),
        (b"{} x", 3),
        (b"{}{}", 2),
        (b"", 0),
        (b"[1,]", 3),
        (b'{"a":1,}', 7),
        (b"'a'", 0),
        (b"01", 1),
        (b"[1.]", 2),
        (b'"\x01"', 1),
        (b'"\\x"', 1),
        (b"nul", 0),
        (b"{1:2}", 1),
    ],
)
def test_refused_with_the_offset(body: bytes, offset: int) -> None:
    """B6: trailing garbage, invalid UTF-8, lone surrogates, BOM and bad grammar are refused where they stand."""
    with pytest.raises(Misfit) as caught:
        parse_json(body)
    assert caught.value.offset is not None
    assert abs(caught.value.offset - offset) <= 1


def test_a_byte_order_mark_is_called_by_its_name() -> None:
    """B6: a BOM is invisible in most editors, so the message must say it."""
    with pytest.raises(Misfit, match="byte order mark"):
        parse_json(b"\xef\xbb\xbf{}")


@pytest.mark.parametrize("body", [b"NaN", b"[Infinity]", b'{"a":-Infinity}'])
def test_constants_are_no_json(body: bytes) -> None:
    with pytest.raises(Misfit, match="as a string"):
        parse_json(body)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b'{"a":1,"a":1}', "a"),
        (b'{"x":{"y":[0,{"a":1,"b":2,"\\u0061":3}]}}', "x.y[1].a"),
        (b'[{"":1,"":2}]', "[0]."),
        (b'{"a":{"b":1,"b":2},"c":1}', "a.b"),
    ],
)
def test_duplicate_keys_are_refused_with_their_place(body: bytes, path: str) -> None:
    """B6: a key twice in one object is refused, whatever its spelling; the field is named."""
    with pytest.raises(Misfit, match="twice") as caught:
        parse_json(body)
    assert caught.value.path == path


def test_what_is_no_json_is_refused_as_that_even_behind_a_duplicate_key() -> None:
    for body in (b'{"a":1,"a":1} x', b'[{"a":1,"a":1},]', b'[{"a":1,"a":1},NaN]'):
        with pytest.raises(Misfit, match="invalid JSON"):
            parse_json(body)


def test_the_place_of_a_duplicate_key_costs_no_more_than_the_body() -> None:
    """A long key over many others is not spelled out for each of them (it took 100 GB), nor in full in the refusal."""
    fields = b",".join(b'"%d":[]' % number for number in range(20_000))
    tracemalloc.start()
    try:
        with pytest.raises(Misfit, match="twice") as caught:
            parse_json(b'{"%s":{%s,"x":{"a":1,"a":1}}}' % (b"k" * 10**5, fields))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.path.endswith(".x.a")
    assert len(caught.value.path) < 200
    assert peak_bytes < 50 * 1024 * 1024


def test_escaped_backslash_before_u_is_text() -> None:
    assert parse_json(b'"\\\\ud800"') == "\\ud800"


def test_surrogate_pairs_are_one_character() -> None:
    assert parse_json(b'"\\ud83d\\ude00"') == "\U0001f600"


@pytest.mark.parametrize(
    "body",
    [
        b"1" * 10**6,
        b'{"a":' + b"9" * 10**6 + b"}",
        b"[" * 10**5,
        b"[" * 10**6,
        b'{"a":' * 10**5,
        b"[" * 10**5 + b"]" * 10**5,
        b'[{"a":' * 10**5 + b'{"b":1,"b":1}' + b"}]" * 10**5,
    ],
    ids=["digits", "digits in field", "arrays", "more arrays", "objects", "closed arrays", "mixed"],
)
def test_large_nonsense_is_refused_cheaply(body: bytes) -> None:
    """B6, R21: a megabyte of digits, or 10^5 to 10^6 levels, costs a few milliseconds at most."""
    best = math.inf
    for _ in range(5):
        started = time.thread_time()
        with pytest.raises(Misfit):
            parse_json(body)
        best = min(best, time.thread_time() - started)
    print(f"{best * 1e3:.2f} ms for {len(body)} bytes")
    assert best < 0.1  # the figure printed is a few ms; the bound only tells linear from quadratic


def test_depth_is_counted_in_containers() -> None:
    refuse_deeper([[{}]], 3)
    with pytest.raises(Misfit, match="too deep"):
        refuse_deeper([[{}]], 2)


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(_JSON, st.booleans())
def test_valid_json_reads_as_the_standard_library_reads_it(value: Any, ascii_only: bool) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value
