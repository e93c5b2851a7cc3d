"""SPIFFE IDs against the standard's rules, go-spiffe's cases, and the `spiffe` package as a second opinion."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spiffe import SpiffeId as TheirId
from spiffe.errors import PySpiffeError

from certs.spiffe import SpiffeId, SpiffeIdError, shown, trust_domain_fault

TRUST_DOMAIN_CHARACTERS = string.ascii_lowercase + string.digits + ".-_"
SEGMENT_CHARACTERS = string.ascii_letters + string.digits + ".-_"

# The rules of SPIFFE-ID.md section 2, case by case as go-spiffe's id_test.go tries them.
GOOD = [
    ("spiffe://trustdomain", "trustdomain", ""),
    ("spiffe://trustdomain/path", "trustdomain", "/path"),
    ("spiffe://trustdomain/.path", "trustdomain", "/.path"),
    ("spiffe://trustdomain/..path", "trustdomain", "/..path"),
    ("spiffe://trustdomain/...", "trustdomain", "/..."),
    ("spiffe://10.0.0.1/a", "10.0.0.1", "/a"),
    ("spiffe://under_score.test/a-b/C_d", "under_score.test", "/a-b/C_d"),
    ("spiffe://11111111-2222-3333-4444-555555555555.consul/ns/default/dc/dc1/svc/web",
     "11111111-2222-3333-4444-555555555555.consul", "/ns/default/dc/dc1/svc/web"),
]  # fmt: skip
BAD = [
    ("", "starts with"), ("s", "starts with"), ("spiffe:/", "starts with"), ("Spiffe://td/a", "starts with"),
    ("http://td/a", "starts with"),    ("spiffe:td/a", "starts with"), (" spiffe://td/a", "starts with"), ("spiffe://", "missing"),
    ("spiffe:///", "missing"),
    ("spiffe:///path", "missing"), ("spiffe://trustdomain/", "trailing slash"), ("spiffe://trustdomain//", "trailing slash"),
    ("spiffe://trustdomain//path", "empty segments"), ("spiffe://trustdomain/path/", "trailing slash"),
    ("spiffe://trustdomain/.", "segments . or .."), ("spiffe://trustdomain/./path", "segments . or .."),
    ("spiffe://trustdomain/path/./other", "segments . or .."), ("spiffe://trustdomain/path/..", "segments . or .."),
    ("spiffe://trustdomain/..", "segments . or .."), ("spiffe://trustdomain/../path", "segments . or .."),
    ("spiffe://trustdomain/path/../other", "segments . or .."), ("spiffe://%F0%9F%A4%AF/path", "made of a-z"),
    ("spiffe://trustdomain/%F0%9F%A4%AF", "percent-encoded"), ("spiffe://%62%61%64/path", "made of a-z"),
    ("spiffe://trustdomain/%62%61%64", "percent-encoded"), ("spiffe://td:80/a", "made of a-z"), ("spiffe://td:/a", "made of a-z"),
    ("spiffe://u@td/a", "made of a-z"), ("spiffe://u:p@td/a", "made of a-z"), ("spiffe://[::1]/a", "made of a-z"),
    ("spiffe://td/a?q", "made of letters"), ("spiffe://td/a#f", "made of letters"), ("spiffe://td?q", "made of a-z"),
    ("spiffe://td#f", "made of a-z"), ("spiffe://TD/a", "made of a-z"), ("spiffe://td/a\0b", "made of letters"),
    ("spiffe://td\0/a", "made of a-z"), ("spiffe://td/a\n", "made of letters"), ("spiffe://td\n/a", "made of a-z"),
    ("spiffe://td/é", "made of letters"), ("spiffe://tdé/a", "made of a-z"), ("spiffe://td/a b", "made of letters"),
    ("spiffe://td/spiffe://td/a", "made of letters"), ("spiffe://td/１", "made of letters"), ("spiffe://td\\a", "made of a-z"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "trust_domain", "path"), GOOD)
def test_what_the_standard_allows(text: str, trust_domain: str, path: str) -> None:
    """It is parsed into its two parts and written back as it came."""
    found = SpiffeId.parse(text)
    assert (found.trust_domain, found.path, str(found)) == (trust_domain, path, text)


@pytest.mark.parametrize(("text", "rule"), BAD)
def test_what_the_standard_forbids(text: str, rule: str) -> None:
    """It is refused, with the rule, and the text harmless in the message."""
    with pytest.raises(SpiffeIdError, match=rule.replace(".", r"\.")) as refused:
        SpiffeId.parse(text)
    assert str(refused.value).isprintable()
    assert str(refused.value).isascii()


def test_each_character() -> None:
    """All of Latin 1, in both parts, as go-spiffe tries them."""
    for number in range(256):
        character = chr(number)
        if character == "/":
            continue
        assert _is_id(f"spiffe://td{character}/path") == (character in TRUST_DOMAIN_CHARACTERS), character
        assert _is_id(f"spiffe://td/path{character}") == (character in SEGMENT_CHARACTERS), character


def test_lengths() -> None:
    """255 bytes of trust domain and 2048 in all, to the byte."""
    assert trust_domain_fault("t" * 255) is None
    assert "at most 255" in (trust_domain_fault("t" * 256) or "")
    longest = "spiffe://td/" + "p" * (2048 - len("spiffe://td/"))
    assert SpiffeId.parse(longest).path[1] == "p"
    with pytest.raises(SpiffeIdError, match="at most 2048"):
        SpiffeId.parse(longest + "p")


def test_a_lenient_reader_takes_scheme_and_trust_domain_in_any_case() -> None:
    """Section 2.4 lets a reader; the path keeps its case, and nothing else gets past."""
    assert SpiffeId.parse("SPIFFE://Td.Test/Path", lenient=True) == SpiffeId("td.test", "/Path")
    taken = [text for text, _ in BAD if _is_id(text, lenient=True)]
    assert taken == ["Spiffe://td/a", "spiffe://TD/a"]
    assert not _is_id("spiffe://td\u212a/a", lenient=True)  # the Kelvin sign: its lower case is an ASCII k


def test_an_id_cannot_be_made_wrong() -> None:
    """However it is made, an ID that exists is valid."""
    for trust_domain, path in (("", "/a"), ("td", "a"), ("td", "/"), ("td/a", "/b"), ("td", "/a%20b")):
        with pytest.raises(SpiffeIdError):
            SpiffeId(trust_domain, path)


def test_the_same_path() -> None:
    """What a lenient peer is compared by: not the trust domain, not the case."""
    assert SpiffeId("a.test", "/svc/Shop").same_path(SpiffeId("b.test", "/svc/shop"))
    assert not SpiffeId("a.test", "/svc/shop").same_path(SpiffeId("a.test", "/svc/shop2"))


def test_a_strangers_text_is_bounded() -> None:
    """A message stays one short line whatever a certificate says."""
    assert shown("a\nb\0é") == r"'a\nb\x00\xe9'"
    assert len(shown("x" * 100_000)) < 200


segments = st.text(SEGMENT_CHARACTERS, min_size=1, max_size=12).filter(lambda one: one not in {".", ".."})
ids = st.builds(
    lambda trust_domain, path: f"spiffe://{trust_domain}{''.join(f'/{one}' for one in path)}",
    st.text(TRUST_DOMAIN_CHARACTERS, min_size=1, max_size=40),
    st.lists(segments, max_size=6),
)


@given(ids)
def test_parse_and_write_are_inverse(text: str) -> None:
    """Every valid ID survives; the second opinion agrees on both parts."""
    ours, theirs = SpiffeId.parse(text), TheirId(text)
    assert (str(ours), ours.trust_domain, ours.path) == (text, theirs.trust_domain.name, theirs.path)


@given(ids, st.data())
def test_the_second_opinion_on_damaged_ids(text: str, data: st.DataObject) -> None:
    """
    What one character more, less or other makes of an ID is judged alike by both.

    Where they may differ we are the stricter: upper case in scheme and trust domain (their reader's licence, section 2.4), and a line
    break at an end, which their `$` overlooks.
    """
    place = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 1))
    put = data.draw(st.text(st.characters(max_codepoint=300) | st.sampled_from("/.:%@?#"), max_size=2))
    damaged = text[:place] + put + text[place + length :]
    ours, theirs = _is_id(damaged), _is_theirs(damaged)
    if ours != theirs:
        assert not ours
        authority = damaged.split("/", 3)[2] if damaged.count("/") > 2 else damaged
        assert authority.lower() != authority or damaged[:6] != "spiffe" or "\n" in damaged


def _is_id(text: str, *, lenient: bool = False) -> bool:
    try:
        SpiffeId.parse(text, lenient=lenient)
    except SpiffeIdError:
        return False
    return True


def _is_theirs(text: str) -> bool:
    try:
        TheirId(text)
    except PySpiffeError:
        return False
    return True
