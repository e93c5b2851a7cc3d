"""Consul's refusals in words that say what to do."""

from __future__ import annotations

import pytest

from edge.core.consul_refusal import denial, rule_for, shortened

LACKS = "Permission denied: token with AccessorID 'a1' lacks permission 'service:write' on \"web\""


def test_permission_is_read_from_the_text() -> None:
    """What Consul names wins over what we would have guessed."""
    text = denial(LACKS, needed='service:read on "other"', authenticated=True)
    assert text.startswith(
        'the token lacks service:write on "web"; a policy with service "web" { policy = "write" } grants it'
    )
    assert LACKS in text


def test_bare_denial_says_what_the_request_takes() -> None:
    """health/connect answers only "Permission denied"."""
    text = denial("Permission denied", needed='service:read on "web"', authenticated=True)
    assert 'the token lacks service:read on "web"' in text


def test_without_a_token() -> None:
    """The remedy is a token, not a policy for one."""
    assert denial("Permission denied", needed='service:read on "web"', authenticated=False).startswith(
        "no token was sent; it takes"
    )


@pytest.mark.parametrize(
    "text", ["ACL not found", "rpc error making call: ACL not found", "token does not exist: ACL not found"]
)
def test_unknown_token(text: str) -> None:
    """Revoked, expired or mistyped."""
    assert "not known to Consul, was revoked or has expired" in denial(text, needed="x", authenticated=True)


@pytest.mark.parametrize(
    ("permission", "rule"),
    [
        ('service:write on "web"', 'service "web" { policy = "write" }'),
        ('node:read on "n1"', 'node "n1" { policy = "read" }'),
        ("service:read", 'service_prefix "" { policy = "read" }'),
        ('intention:write on "web"', 'service "web" { intentions = "write" }'),
        ("operator:write", 'operator = "write"'),
        ("acl:write", 'acl = "write"'),
        ("intention:write", ""),
        ("something else", ""),
    ],
)
def test_rule_that_grants_it(permission: str, rule: str) -> None:
    """In Consul's own language."""
    assert rule_for(permission) == rule


def test_texts_are_made_harmless() -> None:
    """One line, no control characters, not long."""
    assert shortened("a\n b\t\x1b[31mc") == "a b [31mc"
    assert len(shortened("x" * 9999)) == 300
