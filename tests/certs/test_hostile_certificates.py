"""
R33, R57: some fifty certificates that prove nothing, in real handshakes, from services and from callers. None is ever used.

`make test` prints the count: pytest -s tests/certs/test_hostile_certificates.py.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from certs.leaf import Side
from certs.peer import Peer, PeerRules
from certs.rotation import RotatingContexts
from certs.secret_file import load_pair
from certs.spiffe import SpiffeId
from tests.certs.hostile import CA, CASES, PARTNER, Case
from tests.unit.certs.fixed_source import FixedSource
from tests.unit.certs.meeting import call, serving
from tests.unit.certs.mint import EDGE, SHOP, Minted, identity, mint

SOURCE = FixedSource(identity(mint(CA, EDGE), CA, federated={"partner.test": [PARTNER]}))
TO_SHOP = PeerRules(Side.UPSTREAM, frozenset({SpiffeId.parse(SHOP)}))
CALLERS = PeerRules(Side.DOWNSTREAM)
GOOD = mint(CA, SHOP)


def test_the_table_is_as_long_as_the_row_asks() -> None:
    """R33 wants forty; and each case has a name of its own."""
    print(f"{len(CASES)} certificates, {sum(case.upstream is not None for case in CASES)} from services, "
          f"{sum(case.downstream is not None for case in CASES)} from callers")  # fmt: skip
    assert len({case.name for case in CASES}) == len(CASES) >= 40


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, None]], None]:
    """Both loops: what they do with a failed handshake differs."""
    runner: Callable[[Coroutine[Any, Any, None]], None] = request.param
    return runner


@pytest.mark.parametrize("case", [case for case in CASES if case.upstream], ids=str)
def test_a_service_that_is_not_the_one_meant(case: Case, run: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    """Not one byte is sent to it, and the reason names what was wrong."""
    run(_dial(case))


async def _dial(case: Case) -> None:
    ours = RotatingContexts(SOURCE, TO_SHOP)
    async with serving(_presenting(ssl.PROTOCOL_TLS_SERVER, case.leaf)) as service:
        fault = await _fault_of_dial(service.port, ours)
        assert _says(fault, case.upstream), fault
        assert service.served == 0


async def _fault_of_dial(port: int, ours: RotatingContexts) -> str:
    try:
        line = await call(port, ours.context)
    except (
        ssl.SSLError,
        ValueError,
    ) as error:  # ValueError: asyncio decodes the names itself, and a URI may be no text
        return str(error)
    found = ours.verify(line.session)
    await line.end()
    return "" if isinstance(found, Peer) else str(found)


@pytest.mark.parametrize("case", [case for case in CASES if case.downstream], ids=str)
def test_a_caller_that_proves_nothing(case: Case, run: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    """Not one byte of its is taken; it sees a closed connection."""
    run(_be_called(case))


async def _be_called(case: Case) -> None:
    ours = RotatingContexts(SOURCE, CALLERS)
    faults = _collect_faults()

    def look(session: ssl.SSLObject) -> object:
        found = ours.verify(session)
        return None if isinstance(found, Peer) else found

    async with serving(ours.context, look) as service:
        with pytest.raises(OSError, match=r".*"):
            await _ask_once(service.port, case.leaf)
        await asyncio.sleep(0)
        assert service.served == 0
        told = [*service.refused, *faults]
        silent = isinstance(asyncio.get_running_loop(), uvloop.Loop) and not service.refused
        assert silent or any(_says(fault, case.downstream) for fault in told), told


async def _ask_once(port: int, leaf: Minted) -> bytes:
    line = await call(port, _presenting(ssl.PROTOCOL_TLS_CLIENT, leaf))
    try:
        return await line.ask()
    finally:
        await line.end()


def _collect_faults() -> list[str]:
    """What the loop is told of handshakes that failed (asyncio in debug mode; uvloop keeps it to itself)."""
    faults: list[str] = []

    def handler(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if "exception" in context:
            faults.append(str(context["exception"]))

    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.set_exception_handler(handler)
    return faults


def _says(fault: str, reason: str | None) -> bool:
    return any(part in fault for part in (reason or "").split("|")) and bool(fault)


def _presenting(kind: int, leaf: Minted) -> ssl.SSLContext:
    """A stranger that presents what it likes and asks nothing."""
    context = ssl.SSLContext(kind)
    if kind == ssl.PROTOCOL_TLS_CLIENT:
        context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    load_pair(context, leaf.chain_pem, leaf.key_pem)
    return context


@pytest.mark.parametrize("leaf", [GOOD, mint(CA, SHOP, name=None, dns=["shop.test"])], ids=["plain", "as Consul"])
def test_the_good_ones_are_used(leaf: Minted, run: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    """The table above would pass in a gateway that refuses everything."""
    run(_meet(leaf))


async def _meet(leaf: Minted) -> None:
    dialler, listener = RotatingContexts(SOURCE, TO_SHOP), RotatingContexts(SOURCE, CALLERS)
    async with serving(_presenting(ssl.PROTOCOL_TLS_SERVER, leaf)) as service:
        assert await _fault_of_dial(service.port, dialler) == ""
    async with serving(listener.context, lambda session: _fault(listener.verify(session))) as service:
        assert await _ask_once(service.port, leaf) == b"ping"


def _fault(found: object) -> object:
    return None if isinstance(found, Peer) else found


@pytest.mark.parametrize("case", [case for case in CASES if case.upstream is None or case.downstream is None], ids=str)
def test_what_is_bad_on_one_side_only(case: Case) -> None:
    """The other side takes it: the table says so on purpose."""

    async def meet() -> None:
        ours = RotatingContexts(SOURCE, TO_SHOP if case.upstream is None else CALLERS)
        if case.upstream is None:
            async with serving(_presenting(ssl.PROTOCOL_TLS_SERVER, case.leaf)) as service:
                assert await _fault_of_dial(service.port, ours) == ""
            return
        async with serving(ours.context, lambda session: _fault(ours.verify(session))) as service:
            assert await _ask_once(service.port, case.leaf) == b"ping"

    asyncio.run(meet())


FORGIVEN = {
    "a trust domain nobody trusts, signed by our root", "a subdomain of the trust domain", "the trust domain in upper case",
    "another case", "without key usage", "without purposes", "our name signed by the partner",
}  # fmt: skip
"""What a lenient dial takes of the table: names in another trust domain or case, usages left out. Nothing else."""


@pytest.mark.parametrize("case", [case for case in CASES if case.upstream], ids=str)
def test_lenient_forgives_no_more_than_it_says(case: Case) -> None:
    """The switch for migrations opens a few doors, and exactly those."""

    async def dial() -> str:
        ours = RotatingContexts(SOURCE, PeerRules(Side.UPSTREAM, TO_SHOP.expected, strict=False))
        async with serving(_presenting(ssl.PROTOCOL_TLS_SERVER, case.leaf)) as service:
            return await _fault_of_dial(service.port, ours)

    assert (asyncio.run(dial()) == "") is (case.name in FORGIVEN)
