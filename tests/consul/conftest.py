"""
Consul for tests: the real agent where `make consul` built one, and the double.

`peer` is each of the two in turn, without access rules; `guarded` the same with them. A test's name says which it ran against.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.consul.scenes import Peer
from tests.peers.consul_agent import ConsulAgent, consul_binary, running_agent
from tests.peers.consul_double import running_double

KINDS = ("double", "consul")


@pytest.fixture
def unique() -> Callable[[str], str]:
    """Names no other test has: real agents are shared."""
    suffix = uuid.uuid4().hex[:8]
    return lambda name: f"{name}-{suffix}"


@pytest.fixture(scope="session")
def open_agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsulAgent]:
    """A real agent without access rules, for tests that leave it as it was."""
    if consul_binary() is None:
        pytest.skip("the real Consul is not built: make consul")
    with running_agent(tmp_path_factory.mktemp("consul-open")) as agent:
        yield agent


@pytest.fixture(scope="session")
def guarded_agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsulAgent]:
    """The same with access rules that deny by default."""
    if consul_binary() is None:
        pytest.skip("the real Consul is not built: make consul")
    with running_agent(tmp_path_factory.mktemp("consul-guarded"), acl=True) as agent:
        yield agent


@pytest.fixture(params=KINDS)
async def peer(request: pytest.FixtureRequest) -> AsyncIterator[Peer]:
    """Each Consul in turn, without access rules."""
    if request.param == "double":
        async with running_double() as double:
            yield double
    else:
        yield request.getfixturevalue("open_agent")


@pytest.fixture(params=KINDS)
async def guarded(request: pytest.FixtureRequest) -> AsyncIterator[Peer]:
    """Each Consul in turn, with access rules."""
    if request.param == "double":
        async with running_double(acl=True) as double:
            yield double
    else:
        yield request.getfixturevalue("guarded_agent")


@pytest.fixture
def real_folder(tmp_path: Path) -> Path:
    """A folder for an agent of the test's own; skips without the real Consul."""
    if consul_binary() is None:
        pytest.skip("the real Consul is not built: make consul")
    return tmp_path
