"""
A stream of JSON texts cut into its texts: the elements of an array, lines, or texts one after the other.

Owns the cuts and their bounds: bytes come in any pieces, each text leaves as soon as its last byte is there, and no text grows or nests
past its limit. Only brackets and strings are looked at; whether a text is JSON is for its parser to say. Linear in the bytes, however
they are cut. Source: RFC 8259, https://github.com/ndjson/ndjson-spec; transcoding.md B10.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto

_SPACE = re.compile(rb"[ \t\r\n]*+")
_STEADY = re.compile(rb'(?s:[^{}\[\]"]++|"(?:[^"\\]++|\\.)*+")*+')
"""What changes nothing within an object or array: whole strings, and all that is neither string nor bracket."""
_TEXT = re.compile(rb'(?s:[^"\\]++|\\.)*+')
_SCALAR = re.compile(rb'[^ \t\r\n,{}\[\]"]*+')


class JsonStreamError(ValueError):
    """The stream cannot be cut here, and is not read any further. `too_large`: a text is longer than allowed."""

    def __init__(self, description: str, *, too_large: bool = False) -> None:
        super().__init__(description)
        self.too_large = too_large


class _Place(Enum):
    """Where the next byte stands."""

    START = auto()
    FIRST = auto()  # in the array, before its first element or its end
    ELEMENT = auto()  # after a comma
    AFTER = auto()  # after an element
    BETWEEN = auto()  # between texts that follow each other
    END = auto()  # after the array
    VALUE = auto()  # in an object, an array or a string
    SCALAR = auto()  # in a number or a word


class JsonSplitter:
    """
    `feed` pieces, then `finish`; both give the texts that are whole. What `feed` gives is to be used up before the next piece.

    `max_bytes` and `max_depth` bound one text. With `array`, a `[` at the beginning opens an array of texts.
    """

    __slots__ = ("_array", "_depth", "_escaped", "_held", "_in_string", "_max_bytes", "_max_depth", "_place")

    def __init__(self, max_bytes: int, max_depth: int, *, array: bool) -> None:
        self._max_bytes = max_bytes
        self._max_depth = max_depth
        self._array = array
        self._place = _Place.START
        self._depth = 0
        self._in_string = False
        self._escaped = False  # the last byte was a backslash in a string
        self._held = bytearray()  # the beginning of a text that is not whole yet

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The texts that end in `data`. Raises JsonStreamError."""
        position, size = 0, len(data)
        while position < size:
            if self._place is not _Place.VALUE and self._place is not _Place.SCALAR:
                position = self._approach(data, position)
                if position == size:
                    return
            start = position
            position, whole = self._pass(data, position)
            if len(self._held) + position - start > self._max_bytes:
                raise JsonStreamError(f"is larger than {self._max_bytes} bytes", too_large=True)
            if whole:
                yield self._take(data[start:position])
            else:
                self._held += data[start:position]

    def finish(self) -> Iterator[bytes]:
        """The text that ends with the stream. Raises JsonStreamError when something is missing."""
        if self._place is _Place.SCALAR and not self._array:
            yield self._take(b"")
        elif self._place not in (_Place.START, _Place.BETWEEN, _Place.END):
            raise JsonStreamError("is cut short")

    def _take(self, rest: bytes) -> bytes:
        self._place = _Place.AFTER if self._array else _Place.BETWEEN
        if not self._held:
            return rest
        text = bytes(self._held) + rest
        self._held.clear()
        return text

    def _approach(self, data: bytes, position: int) -> int:
        """Go to where the next text begins; the end of `data` when that is not in it."""
        size = len(data)
        while (position := _end(_SPACE, data, position)) < size:
            byte, place = data[position], self._place
            if place is _Place.START and byte == ord("[") and self._array:
                self._place = _Place.FIRST
            elif place is _Place.FIRST and byte == ord("]"):
                self._place = _Place.END
            elif place is _Place.AFTER and byte in b",]":
                self._place = _Place.ELEMENT if byte == ord(",") else _Place.END
            else:
                self._begin(byte)
                return position
            position += 1
        return size

    def _begin(self, byte: int) -> None:
        if self._place is _Place.END:
            raise JsonStreamError("follows the end of the array")
        if self._place is _Place.AFTER:
            raise JsonStreamError("follows another without a comma")
        if byte in b",]}":
            raise JsonStreamError("is missing")
        if self._place is _Place.START:
            self._array = False
        self._place = _Place.VALUE if byte in b'{["' else _Place.SCALAR

    def _pass(self, data: bytes, position: int) -> tuple[int, bool]:
        """Go through a text as far as `data` has it: where that is, and whether the text is whole."""
        size = len(data)
        if self._place is _Place.SCALAR:
            position = _end(_SCALAR, data, position)
            return position, position < size
        while position < size:
            go = self._pass_string if self._in_string else self._pass_bracket
            position = go(data, position)
            if not self._in_string and not self._depth:
                return position, True
        return position, False

    def _pass_bracket(self, data: bytes, position: int) -> int:
        """To after the next bracket or the beginning of a string that `data` has not whole."""
        if self._depth:
            position = _end(_STEADY, data, position)
            if position == len(data):
                return position
        byte = data[position]
        if byte == ord('"'):
            self._in_string = True
        elif byte in b"{[":
            self._depth += 1
            if self._depth > self._max_depth:
                raise JsonStreamError("is nested too deep")
        else:
            self._depth -= 1
        return position + 1

    def _pass_string(self, data: bytes, position: int) -> int:
        """To after the end of the string, or of `data`."""
        position = _end(_TEXT, data, position + self._escaped)
        self._escaped = False
        if position < len(data):
            if data[position] == ord('"'):
                self._in_string = False
            else:
                self._escaped = True  # a backslash that ends the data
            position += 1
        return position


def _end(pattern: re.Pattern[bytes], data: bytes, position: int) -> int:
    match = pattern.match(data, position)
    assert match is not None  # all patterns match nothing, too
    return match.end()
