"""A WebSocket on a stream: its handshake's answer, its frames, and the ends of both; in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from wsproto.frame_protocol import FrameProtocol, Opcode

from edge.core.websocket_frames import text_frame
from edge.ingress.service import AnswerSink, BodySource, Head
from edge.ingress.websocket_connection import WebSocketTerms
from edge.ingress.websocket_flow import IncomingMessages
from edge.ingress.websocket_http2 import WebSocketOnStream
from tests.unit.ingress.doubles import RecordedStream, run, turns
from tests.unit.ingress.rpc_scenes import Sink
from tests.unit.ingress.test_stream_transport import Mouth

HEAD = Head("CONNECT", "/chat", "", "2", (), "192.0.2.1", secure=False, started=0.0, protocol="websocket")
TERMS = WebSocketTerms([(b"sec-websocket-protocol", b"edge.json")], True, None, 1000, 30.0)


async def echo(body: BodySource, answer: AnswerSink) -> None:
    assert isinstance(body, IncomingMessages)
    while (message := await body.next()) is not None:
        await answer.write(text_frame(message.decode()))
    answer.end()


async def for_ever(body: BodySource, answer: AnswerSink) -> None:
    await asyncio.Event().wait()


class Rig:
    """One, and the client's frames by wsproto."""

    def __init__(self, does: Callable[[BodySource, AnswerSink], object] = echo) -> None:
        self.call = RecordedStream(does)  # type: ignore[arg-type]  # all of them are coroutine functions
        self.body, self.sink = Mouth(), Sink()
        self.client = FrameProtocol(client=True, extensions=[])
        stream = WebSocketOnStream(self.call, TERMS, HEAD, 30.0)
        assert (stream.streams, stream.max_body_bytes) == (True, None)
        self.running = asyncio.create_task(stream.run(self.body, self.sink))

    async def send(self, data: bytes | bytearray) -> None:
        self.body.pieces.put_nowait(bytes(data))
        await turns(20)

    def says(self) -> list[object]:
        """The frames since the last look: texts, and the codes of closes."""
        self.client.receive_bytes(b"".join(self.sink.written))
        self.sink.written.clear()
        frames = list(self.client.received_frames())
        return [frame.payload[0] if frame.opcode is Opcode.CLOSE else frame.payload for frame in frames]


def test_a_200_then_messages_then_the_end_of_the_stream() -> None:
    """The call is settled once, by the bytes of its frames."""

    async def scenario() -> None:
        rig = Rig()
        await turns()
        assert (rig.sink.status, list(rig.sink.headers)) == (200, list(TERMS.fields))
        await rig.send(rig.client.send_data("a") + rig.client.send_data("b"))
        assert rig.says() == ["a", "b"]
        await rig.send(rig.client.send_data(""))
        assert rig.says() == [1000]
        assert not rig.running.done()
        await rig.send(rig.client.close(1000))
        await asyncio.wait_for(rig.running, 5)
        assert rig.sink.trailers == ()
        assert rig.call.events == ["run", "sent 6"]

    run(scenario())


def test_a_client_that_resets_cancels_the_call() -> None:
    """And the stream's own task waits for its end."""

    async def scenario() -> None:
        rig = Rig(for_ever)
        await turns()
        rig.running.cancel()
        await asyncio.gather(rig.running, return_exceptions=True)
        assert rig.call.events == ["run", "cancelled", "sent 0"]

    run(scenario())


def test_the_stream_is_not_over_before_its_call() -> None:
    """A call that takes a while to end still holds what it holds: the stream counts until then."""
    ended: list[float] = []

    async def lingering(body: BodySource, answer: AnswerSink) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(5)
            ended.append(asyncio.get_running_loop().time())

    async def scenario() -> None:
        rig = Rig(lingering)
        await turns()
        rig.running.cancel()
        await asyncio.gather(rig.running, return_exceptions=True)
        assert ended == [asyncio.get_running_loop().time()]

    run(scenario())


def test_a_client_that_closes_cancels_the_call() -> None:
    """Its code comes back, then the stream ends."""

    async def scenario() -> None:
        rig = Rig(for_ever)
        await turns()
        await rig.send(rig.client.close(1001))
        await asyncio.wait_for(rig.running, 5)
        assert rig.says() == [1001]
        assert rig.call.events == ["run", "cancelled", "sent 0"]

    run(scenario())


def test_a_silent_client_is_given_up() -> None:
    """Pinged after a while, and the stream reset after another."""

    async def scenario() -> None:
        rig = Rig(for_ever)
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await asyncio.gather(rig.running, return_exceptions=True)
        assert loop.time() - began_s == 60.0
        assert rig.sink.aborted
        assert rig.call.events == ["run", "cancelled", "sent 0"]

    run(scenario())
