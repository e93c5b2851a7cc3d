"""Our copies of Consul's rules say what a real Consul says, word for word."""

from __future__ import annotations

import re

import pytest

from edge.cli.mesh_consul import ConsulEntries
from meshconfig.consul_store import StoreError
from meshconfig.items import Entry
from tests.mesh.refused_entries import ALONE, TOGETHER


@pytest.mark.parametrize(("entry", "message"), ALONE)
def test_consul_refuses_the_entry_in_these_words(entry: Entry, message: str, consul: ConsulEntries) -> None:
    """The agent's answer holds our text."""
    with pytest.raises(StoreError, match=re.escape(message)):
        consul.write(entry, 0)


@pytest.mark.parametrize(("entries", "message"), TOGETHER)
def test_consul_refuses_the_last_entry_in_these_words(
    entries: list[Entry], message: str, consul: ConsulEntries
) -> None:
    """The others are taken."""
    for entry in entries[:-1]:
        assert consul.write(entry, 0)
    with pytest.raises(StoreError, match=re.escape(message)):
        consul.write(entries[-1], 0)
