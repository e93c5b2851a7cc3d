"""
One of many: the singular of a collection's name, for naming the path parameter behind it (`shelves/*` reads `shelves/{shelf}`).

Owns the rules and their exceptions. A wrong guess is an odd parameter name, nothing worse, so the list is short.
Source: https://google.aip.dev/122 (collection identifiers are plural nouns in camelCase).
"""

from __future__ import annotations

import re

_IRREGULAR = {
    "people": "person",
    "children": "child",
    "men": "man",
    "women": "woman",
    "indices": "index",
    "matrices": "matrix",
    "vertices": "vertex",
    "analyses": "analysis",
    "criteria": "criterion",
    "movies": "movie",
    "cookies": "cookie",
    "caches": "cache",
    "shelves": "shelf",
    "leaves": "leaf",
    "halves": "half",
    "wolves": "wolf",
    "knives": "knife",
    "lives": "life",
    "wives": "wife",
    "series": "series",
    "news": "news",
}
_ENDINGS = (
    ("ies", "y"),
    ("sses", "ss"),
    ("shes", "sh"),
    ("ches", "ch"),
    ("xes", "x"),
    ("zzes", "zz"),
    ("tuses", "tus"),
)
_SINGULAR_ALREADY = ("ss", "us", "is")
_LAST_WORD = re.compile(r"([a-z]+|[A-Z][a-z]+)$")


def singular(word: str) -> str:
    """The singular of an English plural; of a compound (`reviewThreads`, `user-events`) its last word's."""
    found = _LAST_WORD.search(word)
    if not found:
        return word
    last = found[1]
    one = _one(last.lower())
    return word[: found.start()] + (one.capitalize() if last[0].isupper() else one)


def _one(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    for plural, ending in _ENDINGS:
        if word.endswith(plural) and len(word) > len(plural) + 1:
            return word[: -len(plural)] + ending
    if word.endswith(_SINGULAR_ALREADY) or not word.endswith("s"):
        return word
    return word[:-1]
