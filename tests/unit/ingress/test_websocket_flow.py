"""Messages one at a time, each way."""

from __future__ import annotations

import asyncio

import pytest

from edge.ingress.http1_writer import AnswerWriter
from edge.ingress.service import BodyBroken
from edge.ingress.websocket_flow import IncomingMessages, OutgoingMessages
from edge.outcome import Fault, Refusal
from tests.unit.ingress.doubles import FakeTransport, run, turns


class Inbox(IncomingMessages):
    """One that counts how often it asked for more."""

    def __init__(self) -> None:
        self.asked = 0
        super().__init__(self._count, asyncio.get_running_loop())

    def _count(self) -> None:
        self.asked += 1


def test_room_for_one() -> None:
    """The next is asked for when one was taken, not before."""

    async def scenario() -> None:
        inbox = Inbox()
        inbox.put(b"a")
        assert inbox.full
        assert (await inbox.next(), inbox.full, inbox.asked) == (b"a", False, 1)
        waiting = asyncio.create_task(inbox.next())
        await turns()
        inbox.put(b"")
        assert await waiting == b""

    run(scenario())


def test_the_end_comes_after_the_last_message() -> None:
    async def scenario() -> None:
        inbox = Inbox()
        inbox.put(b"a")
        inbox.end()
        assert not inbox.over
        assert await inbox.next() == b"a"
        assert inbox.over
        assert await inbox.next() is None
        assert await inbox.read() == b""

    run(scenario())


def test_what_broke_off_is_told_even_before_what_was_whole() -> None:
    """The service must not begin on half of what was meant."""

    async def scenario() -> None:
        inbox = Inbox()
        waiting = asyncio.create_task(inbox.next())
        await turns()
        inbox.broke(Refusal(Fault.BODY_TOO_LARGE))
        inbox.broke(Refusal(Fault.INTERNAL))
        inbox.put(b"a")
        for task in (waiting, asyncio.create_task(inbox.next())):
            with pytest.raises(BodyBroken) as broken:
                await task
            assert broken.value.refusal.fault is Fault.BODY_TOO_LARGE

    run(scenario())


def outgoing(closed: list[tuple[int, str]]) -> tuple[OutgoingMessages, FakeTransport, AnswerWriter]:
    transport = FakeTransport(asyncio.Protocol())
    writer = AnswerWriter(transport)
    return OutgoingMessages(transport, writer, lambda code, reason: closed.append((code, reason))), transport, writer


def test_writing_waits_for_the_client() -> None:
    async def scenario() -> None:
        sink, transport, writer = outgoing([])
        sink.start(101, ())
        await sink.write(b"one")
        writer.paused = True
        waiting = asyncio.create_task(sink.write(b"two"))
        await turns()
        assert (transport.out, waiting.done()) == (b"onetwo", False)
        writer.resume()
        await waiting
        assert sink.bytes_sent == 6

    run(scenario())


@pytest.mark.parametrize(("way", "code"), [("end", 1000), ("abort", 1011)])
def test_it_ends_once(way: str, code: int) -> None:
    async def scenario() -> None:
        closed: list[tuple[int, str]] = []
        sink, transport, _ = outgoing(closed)
        getattr(sink, way)()
        sink.close(4005, "late")
        await sink.write(b"late")
        assert (closed, transport.out) == ([(code, "")], b"")

    run(scenario())
