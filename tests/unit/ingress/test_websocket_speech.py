"""A call said in frames."""

from __future__ import annotations

import asyncio
import json

import pytest

from edge.core.websocket_frames import binary_frame, text_frame
from edge.exchange import Dialect
from edge.ingress.client import client_of
from edge.ingress.http1_writer import AnswerWriter
from edge.ingress.message_form import PROTO, form_of
from edge.ingress.opening import Opening
from edge.ingress.service import BodyBroken
from edge.ingress.websocket_flow import IncomingMessages, OutgoingMessages
from edge.ingress.websocket_speech import END, FrameForm, RouteFrames, RpcFrames, WebSocketSpeech, one_message
from edge.outcome import Fault, Refusal
from edge.pipeline import Pipeline
from edge.routes import Missing, compile_routes
from edge.upstream.call import UnaryReply
from tests.stub_api import api
from tests.unit.ingress.doubles import FakeTransport
from tests.unit.ingress.rpc_scenes import RpcScene, head
from tests.unit.ingress.scenes import ScriptedApi


def speech(form: FrameForm, awaits: int | None) -> WebSocketSpeech:
    scene = RpcScene()
    opening = Opening(scene.serving, Pipeline([]), Dialect.WEBSOCKET, head(), client_of(head(), ()), "id")
    opening.target = scene.serving.routes.targets["/pkg.Svc/Both"]
    return WebSocketSpeech(opening, form, awaits)


def json_frames() -> RpcFrames:
    form = form_of("json", RpcScene().serving.routes.targets["/pkg.Svc/Both"])
    assert form is not None
    return RpcFrames(form)


async def heard(awaits: int | None, *messages: bytes, form: FrameForm | None = None) -> list[bytes]:
    """What the speech makes of messages, then the end."""
    waiting = list(messages)

    def more() -> None:
        if waiting:
            inbox.put(waiting.pop(0))
        else:
            inbox.end()

    inbox = IncomingMessages(more, asyncio.get_running_loop())
    more()
    return [message async for message in speech(form or json_frames(), awaits).messages(inbox)]


class Said(OutgoingMessages):
    """Keeps frames and the close."""

    def __init__(self) -> None:
        self.transport = FakeTransport(asyncio.Protocol())
        self.closed: tuple[int, str] | None = None
        super().__init__(self.transport, AnswerWriter(self.transport), self._keep)

    def _keep(self, code: int, reason: str) -> None:
        self.closed = (code, reason)


async def test_each_frame_is_a_message() -> None:
    assert await heard(None, b"a", b"b") == [b"<a", b"<b"]
    assert await heard(1, b"a") == [b"<a"]
    assert await heard(None) == []


async def test_protobuf_is_not_looked_at() -> None:
    assert await heard(None, b"a", b"", form=RpcFrames(PROTO)) == [b"a", b""]
    assert RpcFrames(PROTO).frame(b"\xff") == binary_frame(b"\xff")


async def test_none_where_there_must_be_one() -> None:
    with pytest.raises(BodyBroken) as broken:
        await heard(1)
    assert broken.value.refusal == one_message()


async def test_a_message_that_does_not_fit() -> None:
    with pytest.raises(BodyBroken) as broken:
        await heard(None, b"misfit")
    assert broken.value.refusal.fault is Fault.INVALID_ARGUMENT


async def test_a_route_fills_path_and_query_into_every_message() -> None:
    routes, _ = compile_routes([api("POST /v1/a/{b}", codec=ScriptedApi(), body="*")])
    match = routes.lookup("POST", "/v1/a/x")
    assert not isinstance(match, Missing)
    form = RouteFrames(match.value, match.captures, "q=1")
    assert await heard(None, b"one", b"two", form=form) == [b"x|q=1|one", b"x|q=1|two"]
    assert form.frame(b"m") == text_frame('"m"')


async def test_a_handshake_that_says_everything_awaits_no_message() -> None:
    """The one request is made of path and query, whatever the client sends or does not send."""
    inbox = IncomingMessages(lambda: None, asyncio.get_running_loop())
    assert [message async for message in speech(json_frames(), 0).messages(inbox)] == [b"<"]


async def test_answers_and_a_good_end() -> None:
    said, spoken = Said(), speech(json_frames(), None)
    await spoken.head(said, ())
    await spoken.say(said, [b"m", b"n"])
    assert await spoken.finish(said, UnaryReply(0, None)) == 101
    assert (said.transport.out, said.closed) == (text_frame("m>") + text_frame("n>"), (1000, ""))


@pytest.mark.parametrize(
    ("outcome", "closed", "status"),
    [
        (
            UnaryReply(5, None, "no such book"),
            (4005, "no such book"),
            {"code": 5, "message": "no such book", "details": []},
        ),
        (Refusal(Fault.DEADLINE_EXCEEDED), (4004, "the deadline passed before the service answered"), None),
    ],
)
async def test_a_bad_end(
    outcome: UnaryReply | Refusal, closed: tuple[int, str], status: dict[str, object] | None
) -> None:
    """The end of the messages, the status, the close."""
    said = Said()
    assert await speech(json_frames(), None).finish(said, outcome) == 101
    assert said.transport.out.startswith(END)
    told = json.loads(said.transport.out[len(END) :].partition(b"{")[2].join((b"{", b"")))
    assert said.closed == closed
    assert told["message"] == closed[1]
    assert status is None or told == status
