"""One WebSocket from its 101 to its closed socket, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from wsproto.frame_protocol import Frame, FrameProtocol, Opcode

from edge.core.websocket_frames import text_frame
from edge.ingress.connections import Connections, ConnectionSlots
from edge.ingress.http1_limits import Http1Limits
from edge.ingress.service import AnswerSink, BodyBroken, BodySource, Head
from edge.ingress.upgrade import Handover
from edge.ingress.websocket_connection import WebSocketTerms, take_over
from edge.ingress.websocket_flow import IncomingMessages, OutgoingMessages
from edge.outcome import Fault
from tests.unit.ingress.doubles import FakeTransport, RecordedStream, Recorder, run, turns

Does = Callable[[IncomingMessages, OutgoingMessages], Awaitable[None]]
HEAD = Head("GET", "/chat", "", "1.1", (), "192.0.2.1", secure=False, started=0.0)


class Former(asyncio.Protocol):
    """Whose connection it was."""

    def drain(self) -> None: ...

    def cut(self) -> None: ...


async def echo(inbox: IncomingMessages, outbox: OutgoingMessages) -> None:
    """Says every message again, tells what broke off, ends when the client has."""
    try:
        while (message := await inbox.next()) is not None:
            await outbox.write(text_frame(message.decode()))
    except BodyBroken as broken:
        outbox.close(4003, broken.refusal.fault.name)
    else:
        outbox.end()


async def for_ever(inbox: IncomingMessages, outbox: OutgoingMessages) -> None:
    await asyncio.Event().wait()


class Chat:
    """A WebSocket under test, and the client's frames by wsproto."""

    def __init__(self, does: Does = echo, rest: bytes = b"", *, text: bool = True, messages: int | None = None) -> None:
        async def typed(body: BodySource, answer: AnswerSink) -> None:
            assert isinstance(body, IncomingMessages)
            assert isinstance(answer, OutgoingMessages)
            await does(body, answer)

        self.call = RecordedStream(typed)
        self.connections = Connections(ConnectionSlots(10))
        former = Former()
        self.connections.add(former)
        self.transport = FakeTransport(former)
        self.client = FrameProtocol(client=True, extensions=[])
        terms = WebSocketTerms([(b"upgrade", b"websocket")], text, messages, 1000, 30.0)
        loop = asyncio.get_running_loop()
        handover = Handover(self.transport, former, self.connections, Recorder(), Http1Limits(), loop, HEAD, rest)
        take_over(terms, handover, self.call)
        self.top, _, _ = self.transport.out.partition(b"\r\n\r\n")
        self._read = len(self.top) + 4

    async def send(self, data: bytes | bytearray) -> None:
        self.transport.protocol.data_received(bytes(data))
        await turns()

    def says(self) -> list[Frame]:
        """The frames since the last look."""
        self.client.receive_bytes(self.transport.out[self._read :])
        self._read = len(self.transport.out)
        return list(self.client.received_frames())

    def closed_with(self) -> object:
        """What the last frame, a close, says."""
        frame = self.says()[-1]
        assert frame.opcode is Opcode.CLOSE
        return frame.payload

    async def gone(self) -> None:
        """Everything was given back."""
        await turns()
        assert self.transport.lost
        assert len(self.connections) == 0


