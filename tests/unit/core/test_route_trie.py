"""Matching: specificity, verbs, methods, captures, and its cost on hostile paths (transcoding.md P3 to P6, P8)."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable

import pytest

from edge.core.path_template import parse
from edge.core.percent import Decoding
from edge.core.route_trie import Entry, Found, NotFound, RouteTrie


def entry(rule: str, decoding: Decoding = Decoding.EXCEPT_RESERVED) -> Entry[str]:
    """The entry of `GET /a/{b}`; the rule itself is its value."""
    method, text = rule.split(" ")
    return Entry(method, parse(text), rule, decoding)


def trie(*rules: str) -> RouteTrie[str]:
    return RouteTrie([entry(rule) for rule in rules])


def get(rules: Iterable[str], path: str) -> tuple[str, ...] | None:
    """Template and captures of a GET, None when nothing matches."""
    found = RouteTrie([entry(f"GET {rule}") for rule in rules]).lookup("GET", path)
    return (found.value.removeprefix("GET "), *found.captures) if isinstance(found, Found) else None


@pytest.mark.parametrize(
    ("template", "path", "captures"),
    [
        ("/", "/", ()),
        ("/a/b", "/a/b", ()),
        ("/a/b", "/a", None),
        ("/a/b", "/a/b/c", None),
        ("/a/b", "/A/b", None),
        ("/a/*", "/a/x", ()),
        ("/a/*", "/a", None),
        ("/**", "/", ()),
        ("/**", "/a/b/c", ()),
        ("/{x=**}", "/", ("",)),
        ("/{x=**}", "/a/b/c", ("a/b/c",)),
        ("/*/**", "/", None),
        ("/*/**", "/a", ()),
        ("/a/{b}", "/a/x", ("x",)),
        ("/{shelf=100}", "/100", ("100",)),
        ("/{shelf=100}", "/101", None),
        ("/v1/{name=projects/*}", "/v1/projects/p", ("projects/p",)),
        ("/v1/{name=projects/*}", "/v1/projects/p/q", None),
        ("/{x.y.z=*/a/b}/c", "/q/a/b/c", ("q/a/b",)),
        ("/{a}/{b=*/x}/{c}", "/1/2/x/3", ("1", "2/x", "3")),
        ("/a/{b=c/**}/d/e", "/a/c/d/e", ("c",)),
        ("/a/{b=c/**}/d/e", "/a/c/1/2/d/e", ("c/1/2",)),
        ("/a/{b=c/**}/d/e", "/a/c/d", None),
        ("/a/{b=c/**}/d/e", "/a/c/e", None),
        ("/a/{b=c/**/d}/e:verb", "/a/c/d/e:verb", ("c/d",)),
        ("/a/{b=c/**/d}/e:verb", "/a/c/1/2/d/e:verb", ("c/1/2/d",)),
        ("/a/{b=**}/{c=x/y}/{d=z}", "/a/1/x/y/z", ("1", "x/y", "z")),
        ("/a/{b=**}/{c=x/y}/{d=z}", "/a/x/y/z", ("", "x/y", "z")),
        ("/{p}/a/**/{c=x}", "/1/a/2/3/x", ("1", "x")),
        ("/a/**/x", "/a/x", ()),
        ("/a/**/x", "/a/x/x/x", ()),
        ("/a/**/x/y", "/a/x", None),
        ("/a/**/x/x", "/a/x", None),
    ],
)
def test_a_template_matches_and_captures(template: str, path: str, captures: tuple[str, ...] | None) -> None:
    found = get([template], path)
    assert (found if found is None else found[1:]) == captures


@pytest.mark.parametrize("template", ["/a/b", "/a/*", "/a/{x}", "/a/**", "/**", "/a/{x=**}/b", "/*/{x}", "/{x=**}:v"])
@pytest.mark.parametrize("path", ["/a/", "/a/b/", "//", "//a/b", "/a//b", "/a/b//", "/a//", "/a/b:v/"])
def test_empty_segments_match_nothing(template: str, path: str) -> None:
    """Neither a trailing slash nor a double one is a segment, not even for `**`."""
    assert get([template], path) is None


@pytest.mark.parametrize(
    ("templates", "path", "winner"),
    [
        (["/a/b", "/a/*", "/a/**", "/**"], "/a/b", "/a/b"),
        (["/a/*", "/a/**", "/**"], "/a/b", "/a/*"),
        (["/a/**", "/**"], "/a/b", "/a/**"),
        (["/a/**", "/*/b"], "/a/b", "/a/**"),
        (["/a/*/c", "/a/b/*"], "/a/b/c", "/a/b/*"),
        (["/*/b", "/a/*"], "/a/b", "/a/*"),
        (["/a", "/a/**"], "/a", "/a"),
        (["/", "/**"], "/", "/"),
        (["/*/**", "/**/x"], "/x", "/*/**"),
        (["/a/**", "/a/**/x"], "/a/q/x", "/a/**/x"),
        (["/a/**/y", "/a/**/x/y"], "/a/q/x/y", "/a/**/x/y"),
        (["/a/**/y", "/a/**/x/y"], "/a/q/y", "/a/**/y"),
        (["/a/**/x", "/a/*/*"], "/a/b/x", "/a/*/*"),
        (["/a/**", "/a/b/**/y/z"], "/a/b/y/z", "/a/b/**/y/z"),
        (["/a/**", "/a/b/**/y/z"], "/a/b/1/2/y/z", "/a/b/**/y/z"),
        (["/a/**", "/a/b/**/y/z"], "/a/b/y", "/a/**"),
        (["/a/b/c", "/a/*/d", "/*/b/e"], "/a/b/d", "/a/*/d"),
        (["/a/b/c", "/a/*/d", "/*/b/e"], "/a/b/e", "/*/b/e"),
        (["/a/b/c/d", "/*/*/*/*/e", "/**"], "/a/b/c/d/f", "/**"),
        (["/a/{x}:v", "/a/b"], "/a/b:v", "/a/{x}:v"),
        (["/a/b:v", "/a/{x}:v", "/**:v"], "/a/b:v", "/a/b:v"),
    ],
)
def test_the_most_specific_wins_in_any_order_of_registration(templates: list[str], path: str, winner: str) -> None:
    """Segment by segment literal before `*` before `**`, going back when the more specific one leads nowhere."""
    for order in itertools.permutations(templates):
        assert (get(order, path) or ("",))[0] == winner


PERSONS = ["/person", "/person/{id}", "/{x=**}:verb"]


@pytest.mark.parametrize(
    ("templates", "path", "found"),
    [
        (PERSONS, "/person:verb", ("/{x=**}:verb", "person")),
        (PERSONS, "/person/jason:verb", ("/{x=**}:verb", "person/jason")),
        (PERSONS, "/person/jason", ("/person/{id}", "jason")),
        (PERSONS, "/person/jason:other", ("/person/{id}", "jason:other")),
        (PERSONS, "/person/jason%3Averb", ("/person/{id}", "jason:verb")),
        (PERSONS, "/person:other", None),
        (["/{x}/{y}:verb"], "/some:verb/const:verb", ("/{x}/{y}:verb", "some:verb", "const")),
        (["/{x}/{y}:verb"], "/a:verb/b", None),
        (["/v1/{x}:verb"], "/v1/x:verb/", None),
        (["/v1/{x}:verb"], "/v1/x:verb", ("/v1/{x}:verb", "x")),
        (["/v1/{x}:verb"], "/v1/a:b:verb", ("/v1/{x}:verb", "a:b")),
        (["/v1/{x}:verb"], "/v1/a:ver%62", ("/v1/{x}:verb", "a")),
        (["/v1/{x}:verb"], "/v1/a%20b:verb", ("/v1/{x}:verb", "a b")),
        (["/v1/{x}:a%20b"], "/v1/x:a%20b", ("/v1/{x}:a%20b", "x")),
        (["/v1/a:a%20b"], "/v1/a:a%20b", ("/v1/a:a%20b",)),
        (["/v1/{x}:custom:custom"], "/v1/foo:bar:custom:custom", ("/v1/{x}:custom:custom", "foo:bar")),
        (["/v1/{x}:custom:custom"], "/v1/foo:custom", None),
        (["/v1/{x}:c", "/v1/{x}:c:c"], "/v1/a:c:c", ("/v1/{x}:c:c", "a")),
        (["/v1/{x}:c", "/v1/{x}:c:c"], "/v1/a:b:c", ("/v1/{x}:c", "a:b")),
        (["/books/{b}:other", "/person/{id}"], "/person/j:other", ("/person/{id}", "j:other")),
        (["/a/{x}:v", "/a/{x}"], "/a/:v", ("/a/{x}", ":v")),
        (["/a/{x}:v", "/{y=**}:v"], "/a/:v", None),
        (["/a/{x}:v", "/a/{x}"], "/a/b:", ("/a/{x}", "b:")),
    ],
)
def test_only_verbs_registered_for_the_path_are_split_off(
    templates: list[str], path: str, found: tuple[str, ...] | None
) -> None:
    assert get(templates, path) == found


def test_a_verb_that_exists_for_another_method_is_still_a_verb() -> None:
    """GET on a POST-only verb is 405, not a GET of a resource with a colon in its name."""
    routes = trie("POST /v1/{x}:run", "GET /v1/{x}")
    assert routes.lookup("GET", "/v1/a:run") == NotFound(("POST",))


@pytest.mark.parametrize(
    ("rules", "method", "path", "winner"),
    [
        (["GET /a/b", "POST /a/{x}"], "POST", "/a/b", "POST /a/{x}"),
        (["GET /a/{x}", "POST /a/{x}"], "POST", "/a/b", "POST /a/{x}"),
        (["* /a/{x}", "POST /a/{x}"], "POST", "/a/b", "POST /a/{x}"),
        (["* /a/{x}", "POST /a/{x}"], "PUT", "/a/b", "* /a/{x}"),
        (["* /a/b", "POST /a/{x}"], "POST", "/a/b", "* /a/b"),
        (["LINK /a/{x}"], "LINK", "/a/b", "LINK /a/{x}"),
        (["OPTIONS /a/{x}", "TRACE /a/{x}"], "TRACE", "/a/b", "TRACE /a/{x}"),
        (["GET /a/{x}"], "HEAD", "/a/b", "GET /a/{x}"),
        (["GET /a/b"], "HEAD", "/a/b", "GET /a/b"),
        (["GET /a/{x}", "HEAD /a/{x}"], "HEAD", "/a/b", "HEAD /a/{x}"),
        (["HEAD /a/{x}", "GET /a/{x}"], "HEAD", "/a/b", "HEAD /a/{x}"),
        (["* /a/{x}", "GET /a/{x}"], "HEAD", "/a/b", "GET /a/{x}"),
        (["HEAD /a/**", "GET /a/{x}"], "HEAD", "/a/b", "GET /a/{x}"),
    ],
)
def test_the_method_is_part_of_the_match(rules: list[str], method: str, path: str, winner: str) -> None:
    found = trie(*rules).lookup(method, path)
    assert isinstance(found, Found)
    assert found.value == winner


@pytest.mark.parametrize(
    ("rules", "method", "path", "allow"),
    [
        (["GET /a/{x}", "PUT /a/{x}"], "POST", "/a/b", ("GET", "HEAD", "PUT")),
        (["POST /a/b", "PUT /a/{x}", "DELETE /**", "PATCH /c"], "GET", "/a/b", ("DELETE", "POST", "PUT")),
        (["POST /a/b:v", "PUT /a/**:v", "DELETE /a/b"], "GET", "/a/b:v", ("POST", "PUT")),
        (["POST /a"], "post", "/a", ("POST",)),
        (["POST /a"], "POST", "/b", ()),
        (["GET /a"], "GET", "/", ()),
        ([], "GET", "/", ()),
        ([], "GET", "/a", ()),
    ],
)
def test_a_path_without_the_method_tells_which_methods_it_has(
    rules: list[str], method: str, path: str, allow: tuple[str, ...]
) -> None:
    assert trie(*rules).lookup(method, path) == NotFound(allow)


@pytest.mark.parametrize("code", range(0x7F))
@pytest.mark.parametrize("spelling", ["%{:02X}", "%{:02x}"])
def test_every_ascii_character_round_trips_in_a_single_segment(code: int, spelling: str) -> None:
    assert get(["/a/{x}/c"], f"/a/{spelling.format(code)}/c") == ("/a/{x}/c", chr(code))


@pytest.mark.parametrize(
    ("decoding", "capture"),
    [
        (Decoding.EXCEPT_RESERVED, "p/a%2fb%2F%3Ac d+é"),
        (Decoding.EXCEPT_SLASH, "p/a%2fb%2F:c d+é"),
        (Decoding.ALL, "p/a/b/:c d+é"),
    ],
)
def test_several_segments_are_decoded_in_the_entry_s_mode(decoding: Decoding, capture: str) -> None:
    for template in ("/{x=p/*}", "/{x=**}"):
        routes = RouteTrie([entry(f"GET {template}", decoding)])
        assert routes.lookup("GET", "/p/a%2fb%2F%3Ac%20d+%C3%A9") == Found(f"GET {template}", (capture,))


def test_literals_match_however_they_are_encoded() -> None:
    assert get(["/a%20b/%C3%B6"], "/%61%20b/%c3%b6") == ("/a%20b/%C3%B6",)
    assert get(["/a%2Fb"], "/a%2fb") == ("/a%2Fb",)
    assert get(["/a%2Fb"], "/a/b") is None
    assert get(["/a/b"], "/a%2Fb") is None
    assert get(["/%2A"], "/x") is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("GET /a/{x}", "GET /a/{y}"),
        ("GET /a/{x}", "GET /a/*"),
        ("GET /a/{x=b/*}", "GET /a/b/{y}"),
        ("GET /a/**", "GET /a/{x=**}"),
        ("GET /a/**/c/d", "GET /a/{x=**/c}/d"),
        ("GET /a:v", "GET /a:%76"),
        ("GET /%61", "GET /a"),
        ("* /a", "* /a"),
    ],
)
def test_equal_methods_and_shapes_are_duplicates_and_the_first_is_served(first: str, second: str) -> None:
    entries = [entry(first), entry(second)]
    routes = RouteTrie(entries)
    assert [(a is entries[0], b is entries[1]) for a, b in routes.duplicates] == [(True, True)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("GET /a/{x}", "POST /a/{x}"),
        ("GET /a/{x}", "* /a/{x}"),
        ("GET /a/{x}", "HEAD /a/{x}"),
        ("GET /a", "GET /a:v"),
        ("GET /a/*", "GET /a/**"),
        ("GET /a/**", "GET /a/**/b"),
        ("GET /a/b", "GET /a%2Fb"),
    ],
)
def test_other_methods_and_shapes_are_no_duplicates(first: str, second: str) -> None:
    assert trie(first, second).duplicates == ()


@pytest.mark.parametrize(
    "path",
    [
        "/a" + "/" * 64_000,
        "/a" + "/b" * 64_000,
        "/a" + "/x" * 64_000,
        "/a" + "/b" * 64_000 + "/x",
        "/a" + "/b" * 64_000 + ":v:v",
        "/a/b" + ":v" * 64_000,
        "/a/b" + ":" * 64_000,
        "/a" + "/%62" * 20_000,
    ],
    ids=["slashes", "segments", "nearly", "match", "verb", "verbs", "colons", "escapes"],
)
def test_a_hostile_path_costs_no_more_than_reading_it(path: str) -> None:
    """
    64,000 slashes under `/a/**/x` neither overflow nor take more than a few milliseconds.

    CPU time, the best of three, with a bound that leaves room for a slow machine: a quadratic search takes seconds.
    """
    rules = ["/a/**/x", "/a/**/x/x", "/**/x", "/a/*/**/y", "/*/*/*/**", "/a/{z=**}:v", "/a/{z}:v:w"]
    routes = trie(*(f"POST {rule}" for rule in rules), *(f"GET /a{'/b' * depth}/**/x" for depth in range(2, 20)))
    spent = []
    for _ in range(3):
        started = time.process_time()
        routes.lookup("DELETE", path)
        spent.append(time.process_time() - started)
    assert min(spent) < 0.1


def test_a_table_of_forks_is_searched_once_per_node() -> None:
    """Every segment may be a literal or `*`: 4,096 templates match one path, and none is visited twice."""
    forks = ["/" + "/".join(choice) + "/end" for choice in itertools.product("a*", repeat=12)]
    routes = trie(*(f"GET {fork}" for fork in forks))
    started = time.process_time()
    assert routes.lookup("POST", "/a" * 12 + "/end") == NotFound(("GET", "HEAD"))
    assert routes.lookup("GET", "/a" * 12 + "/other") == NotFound(())
    assert time.process_time() - started < 0.5
