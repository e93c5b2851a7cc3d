"""Who may call us: precedence, permissions, defaults. Held to Consul's own verdicts in tests/consul/test_intentions_of_consul.py."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.consul_identity import MeshService
from edge.core.intention_http import HttpRequest, Permission, TextMatch
from edge.core.intentions import Intention, Intentions, Source, in_order

WEB = MeshService("web", "dc1")
ROOT = HttpRequest("GET", "/")


def intentions(*listed: Intention, default_allow: bool = False) -> Intentions:
    return Intentions("edge", in_order(listed), default_allow)


def intention(name: str, precedence: int, *permissions: Permission, allows: bool = False, **more: bool) -> Intention:
    return Intention(Source(name), "edge", precedence, allows, permissions, **more)


def permission(path: str, *, allows: bool, needs_token: bool = False) -> Permission:
    return Permission(allows=allows, path=TextMatch("prefix", path), needs_token=needs_token)


@pytest.mark.parametrize(
    ("source", "named"),
    [
        (Source("web"), True), (Source("*"), True), (Source("api"), False), (Source("Web"), False),
        (Source("web", namespace="other"), False), (Source("web", namespace="*"), True), (Source("web", partition="other"), False),
        (Source("web", partition="Default"), True), (Source("web", peer="east"), False), (Source("*", peer="east"), False),
        (Source("web", partition="other", sameness_group="all"), True),
    ],
)  # fmt: skip
def test_whom_a_source_names(source: Source, named: bool) -> None:
    """Name, namespace and partition; nobody of a peer can be called by; a sameness group may mean any partition."""
    assert source.names(WEB) is named


def test_the_datacenter_does_not_count() -> None:
    """As in Consul, whose filter leaves it open."""
    assert Source("web").names(MeshService("web", "elsewhere"))


def test_the_most_exact_intention_decides() -> None:
    """Whatever order they are told in."""
    known = intentions(intention("*", 8, allows=True), intention("web", 9))
    assert known.of_request(WEB, ROOT).allowed is False
    assert known.of_request(MeshService("api", "dc1"), ROOT).allowed is True
    assert known.of_request(WEB, ROOT).reason == "the intention web => edge denies it"


@pytest.mark.parametrize("default_allow", [False, True])
def test_what_nothing_speaks_of_is_for_the_default(default_allow: bool) -> None:
    """A caller that no intention names, a request that no permission of its intention names."""
    known = intentions(intention("web", 9, permission("/a", allows=not default_allow)), default_allow=default_allow)
    assert known.of_request(MeshService("api", "dc1"), ROOT).allowed is default_allow
    assert known.of_request(WEB, HttpRequest("GET", "/b")).allowed is default_allow
    assert known.of_request(WEB, HttpRequest("GET", "/a")).allowed is not default_allow


def test_the_first_permission_that_fits_decides() -> None:
    """In the order in which they are written; the reason says which."""
    known = intentions(intention("web", 9, permission("/a/b", allows=False), permission("/a", allows=True)))
    assert known.of_request(WEB, HttpRequest("GET", "/a/c")).allowed
    denied = known.of_request(WEB, HttpRequest("GET", "/a/b"))
    assert (denied.allowed, denied.reason) == (False, "permission 1 of the intention web => edge denies it")


@pytest.mark.parametrize("path", ["/admin", "/%61dmin", "/adm%69n", "/%61%64%6D%69%6e"])
def test_a_path_is_denied_in_each_of_its_spellings(path: str) -> None:
    """A route behind takes them for the same."""
    known = intentions(intention("web", 9, permission("/admin", allows=False), permission("/", allows=True)))
    assert not known.of_request(WEB, HttpRequest("GET", path)).allowed


@pytest.mark.parametrize("path", ["/a%2Fb", "/%2561dmin", "/%zz", "/a"])
def test_a_path_is_allowed_in_both_spellings(path: str) -> None:
    """Escapes are decoded once, and one that is none is left to the route."""
    known = intentions(intention("web", 9, permission("/admin", allows=False), permission("/", allows=True)))
    assert known.of_request(WEB, HttpRequest("GET", path)).allowed
    only_raw = intentions(intention("web", 9, permission("/a%2Fb", allows=True)))
    assert not only_raw.of_request(WEB, HttpRequest("GET", "/a%2Fb")).allowed


def test_what_is_not_supported_is_denied_with_its_reason() -> None:
    """A token that nobody looks at, a group nobody knows the members of."""
    token = intentions(intention("web", 9, allows=True, needs_token=True), default_allow=True).of_request(WEB, ROOT)
    group = intentions(Intention(Source("web", sameness_group="all"), "edge", 9, allows=True)).of_request(WEB, ROOT)
    own = intentions(intention("web", 9, permission("/", allows=True, needs_token=True)), default_allow=True)
    around = intentions(intention("web", 9, permission("/a", allows=True), needs_token=True), default_allow=True)
    for decision in (token, own.of_request(WEB, ROOT), around.of_request(WEB, ROOT)):
        assert not decision.allowed
        assert "JSON web token, which is not supported" in decision.reason
    assert not around.of_request(WEB, HttpRequest("GET", "/a")).allowed
    assert not group.allowed
    assert "sameness groups are not supported" in group.reason


def test_who_may_never_call() -> None:
    """One that no request can be allowed of."""
    assert not intentions(intention("web", 9)).may_ever(WEB)
    assert not intentions(intention("web", 9, permission("/", allows=False))).may_ever(WEB)
    assert intentions(intention("web", 9, permission("/", allows=False)), default_allow=True).may_ever(WEB)
    assert intentions(intention("web", 9, permission("/", allows=True))).may_ever(WEB)
    assert intentions(default_allow=True).may_ever(WEB)


@given(st.permutations([("web", 9), ("*", 8), ("web", 6), ("*", 5)]), st.lists(st.booleans(), min_size=4, max_size=4))
def test_order_of_telling_changes_nothing(order: list[tuple[str, int]], actions: list[bool]) -> None:
    """Only precedence does."""
    allows = dict(zip((9, 8, 6, 5), actions, strict=True))
    known = intentions(*(intention(name, number, allows=allows[number]) for name, number in order))
    assert known.of_request(WEB, ROOT).allowed is allows[9]
    assert known.of_request(MeshService("api", "dc1"), ROOT).allowed is allows[8]


@pytest.mark.parametrize(
    ("denied", "path"),
    [
        (TextMatch("regex", "/v1/[^/]+/secret", pattern=re.compile("/v1/[^/]+/secret")), "/v1/a%2Fb/%73ecret"),
        (TextMatch("exact", "/v1/a%2Fb"), "/v1/%61%2Fb"),
        (TextMatch("exact", "/v1/a%2Fb"), "/v1/a%2fb"),
        (TextMatch("exact", "/v1/a%2fb"), "/v1/%61%2Fb"),
    ],
)
def test_an_escaped_slash_leads_past_no_denial(denied: TextMatch, path: str) -> None:
    """The route decodes the rest of the segment: so does the decision, with the slash in either spelling."""
    known = intentions(intention("web", 9, Permission(allows=False, path=denied)), default_allow=True)
    assert not known.of_request(WEB, HttpRequest("GET", path)).allowed
    assert known.of_request(WEB, HttpRequest("GET", "/v1/open")).allowed
