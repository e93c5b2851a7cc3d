"""
The query of a request: fields of its message, system parameters, and what to do with the rest.

Owns their precedence: parameters the operator ignores, then fields, then system parameters, then the unknown. Under body `*` no
field can come from the query, so that `key` is the API key there even when the message has a field of that name.
Source: google/api/http.proto, https://cloud.google.com/apis/docs/system-parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from google.protobuf.message import Message

from edge.core.query_string import MalformedQueryError, parse_query
from edge.core.system_parameters import (
    ALT,
    FIELDS,
    PRETTY,
    SYSTEM_PARAMETERS,
    SystemParameterError,
    parse_alt,
    parse_fields,
    parse_flag,
)
from edge.wire.codec import BindingError, JsonOptions, Render, Source
from edge.wire.portable.misfit import shortened
from edge.wire.portable.text_binder import Seen, TextBinder

PrintedPaths = Callable[[Sequence[Sequence[str]]], tuple[str, ...]]
Captured = tuple[tuple[str, str], ...]


class QueryBinder:
    """
    The query of one binding.

    `binder` is None under body `*`. `printed_paths` checks a `$fields` selection against the answer. `media` says that the answer is
    an HttpBody, which clients ask for with alt=media.
    """

    def __init__(
        self, binder: TextBinder | None, options: JsonOptions, printed_paths: PrintedPaths, *, media: bool
    ) -> None:
        self._binder = binder
        self._plus_is_space = options.plus_is_space
        self._unknown = options.unknown_query
        self._ignored = frozenset(options.ignored_query)
        self._printed_paths = printed_paths
        self._media = media
        self._plain = Render(enums=options.enums, pretty=options.pretty)
        self._system = SYSTEM_PARAMETERS if options.system_parameters else frozenset()

    def bind(self, message: Message, raw: str, captures: Sequence[str]) -> tuple[Render, Captured]:
        """Bind a raw query string; how to print the answer, and the unknown parameters if they are captured. Raises BindingError."""
        if not raw:
            return self._plain, ()
        render = self._plain
        captured: list[tuple[str, str]] = []
        seen: Seen = set()
        for name, text in self.pairs(raw):
            if name in self._ignored:
                continue
            if self._binder is not None and self._binder.bind(message, name, text, captures, seen):
                continue
            if name in self._system:
                render = self.apply(render, name, text)
            elif self._unknown == "reject":
                raise BindingError(Source.QUERY, shortened(name), "no such parameter")
            elif self._unknown == "capture":
                captured.append((name, text))
        return render, tuple(captured)

    def pairs(self, raw: str) -> list[tuple[str, str]]:
        """The decoded pairs of a raw query. Raises BindingError."""
        try:
            return parse_query(raw, plus_is_space=self._plus_is_space)
        except MalformedQueryError as error:
            raise BindingError(Source.QUERY, "", str(error)) from None

    def apply(self, render: Render, name: str, text: str) -> Render:
        """How to print, with one system parameter applied. Raises BindingError."""
        try:
            if name in ALT:
                return self._with_alt(render, text)
            if name in PRETTY:
                return replace(render, pretty=parse_flag(text))
            if name in FIELDS:
                return replace(render, fields=self._printed_paths(parse_fields(text)))
        except SystemParameterError as error:
            raise BindingError(Source.QUERY, name, str(error)) from None
        return render

    def _with_alt(self, render: Render, text: str) -> Render:
        if self._media and text == "media":
            return render
        numbers = parse_alt(text)
        if numbers is None:
            return render
        if numbers:
            return replace(render, enums="numbers")
        return replace(render, enums="names" if self._plain.enums == "numbers" else self._plain.enums)
