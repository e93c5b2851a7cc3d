"""
Consul's answer about intentions as values: the body of /v1/connect/intentions/match.

Owns that what cannot be read is never taken for an allowance: an unknown action denies, an unknown condition marks its permission, an
answer of another shape is an error and the last good one stays. Regular expressions are RE2's, as in Envoy: linear time, whoever wrote
them. Source: https://developer.hashicorp.com/consul/api-docs/connect/intentions#list-matching-intentions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge.core.consul_identity import DEFAULT
from edge.core.intention_http import HeaderMatch, Pattern, Permission, TextKind, TextMatch
from edge.core.intentions import Intention, Intentions, Source, in_order

Json = Mapping[str, Any]

_PATHS: tuple[tuple[str, TextKind], ...] = (("PathExact", "exact"), ("PathPrefix", "prefix"), ("PathRegex", "regex"))
_TEXTS: tuple[tuple[str, TextKind], ...] = (
    ("Exact", "exact"),
    ("Prefix", "prefix"),
    ("Suffix", "suffix"),
    ("Contains", "contains"),
    ("Regex", "regex"),
)
_HTTP_KEYS = frozenset({"Methods", "Header", *(key for key, _ in _PATHS)})
_PERMISSION_KEYS = frozenset({"Action", "HTTP", "JWT"})
_HEADER_KEYS = frozenset({"Name", "Present", "Invert", "IgnoreCase", *(key for key, _ in _TEXTS)})
_MAX_REGEX_BYTES = 1 << 20  # of memory for one automaton


def read_intentions(body: object, service: str, *, default_allow: bool) -> Intentions:
    """The intentions of a destination. Raises ValueError for what is no such answer."""
    if not isinstance(body, Mapping) or len(body) != 1:
        raise ValueError("the answer is not about one destination")
    (listed,) = body.values()
    if listed is None:
        listed = []
    if not isinstance(listed, list) or not all(isinstance(each, Mapping) for each in listed):
        raise ValueError("the answer is no list of intentions")
    return Intentions(service, in_order(_intention(each) for each in listed), default_allow)


def _intention(given: Json) -> Intention:
    name, precedence = given.get("SourceName"), given.get("Precedence")
    if not isinstance(name, str) or not name or not isinstance(precedence, int):
        raise ValueError("an intention has no source, or no precedence")
    source = Source(
        name,
        _text(given, "SourceNS") or DEFAULT,
        _text(given, "SourcePartition") or DEFAULT,
        _text(given, "SourcePeer"),
        _text(given, "SourceSamenessGroup"),
    )
    permissions = given.get("Permissions") or []
    if not isinstance(permissions, list) or not all(isinstance(each, Mapping) for each in permissions):
        raise ValueError("the permissions of an intention are no list")
    return Intention(
        source,
        _text(given, "DestinationName"),
        precedence,
        allows=given.get("Action") == "allow",
        permissions=tuple(map(_permission, permissions)),
        needs_token=bool(given.get("JWT")),
    )


def _permission(given: Json) -> Permission:
    http = given.get("HTTP") or {}
    if not isinstance(http, Mapping):
        http, unknown = {}, True
    else:
        unknown = _has_more(given, _PERMISSION_KEYS) or _has_more(http, _HTTP_KEYS)
    path, path_known = _one_of(http, _PATHS)
    headers, headers_known = [], True
    for each in http.get("Header") or ():
        header = _header(each) if isinstance(each, Mapping) else None
        if header is None:
            headers_known = False
        else:
            headers.append(header)
    methods = http.get("Methods") or ()
    return Permission(
        allows=given.get("Action") == "allow",
        path=path,
        headers=tuple(headers),
        methods=frozenset(str(method).upper() for method in methods),
        needs_token=bool(given.get("JWT")),
        unknown=unknown or not path_known or not headers_known,
    )


def _header(given: Json) -> HeaderMatch | None:
    """None where it asks for something not known here."""
    name = _text(given, "Name").lower()
    text, known = _one_of(given, _TEXTS, ignore_case=bool(given.get("IgnoreCase")))
    if not name or not known or _has_more(given, _HEADER_KEYS) or (text is None) != bool(given.get("Present")):
        return None
    return HeaderMatch(name, text, bool(given.get("Invert")))


def _one_of(
    given: Json, kinds: tuple[tuple[str, TextKind], ...], *, ignore_case: bool = False
) -> tuple[TextMatch | None, bool]:
    """The condition that is given, if one is; and whether it is understood."""
    found = [(kind, value) for key, kind in kinds if (value := given.get(key))]
    if not found:
        return None, True
    (kind, value), more = found[0], found[1:]
    if more or not isinstance(value, str):
        return None, False
    if kind != "regex":
        return TextMatch(kind, value, ignore_case), True
    pattern = _compiled(value)
    return TextMatch(kind, value, pattern=pattern), pattern is not None and not ignore_case  # it says its own case


def _compiled(regex: str) -> Pattern | None:
    import re2  # type: ignore[import-untyped]  # it has no annotations; here: some MiB, only where an expression is

    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True  # a path may have an escaped line feed: no denial must end before it
    options.max_mem = _MAX_REGEX_BYTES
    try:
        found: Pattern = re2.compile(regex, options)
    except re2.error:
        return None
    return found


def _has_more(given: Json, known: frozenset[str]) -> bool:
    """Whether anything is said that is not known here; fields that say nothing do not count."""
    return any(value not in (None, "", [], {}, False) for key, value in given.items() if key not in known)


def _text(given: Json, key: str) -> str:
    value = given.get(key)
    return value if isinstance(value, str) else ""
