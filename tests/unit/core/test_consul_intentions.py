"""Consul's answer about intentions, read."""

from __future__ import annotations

from typing import Any

import pytest

from edge.core.consul_identity import MeshService
from edge.core.consul_intentions import read_intentions
from edge.core.intention_http import HttpRequest, Permission
from edge.core.intentions import Intentions

WEB = {"SourceNS": "default", "SourceName": "web", "DestinationName": "edge", "Precedence": 9}


def read(*listed: dict[str, Any], default_allow: bool = False) -> Intentions:
    return read_intentions({"edge": list(listed) or None}, "edge", default_allow=default_allow)


def permission(http: dict[str, Any], action: str = "allow", **more: Any) -> Permission:
    (intention,) = read({**WEB, "Permissions": [{"Action": action, "HTTP": http, **more}]}).listed
    (found,) = intention.permissions
    return found


def test_an_answer_of_a_real_consul() -> None:
    """As 1.16 gives it."""
    known = read(
        {**WEB, "Action": "deny", "Description": "", "SourceType": "consul", "CreateIndex": 21, "ModifyIndex": 21},
        {**WEB, "SourceName": "*", "Action": "allow", "Precedence": 8, "SourcePartition": "default"},
        {**WEB, "SourceName": "p", "SourcePeer": "east", "Action": "allow"},
    )
    assert [str(each.source) for each in known.listed] == ["web", "p of east", "*"]
    assert [each.allows for each in known.listed] == [False, True, True]
    assert read().listed == ()
    assert read(default_allow=True).default_allow


@pytest.mark.parametrize(
    "body",
    [
        None, [], {}, {"a": [], "b": []}, {"edge": "x"}, {"edge": ["x"]}, {"edge": [{"Precedence": 9}]}, {"edge": [{"SourceName": "web"}]},
        {"edge": [{**WEB, "Permissions": "x"}]}, {"edge": [{**WEB, "Permissions": ["x"]}]},
    ],
)  # fmt: skip
def test_what_is_no_such_answer(body: Any) -> None:
    """Raises: the last good ones stay."""
    with pytest.raises(ValueError, match=r"."):
        read_intentions(body, "edge", default_allow=True)


def test_an_unknown_action_denies() -> None:
    """Nothing but `allow` allows."""
    assert not read({**WEB, "Action": "audit"}, default_allow=True).listed[0].allows
    assert not permission({"PathPrefix": "/"}, "Allow").allows


@pytest.mark.parametrize(
    ("http", "path", "fits"),
    [
        ({"PathExact": "/a"}, "/a", True), ({"PathExact": "/a"}, "/ab", False), ({"PathPrefix": "/a"}, "/ab", True),
        ({"PathRegex": "/a.*"}, "/abc", True), ({"PathRegex": "/a"}, "/ab", False), ({"PathRegex": "(a+)+$"}, "/", False),
        ({"PathPrefix": "/", "Methods": ["get"]}, "/", True), ({"PathPrefix": "/", "Methods": ["POST"]}, "/", False),
        ({"PathPrefix": "/", "Header": [{"Name": "X-A", "Exact": "1"}]}, "/", True),
        ({"PathPrefix": "/", "Header": [{"Name": "x-a", "Contains": "2"}]}, "/", False),
        ({"PathPrefix": "/", "Header": [{"Name": "x-a", "Suffix": "1", "Invert": True}]}, "/", False),
        ({"PathPrefix": "/", "Header": [{"Name": "x-a", "Present": True}]}, "/", True),
        ({"PathPrefix": "/", "Header": [{"Name": "x-a", "Regex": "[0-9]"}]}, "/", True),
        ({"PathPrefix": "/", "Header": [{"Name": "x-b", "Exact": "B", "IgnoreCase": True}]}, "/", True),
    ],
)  # fmt: skip
def test_conditions(http: dict[str, Any], path: str, fits: bool) -> None:
    """Each kind Consul has."""
    found = permission(http)
    assert not found.unknown
    assert found.fits(HttpRequest("GET", path, [(b"x-a", b"1"), (b"x-b", b"b")])) is fits


@pytest.mark.parametrize(
    "http",
    [
        {"PathRegex": "("}, {"PathRegex": "(?=a)"}, {"PathExact": "/", "PathPrefix": "/"}, {"PathGlob": "/*"}, "x", {"PathExact": 1},
        {"Header": [{"Name": "a"}]}, {"Header": [{"Name": "a", "Exact": "b", "Prefix": "b"}]}, {"Header": [{"Exact": "b"}]},
        {"Header": [{"Name": "a", "Glob": "b"}]},
        {"Header": [{"Name": "a", "Regex": "b", "IgnoreCase": True}]}, {"Header": ["x"]}, {"Header": [{"Name": "a", "Regex": "("}]},
    ],
)  # fmt: skip
def test_conditions_not_understood(http: Any) -> None:
    """Marked: they allow nothing, and deny what they may mean."""
    assert permission(http).unknown
    assert not permission(http).fits(HttpRequest("GET", "/"))
    assert permission({"Header": [{"Name": "a", "Glob": "b"}]}, "deny").fits(HttpRequest("GET", "/"))


def test_what_is_beside_http_and_not_known() -> None:
    """A condition of a later Consul on the permission itself; fields that say nothing are none."""
    assert permission({"PathPrefix": "/"}, Source={"IP": "10.0.0.0/8"}).unknown
    assert not permission({"PathPrefix": "/"}, Source=None).unknown


def test_tokens_are_seen_where_they_stand() -> None:
    """On the intention, and on a permission."""
    assert read({**WEB, "Action": "allow", "JWT": {"Providers": [{"Name": "okta"}]}}).listed[0].needs_token
    assert permission({"PathPrefix": "/"}, JWT={"Providers": [{"Name": "okta"}]}).needs_token


def test_enterprise_fields() -> None:
    """Namespace, partition and sameness group are read."""
    given = {**WEB, "SourceNS": "shop", "SourcePartition": "east", "Action": "allow"}
    known = read(given)
    assert known.about(MeshService("web", "dc1", "shop", "east")) is not None
    assert known.about(MeshService("web", "dc1", "shop")) is None
    assert read({**WEB, "SourceSamenessGroup": "all"}).listed[0].source.sameness_group == "all"


def test_a_line_feed_ends_no_expression() -> None:
    """A path may have an escaped one."""
    found = permission({"PathRegex": "/v1/secret/.*"}, "deny")
    assert found.fits(HttpRequest("GET", "/v1/secret/\n"))
