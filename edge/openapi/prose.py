"""
Comments of .proto files as documentation text.

Owns what of a comment is for readers of the API: internal notes, linter directives and cross-reference syntax are not.
Source: https://google.aip.dev/192 (comments, `(-- internal --)`, `[Book][google.example.v1.Book]`).
"""

from __future__ import annotations

import re
from typing import NamedTuple

_INTERNAL = re.compile(r"\(--.*?--\)", re.DOTALL)
_DIRECTIVE = re.compile(r"^\s*(?:buf:lint:|protolint:|@exclude\b).*$", re.MULTILINE)
_REFERENCE = re.compile(r"\[([^\[\]]+)\]\[[^\[\]]*\]")
_BLANKS = re.compile(r"\n{3,}")
_SENTENCE = re.compile(r"(.+?)\.(?=\s|$)", re.DOTALL)
_MAX_SUMMARY_CHARS = 120


class Prose(NamedTuple):
    """A first sentence without its full stop, and the whole text where there is more to it."""

    summary: str
    description: str


def cleaned(comment: str) -> str:
    """A comment as Markdown, without what is not meant for readers."""
    lines = "\n".join(line.removeprefix(" ").rstrip() for line in comment.split("\n"))
    text = _DIRECTIVE.sub("", _INTERNAL.sub("", lines))
    return _BLANKS.sub("\n\n", _REFERENCE.sub(r"\1", text)).strip()


def split(text: str) -> Prose:
    """A cleaned comment's first sentence and the whole; a first sentence too long for a heading is no summary."""
    paragraph = text.partition("\n\n")[0]
    found = _SENTENCE.match(paragraph)
    summary = " ".join((found[1] if found else paragraph).split())
    if len(summary) > _MAX_SUMMARY_CHARS:
        return Prose("", text)
    return Prose(summary, "" if text.rstrip(".") == summary else text)
