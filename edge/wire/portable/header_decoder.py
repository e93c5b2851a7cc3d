"""
hpack's decoder with a memory for blocks it has seen.

Owns the condition under which a block may be remembered: the dynamic table has not changed since, and reading the block does
not change it. Services answer with the same few blocks call after call, and decoding them is most of a call's cost in Python.
"""

from __future__ import annotations

from collections.abc import Iterable

from hpack import HeaderTuple
from hpack.hpack import Decoder
from hpack.table import HeaderTable

MAX_BLOCKS = 64
MAX_BLOCK_BYTES = 256
"""Bounds on the memory; a peer that sends ever new blocks only makes it forget."""


class _WatchedTable(HeaderTable):
    """A dynamic table that notes when it changes."""

    changed = False

    def add(self, name: bytes, value: bytes) -> None:
        self.changed = True
        super().add(name, value)


class RememberingDecoder(Decoder):
    """The decoder of one connection; raises what hpack's raises. The lists it returns must not be changed."""

    def __init__(self, max_header_list_size: int) -> None:
        super().__init__(max_header_list_size)
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
        headers = list(super().decode(data, raw=True))
        if self._table.changed or len(self._known) >= MAX_BLOCKS:
            self._known.clear()
        if not self._table.changed and len(data) <= MAX_BLOCK_BYTES:
            self._known[data] = headers
        return headers
