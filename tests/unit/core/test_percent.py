"""Decoding of captured text, and the paths that are refused before matching (transcoding.md P5, X2)."""

from __future__ import annotations

import contextlib
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.percent import Decoding, PathEncodingError, decode, flaw

RESERVED = "!#$&'()*+,/:;=?@[]"


@pytest.mark.parametrize("code", range(0x7F))
@pytest.mark.parametrize("spelling", ["%{:02X}", "%{:02x}"])
def test_every_ascii_character_survives_its_escape(code: int, spelling: str) -> None:
    assert decode(spelling.format(code)) == chr(code)


@pytest.mark.parametrize("code", range(0x7F))
@pytest.mark.parametrize("spelling", ["%{:02X}", "%{:02x}"])
def test_reserved_characters_stay_escaped_as_they_were_written(code: int, spelling: str) -> None:
    escape = spelling.format(code)
    assert decode(escape, Decoding.EXCEPT_RESERVED) == (escape if chr(code) in RESERVED else chr(code))
    assert decode(escape, Decoding.EXCEPT_SLASH) == (escape if chr(code) == "/" else chr(code))


@pytest.mark.parametrize(
    ("text", "decoding", "decoded"),
    [
        ("a+b", Decoding.ALL, "a+b"),
        ("a%2Bb%20c", Decoding.ALL, "a+b c"),
        ("gr%C3%B6%c3%9fe", Decoding.ALL, "größe"),
        ("%F0%9F%93%9A", Decoding.EXCEPT_RESERVED, "📚"),
        ("a%2fb%2Fc%20d", Decoding.EXCEPT_SLASH, "a%2fb%2Fc d"),
        ("a%3Ab%2Fc%20d", Decoding.EXCEPT_RESERVED, "a%3Ab%2Fc d"),
        ("%252F", Decoding.ALL, "%2F"),
        ("a/b", Decoding.EXCEPT_RESERVED, "a/b"),
    ],
)
def test_decoding(text: str, decoding: Decoding, decoded: str) -> None:
    assert decode(text, decoding) == decoded


@pytest.mark.parametrize(
    "text", ["%", "%1", "%1g", "%g1", "a%", "%%41", "%-1", "% 1", "%\n", "%C3%28", "%FF", "%C0%AF", "%ED%A0%80"]
)
@pytest.mark.parametrize("decoding", Decoding)
def test_what_is_no_escape_or_no_utf8_is_an_error(text: str, decoding: Decoding) -> None:
    """Overlong forms and surrogates are no UTF-8 either."""
    with pytest.raises(PathEncodingError):
        decode(text, decoding)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_decoding_undoes_encoding(text: str) -> None:
    assert decode(quote(text, safe="")) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_that_keeps_its_reserved_characters_decodes_to_the_same_in_the_end(text: str) -> None:
    """What EXCEPT_RESERVED leaves can still be decoded by the service, unless a percent sign itself was escaped."""
    if "%" not in text:
        assert decode(decode(quote(text, safe=""), Decoding.EXCEPT_RESERVED)) == text


@given(st.text(), st.sampled_from(Decoding))
def test_decoding_fails_in_one_way_only(text: str, decoding: Decoding) -> None:
    """Lone surrogates, which a str may hold, included."""
    with contextlib.suppress(PathEncodingError):
        decode(text, decoding)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1/shelves/1",
        "/v1/a%2Fb",
        "/v1/a%5Cb",
        "/v1/line%0Abreak",
        "/v1/gr%C3%B6%C3%9Fe",
        "/v1/.well-known/x",
        "/v1/...",
        "/v1/..a/a../.a/a./a..b",
        "/v1/a;b=..",
        "/v1/%252e%252e/x",
        "/v1/a//b/",
        "/v1/x%3Fy",
        '/v1/{a}|^`<>"[]',
    ],
)
def test_a_path_with_one_meaning_is_in_order(path: str) -> None:
    assert flaw(path) is None


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "does not start"),
        ("*", "does not start"),
        ("v1/x", "does not start"),
        ("http://host/v1", "does not start"),
        ("/v1/a\\b", "may not stand"),
        ("/v1/a#b", "may not stand"),
        ("/v1/a b", "may not stand"),
        ("/v1/a\nb", "may not stand"),
        ("/v1/a\x00b", "may not stand"),
        ("/v1/a\x7fb", "may not stand"),
        ("/v1/größe", "may not stand"),
        ("/v1/a\n", "may not stand"),
        ("/v1/a%00b", "NUL"),
        ("/v1/%", "not an escape"),
        ("/v1/%zz", "not an escape"),
        ("/v1/%FF", "not UTF-8"),
        ("/v1/%C0%AE%C0%AE/x", "not UTF-8"),
        ("/..", "a segment"),
        ("/.", "a segment"),
        ("/v1/./x", "a segment"),
        ("/v1/../x", "a segment"),
        ("/v1/..", "a segment"),
        ("/v1/%2e%2e/x", "a segment"),
        ("/v1/%2E", "a segment"),
        ("/v1/.%2e", "a segment"),
        ("/v1/a%2F..%2Fb", "a segment"),
        ("/v1/..%2Fb", "a segment"),
        ("/v1/a%5c..%5cb", "a segment"),
        ("/v1/..%5cb", "a segment"),
        ("/v1/..;x=1/admin", "a segment"),
        ("/v1/..%3b/admin", "a segment"),
    ],
)
def test_a_path_that_others_may_read_otherwise_is_refused(path: str, reason: str) -> None:
    assert reason in (flaw(path) or "")


@given(st.text(alphabet="/.%2eEfF5cC;\\a\0", max_size=24).map(lambda tail: "/" + tail))
def test_a_path_in_order_decodes_to_one_without_traversal(path: str) -> None:
    if flaw(path) is None:
        text = decode(path)
        assert "\0" not in text
        assert not {".", ".."} & {part.partition(";")[0] for part in text.replace("\\", "/").split("/")}
