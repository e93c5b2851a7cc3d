"""
Which bodies are JSON, by their Content-Type.

Owns the reading of media types and of the charset: JSON is UTF-8 (RFC 8259), so any spelling of that is fine and no other is.
Source: RFC 9110 section 8.3, RFC 6839 section 3.1 (+json).
"""

from __future__ import annotations

_UTF8 = frozenset({"utf-8", "utf8"})
_FORM = "application/x-www-form-urlencoded"


def is_json(content_type: str) -> bool:
    """Whether a body so declared is JSON in UTF-8; an absent type is taken as JSON."""
    if content_type in ("application/json", ""):
        return True
    kind, charset = _parts(content_type)
    json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    return json and charset in _UTF8


def is_form(content_type: str) -> bool:
    """Whether a body so declared is an HTML form's, in UTF-8."""
    kind, charset = _parts(content_type)
    return kind == _FORM and charset in _UTF8


def _parts(content_type: str) -> tuple[str, str]:
    """The lower-case type, and the charset parameter (utf-8 when there is none)."""
    kind, *parameters = content_type.split(";")
    charset = "utf-8"
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip('"').lower()
    return kind.strip().lower(), charset
