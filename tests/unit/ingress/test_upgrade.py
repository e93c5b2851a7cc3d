"""A call that takes its connection along."""

from __future__ import annotations

import asyncio

from edge.ingress.connections import Connections, ConnectionSlots
from edge.ingress.service import Answer, AnswerSink, BodySource, Head, StreamCall
from edge.ingress.upgrade import Handover, Upgrade
from edge.outcome import Refusal
from tests.unit.ingress.doubles import RecordedStream, Wire, run, turns

HANDSHAKE = b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n"


class Other(asyncio.Protocol):
    """The protocol after."""

    def __init__(self) -> None:
        self.taken: list[tuple[Handover, StreamCall]] = []
        self.received = b""

    def take(self, handover: Handover, call: StreamCall) -> None:
        self.taken.append((handover, call))
        assert handover.former is not None
        handover.connections.replace(handover.former, self)
        handover.transport.set_protocol(self)
        self.received += handover.rest

    def data_received(self, data: bytes) -> None:
        self.received += data

    def drain(self) -> None: ...

    def cut(self) -> None: ...


async def nothing(body: BodySource, answer: AnswerSink) -> None: ...


class Upgrading:
    """A service that upgrades whatever comes."""

    def __init__(self, call: StreamCall, other: Other) -> None:
        self.upgrade = Upgrade(call, other.take)
        self.asked: list[str] = []

    def begin(self, head: Head) -> Upgrade:
        self.asked.append(head.path)
        return self.upgrade

    def refuse(self, head: Head | None, refusal: Refusal) -> Answer:
        raise AssertionError("nothing is refused here")


def test_the_rest_is_not_read_as_a_request() -> None:
    """Envoy CVE-2026-73548: what follows the head belongs to the next protocol, however it looks; the slot is kept."""

    async def scenario() -> None:
        other, call = Other(), RecordedStream(nothing)
        service, connections = Upgrading(call, other), Connections(ConnectionSlots(100))
        wire = Wire(service, connections=connections)  # type: ignore[arg-type]  # what it does with the service is begin
        smuggled = b"GET /admin HTTP/1.1\r\nHost: a\r\n\r\n"
        await wire.send(HANDSHAKE + smuggled)
        ((handover, taken),) = other.taken
        assert taken is call
        assert (handover.rest, handover.head.path) == (smuggled, "/x")
        assert service.asked == ["/x"]
        assert wire.out == b""
        assert len(connections) == 1
        await turns()
        connections.discard(other)
        assert len(connections) == 0

    run(scenario())


def test_it_is_a_call_like_any_other() -> None:
    async def scenario() -> None:
        call = RecordedStream(nothing)
        upgrade = Upgrade(call, Other().take)
        await upgrade.run(None, None)  # type: ignore[arg-type]  # not looked at
        upgrade.sent(3)
        assert call.events == ["run", "sent 3"]
        assert (upgrade.streams, upgrade.max_body_bytes) == (True, None)

    run(scenario())
