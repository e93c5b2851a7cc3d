"""What places and an identity mean for a pool. With real peers: tests/identity, tests/kubernetes, tests/sidecar."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from edge.app.located import Located, Places, Written
from edge.config.upstream_models import Upstream
from edge.upstream.endpoint import Dialled
from edge.upstream.pool import Pool
from tests.unit.certs.fixed_source import FixedSource
from tests.unit.certs.mint import EDGE, SHOP, identity, mint, root
from tests.unit.upstream.services import plan

CA = root()
BY_ID: dict[str, Any] = {"endpoints": ["a:1"], "tls": {"spiffe_ids": [SHOP], "server_name": "shop.internal"}}


class Told:
    """A PlaceSource that the test speaks for."""

    def __init__(self) -> None:
        self.say: Callable[[Places], None] = lambda _: None
        self.reason: str | None = "waiting for word"
        self.stopped = False

    def start(self, publish: Callable[[Places], None]) -> None:
        self.say = publish

    async def stop(self) -> None:
        self.stopped = True

    def fault(self) -> str | None:
        return self.reason

    def why_none(self) -> str:
        return "nobody there"

    def state(self) -> object:
        return None


@asynccontextmanager
async def located(
    section: dict[str, Any], places: Told | Written, source: FixedSource | None
) -> AsyncIterator[tuple[Located, Pool]]:
    found = Located((Upstream.model_validate(section), None), places, source)
    pool = Pool("shop", [], plan())
    try:
        yield found, pool
    finally:
        await found.stop()
        found.close()
        await pool.close(0)


def endpoints(pool: Pool) -> list[Dialled]:
    return pool._slots._keys


async def test_places_become_endpoints() -> None:
    """Those heard before there was a pool, and each set after it."""
    told = Told()
    async with located({"kubernetes": {"service": "a"}}, told, None) as (found, pool):
        assert found.fault() == "waiting for word"
        told.say((("10.0.0.1", 1),))
        assert found.fault() is None, "what was heard stands, whatever the source says now"
        found.serve(pool)
        assert endpoints(pool) == [Dialled("10.0.0.1", 1)]
        told.say((("10.0.0.2", 1), ("10.0.0.1", 1)))
        assert endpoints(pool) == [Dialled("10.0.0.2", 1), Dialled("10.0.0.1", 1)]
    assert told.stopped


async def test_why_there_is_none() -> None:
    """The reason calls get: nothing heard yet, or nobody there."""
    told = Told()
    async with located({"kubernetes": {"service": "a"}}, told, None) as (found, pool):
        found.serve(pool)
        assert pool._slots._why_none() == "waiting for word"
        told.reason = None
        told.say(())
        assert pool._slots._why_none() == "nobody there"


async def test_by_identity_each_place_expects_the_ids_named() -> None:
    """And there is none before we have a certificate; a withdrawn one leaves the places, whose dials then say why."""
    source = FixedSource()
    async with located(BY_ID, Written((("a", 1),)), source) as (found, pool):
        found.serve(pool)
        assert endpoints(pool) == []
        assert "no certificate" in (found.fault() or "")
        source.publish(identity(mint(CA, EDGE), CA))
        (only,) = endpoints(pool)
        assert (only.host, only.port, only.expects) == ("a", 1, (SHOP, "shop.internal"))
        assert only.security is not None
        assert (only.security.name_for("a"), only.security.fault()) == ("shop.internal", None)
        assert found.fault() is None
        source.withdraw("not ours any more")
        assert len(endpoints(pool)) == 1
        assert "not ours any more" in (only.security.fault() or "")


async def test_no_server_name_is_sent_unasked() -> None:
    source = FixedSource(identity(mint(CA, EDGE), CA))
    async with located({"endpoints": ["a:1"], "tls": {"spiffe_ids": [SHOP]}}, Written((("a", 1),)), source) as (
        found,
        pool,
    ):
        found.serve(pool)
        (only,) = endpoints(pool)
        assert only.security is not None
        assert only.security.name_for("a") == ""
