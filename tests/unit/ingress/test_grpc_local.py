"""Services of our own behind the upstream's seam."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from edge.core.grpc_status import Code
from edge.ingress.grpc_local import LocalServices, error, ok
from edge.outcome import Fault, Refusal
from edge.upstream.call import UnaryReply, UnaryRequest
from tests.calls import unary
from tests.unit.ingress.doubles import run, turns


class Echo:
    """Says what it hears, until it hears `bye`."""

    def __init__(self) -> None:
        self.closed = 0
        self.heard: list[bytes] = []

    def begin(self, say: Callable[[bytes], None], end: Callable[[UnaryReply], None]) -> None:
        self._say, self._end = say, end

    def take(self, message: bytes) -> None:
        self.heard.append(message)
        if message == b"bye":
            self._end(error(Code.ABORTED, "bye"))
        self._say(message)

    def half_closed(self) -> None:
        self._end(ok())

    def close(self) -> None:
        self.closed += 1


def services(echo: Echo) -> LocalServices:
    """One method of each kind."""
    return LocalServices({b"/s/U": ok}, {b"/s/S": lambda: echo})


async def test_a_unary_method_is_a_function() -> None:
    """Of the message."""
    assert await unary(services(Echo()), UnaryRequest(b"/s/U", b"m")) == ok(b"m")


async def test_a_dialogue_answers_and_ends() -> None:
    """By the half-close, with what was said before it still to be read; `close` is called once."""
    stream = await services(echo := Echo()).open_stream(b"/s/S")
    assert await stream.head() == ()
    await stream.send(b"1")
    await stream.send(b"2", end=True)
    assert [await stream.receive(), await stream.receive(), await stream.receive()] == [b"1", b"2", None]
    assert stream.outcome == ok()
    await stream.send(b"late")
    stream.cancel()
    assert (echo.heard, echo.closed) == ([b"1", b"2"], 1)


async def test_a_dialogue_may_end_by_itself() -> None:
    """And says nothing after it."""
    stream = await services(echo := Echo()).open_stream(b"/s/S")
    await stream.send(b"bye")
    assert await stream.receive() is None
    assert stream.outcome == error(Code.ABORTED, "bye")
    assert echo.closed == 1


def test_a_deadline_ends_it() -> None:
    """The loop's clock."""

    async def scenario() -> None:
        stream = await services(echo := Echo()).open_stream(b"/s/S", deadline=1005.0)
        assert await stream.receive() is None
        assert asyncio.get_running_loop().time() == 1005.0
        assert isinstance(stream.outcome, Refusal)
        assert stream.outcome.fault is Fault.DEADLINE_EXCEEDED
        assert echo.closed == 1

    run(scenario())


def test_a_client_that_does_not_read_is_not_listened_to() -> None:
    """What is held of the answers is bounded."""

    async def scenario() -> None:
        stream = await services(echo := Echo()).open_stream(b"/s/S")

        async def talk() -> None:
            for _ in range(100):
                await stream.send(b"m")

        talking = asyncio.create_task(talk())
        await turns()
        assert len(echo.heard) == 16
        await stream.receive()
        await turns()
        assert len(echo.heard) == 17
        stream.cancel()
        await talking
        assert len(echo.heard) == 17

    run(scenario())
