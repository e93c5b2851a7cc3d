"""
An HPACK encoder that spends little CPU on requests that resemble each other.

Owns the invariant that nothing is ever evicted: only fields that repeat by nature (the method, paths, the user agent...) enter
the dynamic table, and only while there is room, so an entry's number never changes meaning and a known field costs one dict
look-up. Everything else, above all what callers choose, goes out as a literal that no table remembers, which also keeps
secrets out of the compression context (RFC 7541 section 7.1). hpack's own encoder searches its tables and Huffman-codes
each field of each request, at several times the cost. Source: RFC 7541.
"""

from __future__ import annotations

from collections.abc import Iterable

from hpack.hpack import encode_integer
from hpack.table import HeaderTable

Header = tuple[bytes, bytes]

DEFAULT_TABLE_BYTES = 4096
_ENTRY_OVERHEAD_BYTES = 32  # RFC 7541 section 4.1
_STATIC_COUNT = len(HeaderTable.STATIC_TABLE)

_REPEATING = frozenset(
    b":method :scheme :path :authority :status te content-type user-agent grpc-accept-encoding grpc-encoding server".split()
)
_SENSITIVE = frozenset((b"authorization", b"proxy-authorization", b"cookie", b"set-cookie"))

_INDEXED, _INCREMENTAL, _NEVER_INDEXED, _SIZE_UPDATE = 0x80, 0x40, 0x10, 0x20

_OCTETS = [bytes((octet,)) for octet in range(256)]


def _integer(value: int, prefix_bits: int, flag: int) -> bytes:
    if value < (1 << prefix_bits) - 1:  # nearly every name's number and every length
        return _OCTETS[value | flag]
    coded = encode_integer(value, prefix_bits)
    coded[0] |= flag
    return bytes(coded)


_STATIC = {
    (name, value): _integer(index + 1, 7, _INDEXED)
    for index, (name, value) in enumerate(HeaderTable.STATIC_TABLE)
    if value
}
_STATIC_NAME: dict[bytes, int] = {}
for _index, (_name, _) in enumerate(HeaderTable.STATIC_TABLE):
    _STATIC_NAME.setdefault(_name, _index + 1)


_DYNAMIC = [
    _integer(_STATIC_COUNT + newness, 7, _INDEXED)
    for newness in range(DEFAULT_TABLE_BYTES // _ENTRY_OVERHEAD_BYTES + 1)
]
"""The indexed representation of the entry that is `newness` insertions old, 1 for the newest."""


class HeaderEncoder:
    """The encoder of one connection; `encode` and `header_table_size` are what h2 asks of one."""

    def __init__(self) -> None:
        self._numbers: dict[Header, int] = {}
        self._used_bytes = 0
        self._table_bytes = DEFAULT_TABLE_BYTES
        self._shrunk = False

    @property
    def header_table_size(self) -> int:
        """The bytes this encoder may use of the peer's dynamic table."""
        return self._table_bytes

    @header_table_size.setter
    def header_table_size(self, value: int) -> None:
        """The peer's SETTINGS_HEADER_TABLE_SIZE; a larger table than the default is not used."""
        if value < self._table_bytes:
            self._table_bytes = value
            self._shrunk = True

    def encode(self, headers: Iterable[Header]) -> bytes:
        """One header block. Names must be lower case; the caller vouches for the values."""
        out = bytearray()
        if self._shrunk:
            self._empty_table(out)
        for field in headers:
            coded = _STATIC.get(field)
            if coded is None:
                number = self._numbers.get(field)
                if number is not None:
                    out += _DYNAMIC[len(self._numbers) - number]
                    continue
                coded = self._literal(field)
            out += coded
        return bytes(out)

    def _empty_table(self, out: bytearray) -> None:
        """Tell the peer to drop all entries and keep the smaller size; must stand before the first field."""
        out += _integer(0, 5, _SIZE_UPDATE) + _integer(self._table_bytes, 5, _SIZE_UPDATE)
        self._numbers.clear()
        self._used_bytes = 0
        self._shrunk = False

    def _literal(self, field: Header) -> bytes:
        name, value = field
        size = len(name) + len(value) + _ENTRY_OVERHEAD_BYTES
        if name in _REPEATING and self._used_bytes + size <= self._table_bytes:
            self._numbers[(name, value)] = len(self._numbers)
            self._used_bytes += size
            return _with_name(name, value, 6, _INCREMENTAL)
        return _with_name(name, value, 4, _NEVER_INDEXED if name in _SENSITIVE else 0)


def _with_name(name: bytes, value: bytes, prefix_bits: int, flag: int) -> bytes:
    index = _STATIC_NAME.get(name, 0)
    head = _integer(index, prefix_bits, flag) + (b"" if index else _string(name))
    return head + _string(value)


def _string(text: bytes) -> bytes:
    """A string literal without Huffman coding: a copy for the peer to decode, and for us to encode."""
    return _integer(len(text), 7, 0) + text
