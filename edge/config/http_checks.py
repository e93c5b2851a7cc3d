"""
The form of `apis[].http.rules`: one method a rule, selectors at the top and only there, bindings one level deep.

Owns what can be said without the API's descriptors; templates and fields are checked when the routes are compiled.
Source: google/api/http.proto, HttpRule.
"""

from __future__ import annotations

import re

from edge.config.document import Document, Loc, dotted, quoted
from edge.config.raw import Section, listed, section, text

_METHODS = ("get", "put", "post", "delete", "patch", "custom")
_SELECTOR = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", re.ASCII)


def check_http_rules(document: Document) -> None:
    """Note every rule that is malformed, and every one a later rule replaces."""
    for loc, api in listed(document.data, "apis"):
        http = section(api, "http")
        first: dict[str, Loc] = {}
        for (key, index), rule in listed(http, "rules"):
            here: Loc = (*loc, "http", key, index)
            _check_rule(document, here, rule)
            selector = text(rule, "selector")
            if selector in first:
                message = f"{quoted(selector)} replaces {dotted(first[selector])}"
                document.add(
                    (*here, "selector"), message, "put both into one rule, with additional_bindings", warning=True
                )
            elif selector:
                first[selector] = here


def _check_rule(document: Document, loc: Loc, rule: Section) -> None:
    _check_method(document, loc, rule)
    selector = rule.get("selector")
    if selector in (None, ""):
        document.add(loc, "the rule has no selector", "add selector: package.Service.Method")
    elif isinstance(selector, str) and not _SELECTOR.fullmatch(selector):
        document.add((*loc, "selector"), f"{quoted(selector)} is no method", "write package.Service.Method")
    for (key, index), extra in listed(rule, "additional_bindings"):
        _check_extra(document, (*loc, key, index), extra)


def _check_extra(document: Document, loc: Loc, rule: Section) -> None:
    _check_method(document, loc, rule)
    if rule.get("selector"):
        fix = "remove it: the rule around it names the method"
        document.add((*loc, "selector"), f"{quoted(rule['selector'])} inside additional_bindings", fix)
    if rule.get("additional_bindings"):
        fix = "put all of them into the outer additional_bindings"
        document.add((*loc, "additional_bindings"), "bindings nest one level deep only", fix)


def _check_method(document: Document, loc: Loc, rule: Section) -> None:
    given = [method for method in _METHODS if rule.get(method) is not None]
    if not given:
        document.add(loc, "the rule has no HTTP method", "add one of get, put, post, delete, patch, custom")
    for extra in given[1:]:
        fix = "keep one, and put the other into additional_bindings"
        document.add((*loc, extra), f"{given[0]} is already this rule's method", fix)
