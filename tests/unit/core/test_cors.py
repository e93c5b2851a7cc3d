"""Which origins are allowed, and what browsers are told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.cors import CorsRules, OriginError, pattern

APP = "https://app.example.com"


@pytest.mark.parametrize(
    ("written", "origin", "allowed"),
    [
        (APP, APP, True),
        (APP, "HTTPS://App.Example.com", True),
        ("HTTPS://App.Example.com/", APP, True),
        (APP, "http://app.example.com", False),
        (APP, "https://app.example.com:8443", False),
        (APP + ":443", APP, True),
        ("http://app.example.com:80", "http://app.example.com", True),
        ("https://app.example.com:80", APP, False),
        (APP + ":8443", APP + ":8443", True),
        (APP, APP + ".evil.example", False),
        (APP, APP + ", https://evil.example", False),
        ("https://*.example.com", APP, True),
        ("https://*.example.com", "https://a.b.example.com", True),
        ("https://*.example.com", "https://example.com", False),
        ("https://*.example.com", "https://evilexample.com", False),
        ("https://*.example.com", "https://evil.example/.example.com", False),
        ("https://*.example.com", "https://evil@a.example.com", False),
        ("https://*.example.com", "https://a.example.com:8443", False),
        ("https://*.example.com:8443", "https://a.example.com:8443", True),
        ("https://*.example.com", "http://a.example.com", False),
        (r"re:https://pr-\d+\.example\.com", "https://pr-12.example.com", True),
        (r"re:https://pr-\d+\.example\.com", "https://pr-12.example.com.evil.example", False),
        (r"re:https://pr-\d+\.example\.com", "xhttps://pr-12.example.com", False),
        ("re:.*", "null", False),
        ("re:.*", "https://" + "a" * 300, False),
        ("null", "null", True),
        (APP, "null", False),
        ("*", "https://anyone.example", True),
        ("*", "null", True),
        ("http://[::1]:3000", "http://[::1]:3000", True),
        (APP, "*", False),
        (APP, "", False),
    ],
)
def test_origins(written: str, origin: str, allowed: bool) -> None:
    """Whole origins, scheme and host without regard to case, the port exactly."""
    assert CorsRules((written,)).allows(origin) is allowed


@pytest.mark.parametrize(
    "written",
    [
        "app.example.com",
        "https://",
        "https://*",
        "https://a*.example.com",
        "https://a.com/x",
        "re:(",
        "",
        "https://a.com:99999999",
    ],
)
def test_what_is_no_origin(written: str) -> None:
    with pytest.raises(OriginError) as refused:
        pattern(written)
    assert refused.value.fix


@pytest.mark.parametrize("written", ["re:https://(a+)+", "re:https://([a-z]*)*x", "re:((a{2,})){3,}"])
def test_patterns_that_take_for_ever_are_refused(written: str) -> None:
    """One origin of 260 characters would keep a worker busy for ages."""
    with pytest.raises(OriginError, match="repeats"):
        pattern(written)


@given(st.text(max_size=40))
def test_only_the_listed_are_allowed(origin: str) -> None:
    """Whatever a client writes into Origin, nothing but the listed origin passes."""
    assert CorsRules((APP,)).allows(origin) == (origin.lower() == APP)


def test_an_answer_names_the_origin_and_varies_by_it() -> None:
    fields = dict(CorsRules((APP,), expose=("X-Mine",)).answer_fields(APP))
    assert fields[b"access-control-allow-origin"] == APP.encode()
    assert fields[b"vary"] == b"origin"
    assert b"access-control-allow-credentials" not in fields
    exposed = fields[b"access-control-expose-headers"].split(b", ")
    assert {b"grpc-status", b"grpc-message", b"grpc-status-details-bin", b"x-request-id", b"x-mine"} <= set(exposed)


@pytest.mark.parametrize("origin", ["", "https://evil.example"])
def test_others_are_told_nothing_but_that_it_varies(origin: str) -> None:
    """A cache must not give their answer to those who are allowed, nor the other way round."""
    assert CorsRules((APP,)).answer_fields(origin) == [(b"vary", b"origin")]


def test_for_all_without_credentials() -> None:
    """One answer for everyone: nothing varies."""
    rules = CorsRules(("*",))
    assert dict(rules.answer_fields("https://x.example"))[b"access-control-allow-origin"] == b"*"
    assert b"vary" not in dict(rules.answer_fields("https://x.example"))
    assert rules.answer_fields("") == []


def test_a_star_lists_nobody() -> None:
    assert not CorsRules(("*",)).lists("https://x.example")
    assert not CorsRules(("*",)).lists("*")


def test_a_preflight() -> None:
    rules = CorsRules((APP,), headers=("X-Mine",), credentials=True, max_age_s=60.0)
    fields = dict(rules.preflight_fields(APP, ["GET", "POST"], "x-other"))
    assert fields[b"access-control-allow-origin"] == APP.encode()
    assert fields[b"access-control-allow-credentials"] == b"true"
    assert fields[b"access-control-allow-methods"] == b"GET, POST"
    assert fields[b"access-control-max-age"] == b"60"
    allowed = fields[b"access-control-allow-headers"].split(b", ")
    assert {b"x-mine", b"content-type", b"x-grpc-web", b"connect-protocol-version", b"grpc-timeout"} <= set(allowed)
    assert b"x-other" not in allowed
    assert fields[b"vary"] == b"origin, access-control-request-method, access-control-request-headers"
    assert b"access-control-allow-private-network" not in fields


def test_methods_are_those_routed_and_listed() -> None:
    """A list takes away, it cannot add."""
    fields = dict(CorsRules((APP,), methods=("GET", "DELETE")).preflight_fields(APP, ["GET", "POST"], ""))
    assert fields[b"access-control-allow-methods"] == b"GET"


def test_any_header_means_those_asked_for() -> None:
    """Named, since the literal star leaves out Authorization and means nothing with credentials; what is no name is left out."""
    fields = dict(CorsRules((APP,), headers=("*",)).preflight_fields(APP, ["GET"], "X-A, authorization, b\r\nc: d"))
    assert fields[b"access-control-allow-headers"] == b"x-a, authorization"
