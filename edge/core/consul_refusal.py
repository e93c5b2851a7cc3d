"""
What Consul's refusals mean for whoever has to mend them: the permission that is missing, and the rule that grants it.

Owns the reading of Consul's own texts ("lacks permission 'service:write' on "web"", "ACL not found") and the advice. Consul's text
is kept: it says more than we know. Source: agent/structs/acl.go and acl/errors.go of Consul 1.16.
"""

from __future__ import annotations

import re

_LACKS = re.compile(r"lacks permission '(?P<resource>[a-z-]+):(?P<access>[a-z]+)'(?: on \\?\"(?P<name>[^\"\\]*)\\?\")?")
_MAX_TEXT = 300


def denial(text: str, *, needed: str, authenticated: bool) -> str:
    """Why a 403 came, and what to do. `needed` is the permission the request takes, as `service:write on "web"`."""
    said = shortened(text)
    if "ACL not found" in text or "token does not exist" in text:
        return f"the token is not known to Consul, was revoked or has expired ({said}); give another one"
    match = _LACKS.search(text)
    if match and match["name"]:
        needed = f'{match["resource"]}:{match["access"]} on "{match["name"]}"'
    elif match:
        needed = f"{match['resource']}:{match['access']}"
    lacks = f"the token lacks {needed}" if authenticated else f"no token was sent; it takes {needed}"
    rule = rule_for(needed)
    return f"{lacks}; a policy with {rule} grants it ({said})" if rule else f"{lacks} ({said})"


def rule_for(permission: str) -> str:
    """The ACL rule that grants a permission, empty when it is of a kind we cannot spell."""
    match = re.fullmatch(r'([a-z]+):([a-z]+)(?: on "([^"]*)")?', permission)
    if match is None:
        return ""
    resource, access, name = match.groups()
    if resource == "intention":
        return f'service "{name}" {{ intentions = "{access}" }}' if name else ""
    if resource in {"operator", "acl", "mesh", "keyring", "peering"}:
        return f'{resource} = "{access}"'
    return (
        f'{resource} "{name}" {{ policy = "{access}" }}' if name else f'{resource}_prefix "" {{ policy = "{access}" }}'
    )


def shortened(text: str) -> str:
    """A text of Consul's as part of a sentence: one line, printable, not long."""
    line = " ".join(text.split())
    line = "".join(char for char in line if char.isprintable())
    return line if len(line) <= _MAX_TEXT else f"{line[: _MAX_TEXT - 3]}..."
