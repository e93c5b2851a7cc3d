"""A Consul for each test, as a double and as the real agent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from meshconfig.consul_http import ConsulHttp
from meshconfig.consul_store import ConfigEntries
from tests.mesh.consul_entries import MemoryEntries, consul_binary, empty, running_consul


@pytest.fixture(scope="session")
def consul_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real agent, one for all tests."""
    if consul_binary() is None:
        pytest.skip("no Consul agent in .cache: only the double is tested")
    with running_consul(tmp_path_factory.mktemp("consul")) as url:
        yield url


@pytest.fixture
def consul(consul_url: str) -> ConsulHttp:
    """The real agent, empty."""
    store = ConsulHttp(consul_url)
    empty(store)
    return store


@pytest.fixture(params=["memory", "consul"])
def store(request: pytest.FixtureRequest) -> ConfigEntries:
    """Both, one after the other."""
    if request.param == "memory":
        return MemoryEntries()
    found: ConsulHttp = request.getfixturevalue("consul")
    return found
