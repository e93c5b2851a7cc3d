"""What Consul refuses of entries together, in its words; `tests/mesh` holds the words to a real Consul."""

from __future__ import annotations

import pytest

from meshconfig.consul_graph import refused_together
from meshconfig.items import Entry
from tests.mesh.refused_entries import TOGETHER


@pytest.mark.parametrize(("entries", "message"), TOGETHER)
def test_entries_that_do_not_fit_together(entries: list[Entry], message: str) -> None:
    """By the reason Consul gives; without the last one, it has none."""
    assert message in list(refused_together(entries))
    assert list(refused_together(entries[:-1])) == []
