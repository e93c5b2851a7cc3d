"""
What service-intentions let whom do, source by source.

Owns that reading for `explain`: the permission that lets a path in is named by its number. `consul_access` judges whole states.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from meshconfig.consul_access import ANYTHING_ELSE
from meshconfig.grants import Grant
from meshconfig.items import Entry


def consul_grants(entries: Iterable[Entry]) -> Iterator[Grant]:
    """Every allowance of these entries."""
    for entry in entries:
        for source in entry.get("Sources") or () if entry["Kind"] == "service-intentions" else ():
            via = f"service-intentions/{entry['Name']} source {source['Name']}"
            if source.get("Action") == "allow":
                yield Grant("consul", entry["Name"], source["Name"], frozenset({ANYTHING_ELSE}), via)
            for number, permission in enumerate(source.get("Permissions") or (), 1):
                if permission["Action"] == "allow":
                    paths = frozenset({permission["HTTP"]["PathExact"]})
                    yield Grant("consul", entry["Name"], source["Name"], paths, f"{via} permission {number}")
