"""What a set of instances means for a pool. With real peers: tests/consul/test_gateway.py, test_native_dial.py."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from edge.app.followed import Followed
from edge.config.consul_models import UpstreamConsul
from edge.consul.settings import lookup_of
from edge.core.consul_identity import MeshService
from edge.core.consul_instances import Instance
from edge.upstream.pool import Pool
from tests.consul.scenes import HASTY, client_of, until
from tests.peers.consul_double import running_double
from tests.unit.certs.fixed_source import FixedSource
from tests.unit.certs.mint import EDGE, identity, mint, root
from tests.unit.upstream.services import plan

CA = root()
ONE = Instance("127.0.0.1", 1001, 3, False, MeshService("shop", "dc1"), True, "shop-1", "n1")


@asynccontextmanager
async def following(source: FixedSource | None, dial: str = "native") -> AsyncIterator[tuple[Followed, Pool]]:
    """A followed upstream whose Consul knows nothing; tests say what it heard."""
    async with running_double() as double, client_of(double) as client:
        given = UpstreamConsul.model_validate({"service": "shop", "dial": dial})
        lookup = lookup_of(given)
        assert lookup is not None
        followed = Followed("shop", given, lookup, client, HASTY, source)
        pool = Pool("shop", [], plan())
        try:
            yield followed, pool
        finally:
            await followed.stop()
            followed.close()
            await pool.close(0)


def expected(pool: Pool) -> list[tuple[int, int, tuple[str, ...]]]:
    """Port, weight and expectation of each endpoint."""
    return [(each.port, each.weight, each.expects) for each in pool._slots._keys]


async def test_an_address_under_two_ids_is_one_endpoint_with_both_weights() -> None:
    async with following(None, "plain") as (followed, pool):
        followed.serve(pool)
        followed._heard((ONE, replace(ONE, id="shop-2", weight=2), replace(ONE, port=1002)))
        assert expected(pool) == [(1001, 5, ()), (1002, 3, ())]


async def test_in_the_mesh_each_endpoint_expects_its_own_identity() -> None:
    """By the service behind it, or as an exporting peer says."""
    async with following(FixedSource(identity(mint(CA, EDGE), CA))) as (followed, pool):
        followed.serve(pool)
        cart = replace(ONE, port=1002, identity=MeshService("cart", "dc2"), sni="cart.dc2")
        told = replace(ONE, port=1003, spiffe_ids=("spiffe://peer.test/x",))
        followed._heard((ONE, cart, told))
        assert expected(pool) == [
            (1001, 3, ("spiffe://td.test/ns/default/dc/dc1/svc/shop", "")),
            (1002, 3, ("spiffe://td.test/ns/default/dc/dc2/svc/cart", "cart.dc2")),
            (1003, 3, ("spiffe://peer.test/x", "")),
        ]


async def test_endpoints_wait_for_our_identity_and_keep_theirs_when_it_goes() -> None:
    source = FixedSource()
    async with following(source) as (followed, pool):
        followed.serve(pool)
        followed._heard((ONE,))
        assert expected(pool) == []
        assert followed.fault() == "no certificate from test: none has come yet"
        source.publish(identity(mint(CA, EDGE), CA))
        assert len(expected(pool)) == 1
        assert followed.fault() is None
        source.withdraw("not ours")
        assert len(expected(pool)) == 1
        assert "not ours" in (followed.fault() or "")


async def test_another_pool_gets_what_is_known() -> None:
    async with following(None, "plain") as (followed, pool):
        followed.serve(pool)
        followed._heard((ONE,))
        other = Pool("shop", [], plan())
        followed.serve(other)
        assert expected(other) == expected(pool) == [(1001, 3, ())]
        await other.close(0)


async def test_a_watch_that_breaks_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.app.followed._RESTART_S", 0.01)
    async with following(None, "plain") as (followed, _):
        first = followed._watch
        followed._task.cancel()
        await until(followed._task.done, "the end")

        async def broken() -> None:
            raise RuntimeError("a bug")

        monkeypatch.setattr(first, "run", broken)
        followed._task = asyncio.get_running_loop().create_task(followed._run())
        await until(lambda: followed._watch is not first and followed.state().ready, "another watch")
