"""
Who may call what, read from Consul's entries as Consul reads them: ours and everybody's.

Owns Consul's rules: the most exact source and destination win, permissions in order, what none names falls to the default policy,
permissions on a `tcp` service deny. Judged for gRPC: POST. A condition on headers counts as met where it allows and as not met where it
denies, so that nothing that may be open is told as shut. Source: mesh.md 4.1. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from meshconfig.items import Item, Key

ANYTHING_ELSE = "/*"
"""Every path nobody names."""
ANYONE_ELSE = "any other service"


@dataclass(frozen=True, slots=True)
class Access:
    """What one caller may call of one service: paths, with ANYTHING_ELSE among them for the rest."""

    caller: str
    callee: str
    paths: frozenset[str]


def access(
    state: Mapping[Key, Item], callees: Iterable[str], paths: Mapping[str, Iterable[str]], *, default: bool
) -> dict[tuple[str, str], Access]:
    """
    By caller and callee, for every caller that anything names, and for ANYONE_ELSE.

    `paths` are those to judge, of each callee (`universe`); `default` is Consul's default policy.
    """
    found = {}
    for callee in callees:
        rules = dict(_rules(state, callee))
        known = {*paths.get(callee, ()), ANYTHING_ELSE}
        by_rpc = _protocol(state, callee) != "tcp"
        for caller in sorted({*(name for name, _ in rules if name != "*"), ANYONE_ELSE}):
            order = [
                rule
                for each in ((caller, callee), ("*", callee), (caller, "*"), ("*", "*"))
                if (rule := rules.get(each))
            ]
            open_ = {path for path in known if _allows(order, path, by_rpc=by_rpc, default=default)}
            found[caller, callee] = Access(caller, callee, frozenset(open_))
    return found


def universe(paths: Mapping[str, Iterable[str]], *states: Mapping[Key, Item]) -> dict[str, frozenset[str]]:
    """The paths of each callee, with those any of these states names: what is to be compared must be judged on the same."""
    return {
        callee: frozenset(known)
        | {path for state in states for _, rule in _rules(state, callee) for path in _named(rule.raw)}
        for callee, known in paths.items()
    }


def _rules(state: Mapping[Key, Item], callee: str) -> Iterator[tuple[tuple[str, str], Item]]:
    """By source and destination; Consul tries the exact destination first, then the exact source."""
    for key, item in state.items():
        if key.kind == "service-intentions" and key.name in {callee, "*"}:
            yield (key.part, key.name), item


def _protocol(state: Mapping[Key, Item], callee: str) -> str:
    own = state.get(Key("service-defaults", callee))
    shared = state.get(Key("proxy-defaults", "global"))
    given = (own.body.get("Protocol") if own else None) or (
        (shared.body.get("Config") or {}).get("protocol") if shared else None
    )
    return str(given or "tcp").lower()


def _named(source: Mapping[str, Any]) -> Iterator[str]:
    for permission in source.get("Permissions") or ():
        if exact := (permission.get("HTTP") or {}).get("PathExact"):
            yield exact


def _allows(order: list[Item], path: str, *, by_rpc: bool, default: bool) -> bool:
    """Only the first source counts; what its permissions do not name is the default's."""
    if not order:
        return default
    source = order[0].raw
    permissions = source.get("Permissions") or ()
    if not permissions:
        return bool(source.get("Action") == "allow")
    if not by_rpc:
        return False
    for permission in permissions:
        allow = bool(permission.get("Action") == "allow")
        if _matches(permission.get("HTTP") or {}, path, allow=allow):
            return allow
    return default


def _matches(http: Mapping[str, Any], path: str, *, allow: bool) -> bool:
    methods = http.get("Methods") or ()
    if methods and "POST" not in [method.upper() for method in methods]:
        return False
    if http.get("Header") and not allow:
        return False
    if exact := http.get("PathExact"):
        return bool(path == exact)
    if prefix := http.get("PathPrefix"):
        # The rest is open as soon as some of it is.
        return allow or prefix == "/" if path == ANYTHING_ELSE else path.startswith(str(prefix))
    if pattern := http.get("PathRegex"):
        if path == ANYTHING_ELSE:
            return allow or pattern in {".*", "/.*"}
        return _full_match(pattern, path, otherwise=allow)
    return True


def _full_match(pattern: str, path: str, *, otherwise: bool) -> bool:
    try:
        return re.fullmatch(pattern, path) is not None
    except re.error:  # Go's dialect has what Python's has not
        return otherwise
