"""
One google.api.HttpRule, from an annotation or from the configuration, as HTTP bindings.

Owns the rules of google/api/http.proto that can be judged without looking at messages or templates: exactly one pattern,
additional_bindings one level deep, a method that is a method. Source: google/api/http.proto of googleapis.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from google.api.http_pb2 import HttpRule as Annotation

from edge.config.models import HttpRule
from edge.core.problem import Problem
from edge.descriptors.model import HttpBinding, Rpc

_VERBS = ("get", "put", "post", "delete", "patch")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
_BODILESS = frozenset({"GET", "HEAD", "DELETE"})
_ONE_PATTERN = "give exactly one of get, put, post, delete, patch and custom"


@dataclass(frozen=True, slots=True)
class Rule:
    """
    A rule in neutral form. `patterns` are (method, template) pairs, one when the rule is right.

    `place` is the file and line, `path` the place inside (the RPC of an annotation, the setting of a configured rule).
    """

    patterns: tuple[tuple[str, str], ...]
    body: str
    response_body: str
    additional: tuple[Rule, ...]
    place: str
    path: str
    selector: str = ""

    @property
    def source(self) -> str:
        """Where it was written, in one word."""
        return self.place or self.path


def from_annotation(rule: Annotation, place: str, path: str) -> Rule:
    """The neutral form of a `(google.api.http)` option."""
    patterns = [(verb.upper(), getattr(rule, verb)) for verb in _VERBS if rule.HasField(verb)]
    if rule.HasField("custom"):
        patterns.append((rule.custom.kind.upper(), rule.custom.path))
    additional = (
        from_annotation(each, place, f"{path}.additional_bindings[{index}]")
        for index, each in enumerate(rule.additional_bindings)
    )
    return Rule(tuple(patterns), rule.body, rule.response_body, tuple(additional), place, path, rule.selector)


def from_config(rule: HttpRule, path: str) -> Rule:
    """The neutral form of a rule under `http.rules`."""
    given = ((verb.upper(), getattr(rule, verb)) for verb in _VERBS)
    patterns = [(method, template) for method, template in given if template is not None]
    if rule.custom is not None:
        patterns.append((rule.custom.kind.upper(), rule.custom.path))
    additional = (
        from_config(each, f"{path}.additional_bindings[{index}]") for index, each in enumerate(rule.additional_bindings)
    )
    return Rule(tuple(patterns), rule.body, rule.response_body, tuple(additional), rule.source, path, rule.selector)


def bindings(rpc: Rpc, rule: Rule) -> tuple[HttpBinding, ...]:
    """The rule's bindings in the order written; a pattern too many is left out (`problems` tells of it)."""
    return tuple(
        HttpBinding(rpc, method, template, each.body, each.response_body, each.source)
        for each in (rule, *rule.additional)
        for method, template in each.patterns[:1]
    )


def default_binding(rpc: Rpc) -> HttpBinding:
    """`POST /package.Service/Method` with the whole body as the request."""
    return HttpBinding(rpc, "POST", rpc.path, body="*", source="default_bindings", generated=True)


def problems(rule: Rule) -> list[Problem]:
    """What is wrong with a rule and its additional bindings."""
    found = list(_own_problems(rule))
    for each in rule.additional:
        found.extend(_own_problems(each))
        found.extend(_nesting_problems(each))
    return found


def _own_problems(rule: Rule) -> Iterator[Problem]:
    if not rule.patterns:
        yield Problem(rule.place, rule.path, "the rule has no pattern", _ONE_PATTERN)
    if len(rule.patterns) > 1:
        written = _words(f"{method} {template}" for method, template in rule.patterns)
        fix = f"{_ONE_PATTERN}; further ones go under additional_bindings"
        yield Problem(rule.place, rule.path, f"the rule has {len(rule.patterns)} patterns: {written}", fix)
    for method, _ in rule.patterns:
        yield from _method_problems(rule, method)


def _method_problems(rule: Rule, method: str) -> Iterator[Problem]:
    if not _TOKEN.fullmatch(method):
        fix = "kind is an HTTP method such as HEAD, or * for any"
        yield Problem(rule.place, f"{rule.path}.custom.kind", f'"{method}" is not an HTTP method', fix)
    if rule.body and method in _BODILESS:
        fix = "many clients and proxies send or pass on no body with it (RFC 9110 section 9.3): use POST, or drop body"
        yield Problem(rule.place, f"{rule.path}.body", f"{method} with a body", fix, warning=True)


def _nesting_problems(rule: Rule) -> Iterator[Problem]:
    if rule.additional:
        fix = "additional_bindings go one level deep: list these beside their parent"
        yield Problem(rule.place, rule.path, "an additional binding has additional_bindings of its own", fix)
    if rule.selector:
        fix = "additional bindings belong to their rule's RPC: drop the selector, or make it a rule of its own"
        yield Problem(rule.place, f"{rule.path}.selector", f'an additional binding selects "{rule.selector}"', fix)


def _words(parts: Iterable[str]) -> str:
    return ", ".join(parts)
