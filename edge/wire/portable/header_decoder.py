"""
hpack's decoder with a memory for blocks it has seen, and a bound on the number of fields.

Owns the condition under which a block may be remembered: the dynamic table has not changed since, and reading the block does
not change it. Services answer with the same few blocks call after call, and decoding them is most of a call's cost in Python.
hpack bounds the size of a list alone, of which a peer can make thousands of fields with a byte each; reading them takes 50 ms.
"""

from __future__ import annotations

from collections.abc import Iterable

from hpack import HeaderTuple
from hpack.exceptions import HPACKDecodingError, OversizedHeaderListError
from hpack.hpack import Decoder
from hpack.table import HeaderTable

MAX_BLOCKS = 64
MAX_BLOCK_BYTES = 256
MAX_FIELDS = 32
"""Bounds on the memory; a peer that sends ever new blocks only makes it forget. A field takes 70 bytes here and may take one there."""


_FIELD_OVERHEAD_BYTES = 32  # RFC 7541 section 4.1
_INDEXED, _INCREMENTAL, _SIZE_UPDATE = 0x80, 0x40, 0x20


class _WatchedTable(HeaderTable):
    """A dynamic table that notes when it changes."""

    changed = False

    def add(self, name: bytes, value: bytes) -> None:
        self.changed = True
        super().add(name, value)


class RememberingDecoder(Decoder):
    """The decoder of one connection; raises what hpack's raises. The lists it returns must not be changed."""

    def __init__(self, max_header_list_size: int, max_fields: int) -> None:
        super().__init__(max_header_list_size)
        self._max_fields = max_fields
        self._table = self.header_table = _WatchedTable()
        self._known: dict[bytes, list[HeaderTuple]] = {}

    def _update_encoding_context(self, data: bytes | memoryview) -> int:
        self._table.changed = True  # a size update may evict
        return super()._update_encoding_context(data)

    def decode(self, data: bytes, raw: bool = True) -> Iterable[HeaderTuple]:
        """The fields of a block, as bytes whatever `raw` says."""
        known = self._known.get(data)
        if known is not None:
            return known
        self._table.changed = False
        headers = self._fields(data)
        if self._table.changed or len(self._known) >= MAX_BLOCKS:
            self._known.clear()
        if not self._table.changed and len(data) <= MAX_BLOCK_BYTES and len(headers) <= MAX_FIELDS:
            self._known[data] = headers
        return headers

    def _fields(self, data: bytes) -> list[HeaderTuple]:
        """The loop of hpack's, with one more reason to stop."""
        view = memoryview(data)
        headers: list[HeaderTuple] = []
        size = index = 0
        while index < len(data):
            first = data[index]
            if first & _INDEXED:
                header, used = self._decode_indexed(view[index:])
            elif first & _INCREMENTAL:
                header, used = self._decode_literal_index(view[index:])
            elif first & _SIZE_UPDATE:
                if headers:
                    raise HPACKDecodingError("a table size update inside a block")
                index += self._update_encoding_context(view[index:])
                continue
            else:
                header, used = self._decode_literal_no_index(view[index:])
            headers.append(header)
            size += len(header[0]) + len(header[1]) + _FIELD_OVERHEAD_BYTES
            if size > self.max_header_list_size or len(headers) > self._max_fields:
                raise OversizedHeaderListError(f"a header list of {len(headers)} fields and {size} bytes")
            index += used
        self._assert_valid_table_size()
        return headers
