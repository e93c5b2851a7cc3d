"""The Consul client as `certs` asks it: what is asked, and what a failure becomes."""

from __future__ import annotations

import pytest

from certs.consul_connect import LEAF_PATH, ROOTS_PATH
from edge.app.connect_agent import ClientAgent, connect_source
from tests.consul.scenes import client_of, until
from tests.peers.consul_double import running_double


async def test_roots_and_leaf_with_their_index() -> None:
    async with running_double() as double, client_of(double) as client:
        agent = ClientAgent(client, "edge")
        roots = await agent.get(ROOTS_PATH, index=0, wait_s=300)
        assert roots.body["Roots"]
        assert roots.index > 0
        leaf = await agent.get(f"{LEAF_PATH}edge", index=0, wait_s=300)
        assert leaf.body["Service"] == "edge"


async def test_a_query_with_an_index_blocks_for_its_wait() -> None:
    """Answered when the wait is over; without an index it would be at once."""
    async with running_double() as double, client_of(double) as client:
        agent = ClientAgent(client, "edge")
        first = await agent.get(ROOTS_PATH, index=0, wait_s=300)
        again = await agent.get(ROOTS_PATH, index=first.index, wait_s=0.05)
        assert again == first


async def test_a_refusal_is_an_oserror_with_the_reason() -> None:
    async with running_double(acl=True) as double, client_of(double, "nobody's") as client:
        with pytest.raises(OSError, match="the token is not known to Consul"):
            await ClientAgent(client, "edge").get(f"{LEAF_PATH}edge", index=0, wait_s=300)


async def test_a_source_of_our_certificate() -> None:
    async with running_double() as double, client_of(double) as client:
        source = connect_source(client, "edge")
        await source.start()
        await until(source.current, "an identity")
        identity = source.current()
        assert identity is not None
        assert identity.spiffe_id.path.endswith("/svc/edge")
        await source.stop()
