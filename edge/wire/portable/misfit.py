"""
The one exception inside this engine for a value that does not fit its field, before it is known which part of the request it came from.

Owns how a field path is put together: raised at the leaf, completed piece by piece on the way up, so that the common path
never builds one. `method` turns it into a BindingError.
"""

from __future__ import annotations

_SHOWN_CHARACTERS = 60
_NAME_CHARACTERS = 100


class Misfit(Exception):
    """A value that does not fit. `path` is complete once it reaches the top; `offset` points into the body's text."""

    def __init__(self, description: str, *, path: str = "", offset: int | None = None) -> None:
        super().__init__(description)
        self.description = description
        self.path = path
        self.offset = offset

    def within(self, name: str) -> Misfit:
        """The same, seen from the message that holds field `name`."""
        separator = "." if self.path and not self.path.startswith("[") else ""
        self.path = f"{shortened(name)}{separator}{self.path}"
        return self

    def at(self, key: object) -> Misfit:
        """The same, seen from the list or map that holds it under `key`."""
        return self.within(f"[{shortened(str(key))}]")


def kind(value: object) -> str:
    """What a JSON value is, for error texts."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an array" if isinstance(value, list) else "an object"


def shortened(name: str) -> str:
    """A key as paths name it: a client chose it, and neither the answer nor the log is to repeat a megabyte."""
    return name if len(name) <= _NAME_CHARACTERS else f"{name[: _NAME_CHARACTERS - 3]}…"


def shown(value: object) -> str:
    """A value as error texts quote it: cut short, so that an answer never repeats a megabyte."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
