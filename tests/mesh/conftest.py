"""A Consul for each test, as a double and as the real agent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from edge.cli.mesh_consul import ConsulEntries
from meshconfig.consul_store import ConfigEntries
from tests.mesh.consul_entries import MemoryEntries, consul_binary, empty, entries_at, running_consul
from tests.unit.cli.conftest import edge, mesh, shop

__all__ = ["edge", "mesh", "shop"]  # fixtures of the commands' own tests


@pytest.fixture(scope="session")
def consul_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real agent, one for all tests."""
    if consul_binary() is None:
        pytest.skip("no Consul agent in .cache: only the double is tested")
    with running_consul(tmp_path_factory.mktemp("consul")) as url:
        yield url


@pytest.fixture
def consul(consul_url: str) -> ConsulEntries:
    """The real agent, empty."""
    store = entries_at(consul_url)
    empty(store)
    return store


@pytest.fixture(params=["memory", "consul"])
def store(request: pytest.FixtureRequest) -> ConfigEntries:
    """Both, one after the other."""
    if request.param == "memory":
        return MemoryEntries()
    found: ConsulEntries = request.getfixturevalue("consul")
    return found
