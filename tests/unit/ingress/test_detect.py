"""Which protocol a connection speaks: by ALPN, or by its first bytes however they are split."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from edge.ingress.connections import Connections, ConnectionSlots
from edge.ingress.detect import PREFACE, AlpnSwitch, PrefaceSwitch
from edge.ingress.http1 import Http1Connection
from edge.ingress.http1_limits import Http1Limits
from edge.ingress.http2 import Http2Connection
from edge.ingress.service import Answer
from edge.wire.portable.h2_session import PortableH2Session
from edge.wire.session import HeadersReceived, Role
from tests.unit.ingress.doubles import FakeTransport, run, turns
from tests.unit.ingress.http2_wire import Service2, request, small_session

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Transport(FakeTransport):
    """One whose protocol may change."""

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, asyncio.Protocol)
        self.protocol = protocol

    def get_extra_info(self, name: str, default: object = None) -> object:
        return Tls(self.alpn) if name == "ssl_object" else super().get_extra_info(name, default)

    alpn: str | None = None


class Tls:
    def __init__(self, alpn: str | None) -> None:
        self._alpn = alpn

    def selected_alpn_protocol(self) -> str | None:
        return self._alpn


class Scene:
    def __init__(self, *, alpn: str | None = None, tls: bool = False, slots: int = 10) -> None:
        self.slots = ConnectionSlots(slots)
        self.connections = Connections(self.slots)
        service = Service2(answer=Answer(200))
        given = (service, Http1Limits(), self.connections, asyncio.get_running_loop())
        http1: Callable[[], Http1Connection] = partial(Http1Connection, *given)
        http2: Callable[[], Http2Connection] = partial(Http2Connection, *given, small_session)
        switch = AlpnSwitch(http1, http2) if tls else PrefaceSwitch(http1, http2, self.connections)
        self.transport = Transport(switch, tls=tls)
        self.transport.alpn = alpn
        switch.connection_made(self.transport)

    async def send(self, *pieces: bytes) -> bytes:
        for piece in pieces:
            self.transport.protocol.data_received(piece)
            await turns(3)
        return self.transport.out

    async def hang_up(self) -> None:
        self.transport.lose()
        await turns()
        assert (len(self.connections), self.slots.used) == (0, 0)


def asked() -> tuple[PortableH2Session, bytes]:
    """A client that sent one request, and what it sent."""
    client = PortableH2Session(Role.CLIENT)
    client.open(request(), end=True)
    return client, client.take()


def answered(client: PortableH2Session, out: bytes) -> bool:
    return any(isinstance(event, HeadersReceived) for event in client.receive(out))


@pytest.mark.parametrize("cut", range(len(PREFACE) + 2))
def test_the_preface_is_seen_however_it_is_split(cut: int) -> None:
    async def scenario() -> None:
        scene = Scene()
        client, sent = asked()
        assert answered(client, await scene.send(sent[:cut], sent[cut:]))
        assert isinstance(scene.transport.protocol, Http2Connection)
        assert len(scene.connections) == 1
        await scene.hang_up()

    run(scenario())


def test_the_preface_byte_by_byte() -> None:
    async def scenario() -> None:
        scene = Scene()
        client, sent = asked()
        assert answered(client, await scene.send(*(sent[n : n + 1] for n in range(len(sent)))))
        await scene.hang_up()

    run(scenario())


@pytest.mark.parametrize("cut", [0, 1, 5, len(GET)])
@pytest.mark.parametrize("method", [b"GET", b"PUT", b"PRI", b"P", b"PRIX"])
def test_everything_else_is_http1(method: bytes, cut: int) -> None:
    """Methods that begin like the preface too."""

    async def scenario() -> None:
        scene = Scene()
        data = GET.replace(b"GET", method)
        out = await scene.send(data[:cut], data[cut:])
        assert out.startswith(b"HTTP/1.1 ")
        assert isinstance(scene.transport.protocol, Http1Connection)
        await scene.hang_up()

    run(scenario())


def test_a_preface_that_turns_wrong_is_http1s_to_refuse() -> None:
    async def scenario() -> None:
        scene = Scene()
        assert (await scene.send(PREFACE[:-1] + b"x")).startswith(b"HTTP/1.1 ")
        await turns()
        await scene.hang_up()

    run(scenario())


def test_the_preface_on_a_kept_http1_connection_is_refused() -> None:
    """Only the first bytes choose."""

    async def scenario() -> None:
        scene = Scene()
        await scene.send(GET)
        _, sent = asked()
        assert b"HTTP/1.1 505 " in await scene.send(sent)
        await scene.hang_up()

    run(scenario())


def test_one_that_says_nothing_is_closed_at_the_head_timeout() -> None:
    async def scenario() -> None:
        scene = Scene()
        await scene.send(PREFACE[:10])
        await asyncio.sleep(10.1)
        assert scene.transport.closed
        await scene.hang_up()

    run(scenario())


def test_a_connection_keeps_its_slot_when_it_turns_out_to_be_http2() -> None:
    async def scenario() -> None:
        scene = Scene(slots=1)
        client, sent = asked()
        assert answered(client, await scene.send(sent))
        assert scene.slots.used == 1
        await scene.hang_up()

    run(scenario())


def test_one_over_the_limit_is_refused_in_http1() -> None:
    async def scenario() -> None:
        scene = Scene(slots=0)
        _, sent = asked()
        assert (await scene.send(sent)).startswith(b"HTTP/1.1 503 ")
        await scene.hang_up()

    run(scenario())


@pytest.mark.parametrize(
    ("alpn", "kind"), [("h2", Http2Connection), ("http/1.1", Http1Connection), (None, Http1Connection)]
)
def test_over_tls_alpn_decides(alpn: str | None, kind: type) -> None:
    async def scenario() -> None:
        scene = Scene(alpn=alpn, tls=True)
        assert isinstance(scene.transport.protocol, kind)
        await scene.hang_up()

    run(scenario())
