"""An endpoint's dials and its backoff."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import cast

from edge.upstream.endpoint import Endpoint
from tests.unit.upstream.scripted import scripted, until
from tests.unit.upstream.services import plan, serving


class Pumps:
    """A listener that counts."""

    def __init__(self) -> None:
        self.count = 0

    def pump(self) -> None:
        self.count += 1


async def test_each_failure_lengthens_the_backoff_and_success_ends_it() -> None:
    async with scripted() as server:
        with serving() as gone:
            pass
        pumps = Pumps()
        endpoint = Endpoint("127.0.0.1", gone.port, plan(backoff_initial_s=0.1, backoff_max_s=0.2), pumps)
        loop = asyncio.get_running_loop()
        for low, high in ((0.07, 0.13), (0.15, 0.25), (0.15, 0.25)):
            endpoint.start_dial()
            assert endpoint.dialing
            await until(lambda: not endpoint.dialing)
            assert low < endpoint.retry_at - loop.time() < high
        assert endpoint.last_error
        assert pumps.count == 3
        endpoint.port = server.port
        endpoint.start_dial()
        await until(lambda: not endpoint.dialing)
        assert (len(endpoint.links), endpoint.retry_at, endpoint.last_error) == (1, 0.0, "")
        endpoint.links[0].close()
        await until(lambda: not endpoint.open)


async def test_a_service_that_says_goodbye_at_once_counts_as_a_failure() -> None:
    """Else it would be dialled again and again without a pause."""

    async with scripted() as server:
        server.leaving = True
        endpoint = Endpoint("127.0.0.1", server.port, plan(), Pumps())
        endpoint.start_dial()
        await until(lambda: not endpoint.dialing)
        assert endpoint.links == []
        assert endpoint.retry_at > 0


async def test_an_ipv6_address_is_written_in_brackets() -> None:
    assert Endpoint("::1", 5, plan(), Pumps()).address == "[::1]:5"


async def test_a_bug_in_a_dial_backs_off_like_a_failure() -> None:
    """Else every waiting call would repeat it at once, for ever."""
    async with scripted() as server:
        wrong = replace(plan(), connect_timeout_s=cast(float, "soon"))
        endpoint = Endpoint("127.0.0.1", server.port, wrong, Pumps())
        endpoint.start_dial()
        await until(lambda: not endpoint.dialing)
        assert endpoint.retry_at > asyncio.get_running_loop().time()
        assert "TypeError" in endpoint.last_error
