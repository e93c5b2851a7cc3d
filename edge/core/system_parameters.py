"""
Google's system parameters: the query parameters generated clients send beside a method's own.

Owns their names and the syntax of the three that change an answer: `$alt`, `$prettyPrint` and `$fields`. The others
concern services this gateway is not (API keys, quota users, JSONP) and are accepted without effect.
Source: https://cloud.google.com/apis/docs/system-parameters, https://developers.google.com/discovery/v1/performance (fields).
"""

from __future__ import annotations

ALT = frozenset({"$alt", "alt"})
PRETTY = frozenset({"$prettyPrint", "prettyPrint"})
FIELDS = frozenset({"$fields", "fields"})
IGNORED = frozenset(
    {
        "key",
        "$key",
        "access_token",
        "oauth_token",
        "callback",
        "$callback",
        "quotaUser",
        "$userProject",
        "$.xgafv",
        "uploadType",
        "upload_protocol",
        "$apiVersion",
        "$unique",
    }
)
SYSTEM_PARAMETERS = ALT | PRETTY | FIELDS | IGNORED

_FLAGS = {"true": True, "1": True, "": True, "false": False, "0": False}
_ENUM_ENCODINGS = {"int": True, "string": False}
# A path is repeated under each selector in its parentheses: what its length and their number come to is what a mask may cost.
_MAX_SELECTOR_DEPTH = 100
_MAX_PATHS = 1000


class SystemParameterError(ValueError):
    """A system parameter's value is not one this gateway serves; the message says what would be."""


def parse_alt(text: str) -> bool | None:
    """Whether `$alt` asks for enums as numbers; None when it does not say. Everything but JSON is refused."""
    form, _, parameter = text.partition(";")
    if form != "json":
        raise SystemParameterError(f"must be json or json;enum-encoding=int, not {text!r}")
    if not parameter:
        return None
    name, _, encoding = parameter.partition("=")
    if name != "enum-encoding" or encoding not in _ENUM_ENCODINGS:
        raise SystemParameterError(f"knows only enum-encoding=int or string, not {parameter!r}")
    return _ENUM_ENCODINGS[encoding]


def parse_flag(text: str) -> bool:
    """The value of `$prettyPrint`: true, 1 or nothing; false or 0."""
    if text not in _FLAGS:
        raise SystemParameterError(f"must be true or false, not {text!r}")
    return _FLAGS[text]


def parse_fields(text: str) -> tuple[tuple[str, ...], ...]:
    """
    A partial-response mask as paths: `a,b/c,d(e,f.g)` is (a) (b c) (d e) (d f g).

    `/` and `.` both descend; `*` stays as a segment and means every field. Nothing, or `*` alone, selects all: no paths.
    """
    if text.count(",") >= _MAX_PATHS:
        raise SystemParameterError(f"has more than {_MAX_PATHS} fields")
    paths, end = _selection(text, 0, (), 0)
    if end != len(text):
        raise SystemParameterError(f"has an unexpected {text[end]!r} at {end}")
    return () if ("*",) in paths else tuple(dict.fromkeys(paths))


def _selection(text: str, at: int, prefix: tuple[str, ...], depth: int) -> tuple[list[tuple[str, ...]], int]:
    """The comma-separated selectors from `at` up to `)` or the end, each below `prefix`; and where they end."""
    if depth > _MAX_SELECTOR_DEPTH:
        raise SystemParameterError("is nested too deep")
    paths: list[tuple[str, ...]] = []
    while text:
        name, at = _name(text, at)
        path = (*prefix, *name)
        if len(path) > _MAX_SELECTOR_DEPTH:
            raise SystemParameterError("goes too deep")
        if text.startswith("(", at):
            inner, at = _selection(text, at + 1, path, depth + 1)
            at = _expect(text, at, ")")
            paths += inner
        else:
            paths.append(path)
        if not text.startswith(",", at):
            break
        at += 1
    return paths, at


def _name(text: str, at: int) -> tuple[tuple[str, ...], int]:
    """The descending path that starts at `at`, and its end."""
    end = at
    while end < len(text) and text[end] not in ",()":
        end += 1
    segments = tuple(segment.strip() for segment in text[at:end].replace("/", ".").split("."))
    if not all(segments):
        raise SystemParameterError(f"lacks a field name at {at}")
    return segments, end


def _expect(text: str, at: int, mark: str) -> int:
    if not text.startswith(mark, at):
        raise SystemParameterError(f"lacks a {mark!r} at {at}")
    return at + 1
