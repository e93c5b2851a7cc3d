"""The table of dialects, and that no way through it leads past the policies."""

from __future__ import annotations

import asyncio
import dataclasses
from dataclasses import replace

import pytest

from edge.app.dialects import DIALECTS
from edge.core.grpc_web import encode_text
from edge.exchange import Dialect, Exchange
from edge.ingress.http1_writer import AnswerWriter
from edge.ingress.service import Answer, Head
from edge.ingress.serving import ApiSettings, WebSocketSettings
from edge.ingress.upgrade import Upgrade
from edge.ingress.websocket_flow import IncomingMessages, OutgoingMessages
from edge.outcome import Fault, Refusal
from edge.pipeline import Admission
from tests.unit.ingress.doubles import FakeTransport
from tests.unit.ingress.rest_scenes import RestScene, get, post
from tests.unit.ingress.rpc_scenes import Pieces, RpcScene, Sink, frames, head
from tests.unit.ingress.test_connect import GET, connect, stream
from tests.unit.ingress.test_grpc import grpc
from tests.unit.ingress.test_grpcweb import TEXT, web
from tests.unit.ingress.test_websocket import opening

MESSAGE = frames(b"m")


class Gate:
    """A policy that counts what it is asked, and what it is given back."""

    name = "gate"

    def __init__(self, *, shut: bool) -> None:
        self.shut = shut
        self.asked: list[tuple[Dialect, str]] = []
        self.held = 0

    def admit(self, x: Exchange) -> Admission:
        assert x.target is not None
        self.asked.append((x.dialect, x.target.rpc.method))
        if self.shut:
            return Refusal(Fault.OVERLOADED)
        self.held += 1
        return self._give_back

    def _give_back(self, x: Exchange) -> None:
        self.held -= 1


RPC_CALLS: list[tuple[Dialect, str, Head, bytes]] = [
    *((Dialect.GRPC, rpc, grpc(f"/pkg.Svc/{rpc}"), MESSAGE) for rpc in ("Unary", "Up", "Down", "Both")),
    *((Dialect.GRPC_WEB, rpc, web(f"/pkg.Svc/{rpc}"), MESSAGE) for rpc in ("Unary", "Up", "Down")),
    (Dialect.GRPC_WEB, "Both", web("/pkg.Svc/Both", version="2"), MESSAGE),
    (Dialect.GRPC_WEB, "Unary", web(content_type=TEXT), encode_text(MESSAGE)),
    (Dialect.GRPC_WEB, "Down", web("/pkg.Svc/Down", content_type=TEXT), encode_text(MESSAGE)),
    (Dialect.CONNECT, "Unary", connect(), b"m"),
    (Dialect.CONNECT, "Unary", connect(content_type="application/json"), b"{}"),
    (Dialect.CONNECT, "Safe", head("GET", "/pkg.Svc/Safe", GET), b""),
    *((Dialect.CONNECT, rpc, stream(f"/pkg.Svc/{rpc}"), MESSAGE) for rpc in ("Up", "Down")),
    (Dialect.CONNECT, "Both", stream("/pkg.Svc/Both", version="2"), MESSAGE),
    (Dialect.REST, "Bound", head("POST", "/pkg.Svc/Bound", content_type="application/json"), b"{}"),
    *((Dialect.WEBSOCKET, rpc, opening(f"/pkg.Svc/{rpc}"), b"m") for rpc in ("Unary", "Up", "Down", "Both", "Bound")),
]
REST_CALLS: list[tuple[str, Head, bytes]] = [
    ("Down", get("/down/a"), b""),
    ("Down", post("/down"), b"1"),
    ("Up", post("/up"), b"[1]"),
    ("Up", get("/up/a"), b""),
    ("Both", post("/both"), b"[1]"),
    ("RawDown", get("/raw"), b""),
    ("RawUp", post("/raw"), b"x"),
]


async def over_websocket(scene: RpcScene, request: Head, body: bytes) -> None:
    """Open it, send one message, end."""
    call = scene.begin(replace(request, started=asyncio.get_running_loop().time()))  # its deadline is one of the loop's
    assert isinstance(call, Upgrade)
    inbox = IncomingMessages(lambda: inbox.end(), asyncio.get_running_loop())
    inbox.put(body)
    transport = FakeTransport(asyncio.Protocol())
    await call.run(inbox, OutgoingMessages(transport, AnswerWriter(transport), lambda code, reason: None))
    call.sent(0)


def test_every_dialect_has_its_reader_of_heads() -> None:
    """The front looks up whatever `choose` may say."""
    assert set(DIALECTS) == set(Dialect)


@pytest.mark.parametrize("shut", [False, True])
@pytest.mark.parametrize(("dialect", "rpc", "request_head", "body"), RPC_CALLS)
async def test_every_call_is_admitted_once(
    dialect: Dialect, rpc: str, request_head: Head, body: bytes, shut: bool
) -> None:
    """Whatever its dialect and kind: the policies know it by its RPC, and one that refuses keeps it from the service."""
    gate = Gate(shut=shut)
    scene = RpcScene(gate)
    scene.serving = dataclasses.replace(
        scene.serving, apis={"shop": ApiSettings(compression=False, websocket=WebSocketSettings())}
    )
    scene.upstream.answers = (b"r",)
    if dialect is Dialect.WEBSOCKET:
        await over_websocket(scene, request_head, body)
    else:
        assert isinstance(await scene.ask(request_head, body), Answer)
    assert (gate.asked, gate.held) == ([(dialect, rpc)], 0)
    assert len(scene.sent) == (0 if shut else 1)
    (x,) = scene.ended
    assert x.grpc_code == (14 if shut else 0)


@pytest.mark.parametrize("shut", [False, True])
@pytest.mark.parametrize(("rpc", "request_head", "body"), REST_CALLS)
async def test_every_stream_over_rest_is_admitted_once(rpc: str, request_head: Head, body: bytes, shut: bool) -> None:
    """Before its body is read for what can be bound of it."""
    gate = Gate(shut=shut)
    scene = RestScene(gate)
    scene.upstream.answers = (b"1",)
    await scene.run(request_head, Pieces(body), Sink())
    assert (gate.asked, gate.held) == ([(Dialect.REST, rpc)], 0)
    assert len(scene.sent) == (0 if shut else 1)
    assert [x.grpc_code for x in scene.ended] == [14 if shut else 0]
