"""
Where Consul's entries live, as far as policies need it: read, list, compare-and-set.

Owns the interface; `edge.cli.mesh_consul` is Consul itself. `cas` is the ModifyIndex the caller saw, 0 for "only if there is none".
"""

from __future__ import annotations

from typing import Protocol

from meshconfig.items import Entry


class StoreError(Exception):
    """Consul refused, or cannot be asked; the text is for the operator."""


class ConfigEntries(Protocol):
    """Every method raises StoreError. A write or delete that finds another index than `cas` is False."""

    def read(self, kind: str, name: str) -> Entry | None:
        """One entry, None when there is none."""

    def listed(self, kind: str) -> list[Entry]:
        """All of a kind; empty also for a kind this Consul does not know."""

    def write(self, entry: Entry, cas: int) -> bool:
        """Create or replace. What changes nothing is True, whatever `cas` says."""

    def delete(self, kind: str, name: str, cas: int) -> bool:
        """Remove; True when there is none."""
