"""What Consul refuses of one entry, in its words; `tests/mesh` holds the words to a real Consul."""

from __future__ import annotations

import pytest

from meshconfig.consul_rules import refused
from meshconfig.items import Entry
from tests.mesh.refused_entries import ALLOW, ALONE, intentions


@pytest.mark.parametrize(("entry", "message"), ALONE)
def test_a_bad_entry_is_refused(entry: Entry, message: str) -> None:
    """By the reason Consul gives."""
    assert message in list(refused(entry))


@pytest.mark.parametrize("sources", [({**ALLOW, "Peer": "east"}, ALLOW), (ALLOW, {**ALLOW, "Peer": "east"})])
def test_a_service_of_a_peer_is_another(sources: tuple[Entry, Entry]) -> None:
    """Somebody's source for it must not keep ours of the same name out."""
    assert list(refused(intentions(*sources))) == []
