"""A listener behind a door, on both event loops: who is not admitted is not read, and each is served in what it speaks."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest
import uvloop

from certs.leaf import Side
from certs.peer import Peer, PeerRules
from certs.rotation import RotatingContexts
from edge.core.consul_identity import MeshService
from edge.core.mesh_caller import Caller
from edge.ingress.connections import ConnectionSlots
from edge.ingress.http1_limits import Http1Limits
from edge.ingress.mesh_listener import ALPN, MeshListener
from edge.ingress.service import Answer, Call, Head, Service, StreamCall
from edge.ingress.visits import Ending, Visit
from edge.outcome import Refusal
from tests.consul.callers import presenting
from tests.unit.certs.fixed_source import FixedSource
from tests.unit.certs.mint import EDGE, SHOP, identity, mint, root
from tests.unit.ingress.doubles import Recorder

CA = root()
SHOPS = mint(CA, SHOP)
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))


class Named:
    """A service that knows of whom it is called."""

    def __init__(self, service: Service, caller: Caller) -> None:
        self._service = service
        self._caller = caller

    def begin(self, head: Head) -> Call | StreamCall | Answer:
        head.caller = self._caller
        return self._service.begin(head)

    def refuse(self, head: Head | None, refusal: Refusal) -> Answer:
        return self._service.refuse(head, refusal)


class Door:
    """Open to whom a certificate names, unless shut."""

    grace_s = 0.2

    def __init__(self) -> None:
        self._contexts = RotatingContexts(FixedSource(identity(mint(CA, EDGE), CA)), PeerRules(Side.DOWNSTREAM), ALPN)
        self.context = self._contexts.context
        self.open = True
        self.old = False
        self.endings: list[Ending] = []
        self.watchers: list[Callable[[], None]] = []

    def admit(self, transport: asyncio.BaseTransport) -> Visit | None:
        found = self._contexts.verify(transport.get_extra_info("ssl_object"))
        assert isinstance(found, Peer)
        return Visit(Caller(str(found.spiffe_id), MeshService("shop", "dc1")), 0.0) if self.open else None

    def guarded(self, service: Service, visit: Visit) -> Service:
        return Named(service, visit.caller)

    def why_end(self, visit: Visit, now: float) -> tuple[Ending, str] | None:
        return (Ending.AGE, "old") if self.old else None

    def ended(self, ending: Ending) -> None:
        self.endings.append(ending)

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        self.watchers.append(changed)
        return lambda: self.watchers.remove(changed)


class Scene:
    """A listener, its door and its service."""

    def __init__(self) -> None:
        self.door, self.service = Door(), Recorder()
        self.listener = MeshListener(self.door, self.service, Http1Limits(), ConnectionSlots(10))

    async def start(self) -> int:
        sock = socket.create_server(("127.0.0.1", 0))
        await self.listener.start(sock)
        return int(sock.getsockname()[1])


Test = Callable[[Callable[[Scene, int], Coroutine[Any, Any, None]]], None]


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Test:
    def runner(scenario: Callable[[Scene, int], Coroutine[Any, Any, None]]) -> None:
        async def whole() -> None:
            scene = Scene()
            await scenario(scene, await scene.start())
            await scene.listener.drain(1.0)
            assert scene.door.watchers == []
            assert len(scene.listener.visits) == 0

        request.param(whole())

    return runner


async def connected(port: int, *alpn: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    context = presenting(SHOPS)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return await asyncio.open_connection("127.0.0.1", port, ssl=context)


async def left(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError, ssl.SSLError):
        await writer.wait_closed()


@pytest.mark.parametrize(
    ("alpn", "speaks"),
    [((), REQUEST), ((), PREFACE), (("http/1.1",), REQUEST), (("h2",), PREFACE), (("http/1.1", "h2"), PREFACE)],
    ids=["none-http1", "none-http2", "http1", "http2", "ours is preferred"],
)
def test_each_is_served_in_what_it_speaks(run: Test, alpn: tuple[str, ...], speaks: bytes) -> None:
    """By ALPN, and where there is none by the first bytes."""
    wanted = b"HTTP/1.1 200" if speaks is REQUEST else b"\x00\x00"

    async def scenario(scene: Scene, port: int) -> None:
        scene.service.begin_with = lambda _: Answer(200)
        reader, writer = await connected(port, *alpn)
        writer.write(speaks)
        assert (await reader.readexactly(len(wanted))) == wanted
        if speaks is REQUEST:
            caller = scene.service.heads[0].caller
            assert caller is not None
            assert caller.spiffe_id == SHOP
        await left(writer)

    run(scenario)


def test_who_is_not_admitted_is_not_read(run: Test) -> None:
    """Nor does it take a slot."""

    async def scenario(scene: Scene, port: int) -> None:
        scene.door.open = False
        said = b"not yet"
        with suppress(OSError):
            reader, writer = await connected(port, "http/1.1")
            writer.write(REQUEST)
            said = b""
            said = await reader.read()
            await left(writer)
        assert said in {b"", b"not yet"}
        assert scene.service.heads == []
        assert scene.listener.connections == 0

    run(scenario)


def test_a_connection_that_must_end_is_told_and_cut(run: Test) -> None:
    """When the door says that something changed: HTTP/1.1 with the next answer; one that says nothing more is cut."""

    async def scenario(scene: Scene, port: int) -> None:
        scene.service.begin_with = lambda _: Answer(200)
        lines = [await connected(port, "http/1.1") for _ in range(2)]
        for reader, writer in lines:
            writer.write(REQUEST)
            assert b"connection: close" not in (await reader.readuntil(b"\r\n\r\n")).lower()
        scene.door.old = True
        scene.door.watchers[0]()
        (told, asks), (silent, idle) = lines
        asks.write(REQUEST)
        assert b"connection: close" in (await told.read()).lower()
        async with asyncio.timeout(5):
            with suppress(OSError):
                assert await silent.read() == b""
        assert scene.door.endings == [Ending.AGE] * 2
        await left(asks)
        await left(idle)

    run(scenario)