def test_101_then_messages_then_the_end() -> None:
    async def scenario() -> None:
        chat = Chat()
        assert chat.top.startswith(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n")
        await chat.send(chat.client.send_data("a") + chat.client.send_data("b"))
        assert [frame.payload for frame in chat.says()] == ["a", "b"]
        await chat.send(chat.client.send_data(""))
        assert chat.closed_with() == (1000, "")
        assert not chat.transport.closed
        await chat.send(chat.client.close(1000))
        await chat.gone()
        assert chat.call.events == ["run", "sent 6"]

    run(scenario())


def test_frames_that_came_with_the_handshake() -> None:
    async def scenario() -> None:
        early = bytes(FrameProtocol(client=True, extensions=[]).send_data("early"))
        chat = Chat(rest=early)
        await turns()
        assert [frame.payload for frame in chat.says()] == ["early"]
        chat.transport.lose()
        await chat.gone()

    run(scenario())


def test_a_client_that_does_not_answer_the_close_is_left() -> None:
    async def scenario() -> None:
        chat = Chat()
        await chat.send(chat.client.send_data(""))
        await asyncio.sleep(Http1Limits().linger_s + 1)
        await chat.gone()

    run(scenario())


def test_what_a_client_sends_after_our_close_is_dropped() -> None:
    async def scenario() -> None:
        chat = Chat()
        await chat.send(chat.client.send_data(""))
        await chat.send(chat.client.send_data("late") + chat.client.ping() + chat.client.send_data("later"))
        assert [frame.opcode for frame in chat.says()] == [Opcode.CLOSE]
        await chat.send(chat.client.close(1000))
        await chat.gone()

    run(scenario())


@pytest.mark.parametrize("messages", [2, 100])
def test_a_close_behind_messages_that_nobody_took_is_heard(messages: int) -> None:
    """The call's end drops what waited for it, and the socket is closed then, not when the client's time to answer is up."""

    async def scenario() -> None:
        gate = asyncio.Event()

        async def takes_none(inbox: IncomingMessages, outbox: OutgoingMessages) -> None:
            await gate.wait()
            outbox.end()

        chat = Chat(takes_none)
        await chat.send(bytes(chat.client.send_data("x" * 900)) * messages + bytes(chat.client.close(1000)))
        assert not chat.transport.closed
        gate.set()
        await turns()
        assert chat.closed_with() == (1000, "")
        await chat.gone()

    run(scenario())


@pytest.mark.parametrize("code", [1000, 1001, 4321, None])
def test_a_client_that_closes_cancels_the_call(code: int | None) -> None:
    """Its code comes back, then the socket is closed."""

    async def scenario() -> None:
        chat = Chat(for_ever)
        await turns()
        await chat.send(chat.client.close(code))
        payload = chat.closed_with()
        assert payload == (1005 if code is None else code, "")
        await chat.gone()
        assert chat.call.events == ["run", "cancelled", "sent 0"]

    run(scenario())


def test_a_client_that_vanishes_cancels_the_call() -> None:
    async def scenario() -> None:
        chat = Chat(for_ever)
        await turns()
        chat.transport.lose()
        await chat.gone()
        assert chat.call.events == ["run", "cancelled", "sent 0"]

    run(scenario())


def test_pings_are_answered_the_last_for_all() -> None:
    """A flood of pings is answered by one pong, and not at all while the client does not read."""

    async def scenario() -> None:
        chat = Chat(for_ever)
        await chat.send(b"".join(bytes(chat.client.ping(b"%d" % n)) for n in range(5)))
        assert [(frame.opcode, frame.payload) for frame in chat.says()] == [(Opcode.PONG, b"4")]
        chat.transport.protocol.pause_writing()
        await chat.send(chat.client.ping(b"x"))
        assert chat.says() == []
        chat.transport.protocol.resume_writing()
        assert [frame.payload for frame in chat.says()] == [b"x"]
        chat.transport.lose()
        await chat.gone()

    run(scenario())


def test_silence_is_pinged_then_ended() -> None:
    async def scenario() -> None:
        chat = Chat(for_ever)
        await asyncio.sleep(29)
        assert chat.says() == []
        await chat.send(chat.client.send_data("I am here"))
        await asyncio.sleep(29)
        assert chat.says() == []
        await asyncio.sleep(2)
        assert [frame.opcode for frame in chat.says()] == [Opcode.PING]
        await chat.send(chat.client.pong())
        await asyncio.sleep(29)
        assert not chat.transport.closed
        await asyncio.sleep(32)
        assert chat.transport.aborted
        await chat.gone()

    run(scenario())


def test_while_we_do_not_read_no_answer_is_owed() -> None:
    """The pong may stand behind messages that the service has not taken: only a ping that cannot be sent ends it."""

    async def scenario() -> None:
        chat = Chat(for_ever)
        await chat.send(bytes(chat.client.send_data("x" * 900)) * 100)
        assert chat.transport.reading_paused
        await asyncio.sleep(200)
        assert not chat.transport.closed
        assert len(chat.says()) > 3
        chat.transport.lose()
        await chat.gone()

    run(scenario())


def test_reading_goes_on_when_messages_are_taken() -> None:
    async def scenario() -> None:
        gate = asyncio.Event()

        async def late(inbox: IncomingMessages, outbox: OutgoingMessages) -> None:
            await gate.wait()
            await echo(inbox, outbox)

        chat = Chat(late)
        await chat.send(bytes(chat.client.send_data("x" * 900)) * 100)
        gate.set()
        await turns(300)
        assert not chat.transport.reading_paused
        assert len(chat.says()) == 100
        chat.transport.lose()
        await chat.gone()

    run(scenario())


def test_a_client_that_takes_nothing_is_cut() -> None:
    async def scenario() -> None:
        async def flood(inbox: IncomingMessages, outbox: OutgoingMessages) -> None:
            while True:
                await outbox.write(text_frame("x" * 10_000))

        chat = Chat(flood)
        chat.transport.stuck = True
        await turns()
        assert 60_000 < chat.transport.unsent < 90_000
        await asyncio.sleep(Http1Limits().write_timeout_s + 1)
        assert chat.transport.aborted
        await chat.gone()
        assert chat.call.events[:2] == ["run", "cancelled"]

    run(scenario())


def test_a_violation_is_told_to_the_call_and_decides_the_close() -> None:
    """Whatever status the call makes of it; an end of file follows, since no answer could be read."""

    async def scenario() -> None:
        chat = Chat()
        await chat.send(chat.client.send_data("x" * 1001))
        assert chat.closed_with() == (1009, "a message is larger than 1000 bytes")
        assert chat.transport.eof
        chat.transport.lose()
        await chat.gone()

    run(scenario())


def test_a_violation_that_nobody_would_hear_of_ends_the_call() -> None:
    async def scenario() -> None:
        chat = Chat(for_ever, messages=0)
        await turns()
        await chat.send(chat.client.send_data("one too many"))
        payload = chat.closed_with()
        assert isinstance(payload, tuple)
        assert payload[0] == 4012
        assert chat.call.events[:2] == ["run", "cancelled"]
        await chat.send(chat.client.close(4012))
        await chat.gone()

    run(scenario())


def test_one_message_needs_no_end() -> None:
    async def scenario() -> None:
        chat = Chat(messages=1)
        await chat.send(chat.client.send_data("only"))
        assert [frame.payload for frame in chat.says()] == ["only", (1000, "")]
        chat.transport.lose()
        await chat.gone()

    run(scenario())


def test_frames_of_the_other_kind() -> None:
    async def scenario() -> None:
        for text, wrong in ((True, b"binary"), (False, "text")):
            chat = Chat(text=text)
            await chat.send(chat.client.send_data(wrong))
            payload = chat.closed_with()
            assert isinstance(payload, tuple)
            assert payload[0] == 1003
            chat.transport.lose()
            await chat.gone()

    run(scenario())


def test_a_message_after_the_end() -> None:
    async def scenario() -> None:
        heard: list[Fault] = []

        async def slow(inbox: IncomingMessages, outbox: OutgoingMessages) -> None:
            try:
                await asyncio.sleep(1)
                await inbox.next()
            except BodyBroken as broken:
                heard.append(broken.refusal.fault)
            outbox.end()

        chat = Chat(slow)
        await chat.send(chat.client.send_data("") + chat.client.send_data("late"))
        assert chat.closed_with() == (4003, "a message after the end of the messages")
        chat.transport.lose()
        await chat.gone()

    run(scenario())


def test_a_cut_says_going_away() -> None:
    """Draining alone lets the call run."""

    async def scenario() -> None:
        chat = Chat(for_ever)
        await turns()
        protocol = chat.transport.protocol
        protocol.drain()  # type: ignore[attr-defined]  # it is a Connection
        assert not chat.transport.closed
        protocol.cut()  # type: ignore[attr-defined]  # it is a Connection
        assert chat.closed_with() == (1001, "")
        await chat.gone()
        assert chat.call.events == ["run", "cancelled", "sent 0"]

    run(scenario())


def test_a_cut_does_not_wait_for_a_client_that_does_not_read() -> None:
    async def scenario() -> None:
        chat = Chat(for_ever)
        await turns()
        chat.transport.stuck, chat.transport.unsent = True, 100
        chat.transport.protocol.cut()  # type: ignore[attr-defined]  # it is a Connection
        assert chat.transport.aborted
        await chat.gone()

    run(scenario())


def test_a_call_that_fails_without_an_end() -> None:
    async def scenario() -> None:
        async def broken(inbox: IncomingMessages, outbox: OutgoingMessages) -> None:
            raise RuntimeError("a bug")

        chat = Chat(broken)
        await turns()
        assert chat.closed_with() == (1011, "")
        chat.transport.lose()
        await chat.gone()
        assert chat.call.events == ["run", "sent 0"]

    run(scenario())
