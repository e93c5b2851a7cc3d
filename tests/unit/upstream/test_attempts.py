"""One unary call: its outcome is heard once, and nothing of it is left behind; more in test_pool and test_connection."""

from __future__ import annotations

import asyncio

import pytest
import structlog
from h2.errors import ErrorCodes
from h2.events import StreamReset

from edge.core.grpc_frame import encode_frame
from edge.outcome import Fault, Refusal
from edge.upstream.attempts import MAX_ATTEMPTS, Attempts
from edge.upstream.call import Running, Trace, UnaryReply, UnaryRequest
from edge.upstream.connection import Connection
from edge.upstream.pool import Pool
from edge.wire.session import REFUSED_STREAM
from tests.unit.ingress.doubles import no_garbage
from tests.unit.upstream.scripted import Peer, scripted, until
from tests.unit.upstream.services import pool_to

Heard = list[UnaryReply | Refusal]


def begin(pool: Pool, heard: Heard, timeout_s: float = 5.0) -> tuple[Running, Trace]:
    """A call whose outcomes are kept."""
    request = UnaryRequest(b"/t.S/M", b"ask", deadline=asyncio.get_running_loop().time() + timeout_s)
    return pool.unary(request, heard.append), request


def refuse(peer: Peer, stream: int) -> None:
    """Begin no call."""
    peer.h2.reset_stream(stream, ErrorCodes.REFUSED_STREAM)


async def test_an_outcome_is_heard_once_and_a_late_cancellation_is_harmless() -> None:
    """The common call, without a task."""
    async with scripted() as server:
        pool = pool_to(server.port)
        await pool.warm()
        before = asyncio.all_tasks()
        heard: Heard = []
        call, trace = begin(pool, heard)
        assert asyncio.all_tasks() == before
        await until(lambda: bool(heard))
        call.cancel()
        call.cancel()
        assert [type(outcome) for outcome in heard] == [UnaryReply]
        assert (trace.attempts, trace.upstream_s > 0) == (1, True)
        await pool.close(1)


async def test_a_cancelled_call_is_reset_and_hears_nothing() -> None:
    """D: the service is told."""
    async with scripted(lambda peer, stream: None) as server:
        pool = pool_to(server.port)
        await pool.warm()
        heard: Heard = []
        call, _ = begin(pool, heard)
        await until(lambda: server.requests == 1)
        call.cancel()
        assert (heard, pool.state().endpoints[0].streams) == ([], 0)
        await until(lambda: any(isinstance(event, StreamReset) for event in server.peers[0].events))
        assert heard == []
        await pool.close(1)


async def test_a_call_cancelled_while_it_waits_leaves_the_queue() -> None:
    """Before a connection stands, and in the turn in which it got its stream."""
    async with scripted() as server:
        pool = pool_to(server.port)
        heard: Heard = []
        call, _ = begin(pool, heard)
        assert pool.state().pending == 1
        call.cancel()
        assert pool.state().pending == 0
        await pool.warm()
        (connection,) = pool._slots._endpoints[0].open
        connection.max_streams, allowed = 0, connection.max_streams
        call, _ = begin(pool, heard)
        connection.max_streams = allowed
        pool._slots.pump()
        assert connection.reserved == 1
        call.cancel()
        assert connection.reserved == 0
        await asyncio.sleep(0.01)
        assert (heard, server.requests) == ([], 0)
        await pool.close(1)


async def test_a_call_that_no_service_begins_is_made_so_often_and_no_oftener() -> None:
    """gRFC A6; what the last one said is the reason."""
    async with scripted(refuse) as server:
        pool = pool_to(server.port)
        heard: Heard = []
        _, trace = begin(pool, heard)
        await until(lambda: bool(heard))
        assert isinstance(heard[0], Refusal)
        assert heard[0].fault is Fault.UPSTREAM_UNAVAILABLE
        assert (len(heard), trace.attempts, server.requests) == (1, MAX_ATTEMPTS, MAX_ATTEMPTS)
        await pool.close(1)


async def test_a_call_cancelled_between_attempts_is_not_made_again() -> None:
    """The next attempt was due in the next turn of the loop."""
    async with scripted(lambda peer, stream: None) as server:
        pool = pool_to(server.port)
        await pool.warm()
        heard: Heard = []
        call, trace = begin(pool, heard)
        (connection,) = pool._slots._endpoints[0].open
        (stream,) = connection.streams.values()
        stream.reset_received(REFUSED_STREAM, by_peer=True)
        call.cancel()
        await asyncio.sleep(0.02)
        assert (heard, trace.attempts, connection.streams) == ([], 1, {})
        await pool.close(1)


async def test_an_attempt_begins_with_nothing_of_the_one_before() -> None:
    """A service that gives a call up inside its answer (GOAWAY) has not begun it; what came is no part of the next answer."""
    async with scripted(
        lambda peer, stream: peer.reply(stream, b"new") if peer.server.requests == 2 else None
    ) as server:
        pool = pool_to(server.port)
        await pool.warm()
        heard: Heard = []
        _, trace = begin(pool, heard)
        await until(lambda: server.requests == 1)
        (connection,) = pool._slots._endpoints[0].open
        (stream,) = connection.streams.values()
        stream.head_received(
            [(b":status", b"200"), (b"content-type", b"application/grpc"), (b"x-old", b"1")], end=False
        )
        stream.data_received(encode_frame(b"old") + b"\0", 9, end=False)
        stream.lost("the service sent GOAWAY", unprocessed=True)
        await until(lambda: bool(heard))
        (outcome,) = heard
        assert isinstance(outcome, UnaryReply), outcome
        assert (outcome.message, list(outcome.headers), trace.attempts) == (b"new", [], 2)
        await pool.close(1)


async def test_what_is_refused_at_once_is_heard_before_begin_returns() -> None:
    """A pool that closes, metadata that would cost the connection, a deadline that has passed."""
    async with scripted() as server:
        pool = pool_to(server.port)
        await pool.warm()
        heard: Heard = []
        begin(pool, heard, timeout_s=-1.0)
        pool.unary(UnaryRequest(b"/t.S/M", b"", [(b"x", b"a\r\nb")]), heard.append)
        await pool.close(1)
        begin(pool, heard)
        faults = [outcome.fault for outcome in heard if isinstance(outcome, Refusal)]
        assert faults == [Fault.DEADLINE_EXCEEDED, Fault.INVALID_ARGUMENT, Fault.SHUTTING_DOWN]
        assert server.requests == 0


async def test_a_call_leaves_nothing_for_the_collector() -> None:
    """Answered, refused by the service, or cancelled."""
    async with scripted(lambda peer, stream: peer.reply(stream, b"ok") if peer.server.requests < 5 else None) as server:
        pool = pool_to(server.port)
        await pool.warm()
        with no_garbage(Attempts, Trace):
            heard: Heard = []
            for _ in range(4):
                begin(pool, heard)
            await until(lambda: len(heard) == 4)
            begin(pool, heard)[0].cancel()
        await pool.close(1)


async def test_the_deadline_ends_a_call_whose_service_says_nothing() -> None:
    """By our own clock, and the service is told."""
    async with scripted(lambda peer, stream: None) as server:
        pool = pool_to(server.port)
        await pool.warm()
        heard: Heard = []
        begin(pool, heard, timeout_s=60.0)
        _, trace = begin(pool, heard, timeout_s=0.05)
        await until(lambda: bool(heard))
        assert heard == [Refusal(Fault.DEADLINE_EXCEEDED)]
        assert 0.03 < trace.upstream_s < 20.0
        assert pool.state().endpoints[0].streams == 1
        await until(lambda: any(isinstance(event, StreamReset) for event in server.peers[0].events))
        await pool.close(0.0)


@pytest.mark.parametrize("waits", [False, True])
async def test_a_bug_at_the_beginning_of_a_call_is_heard(waits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it waited for its connection, in a turn of the loop in which nobody would catch what is raised."""

    def broken(*_: object) -> None:
        raise ValueError

    async with scripted() as server:
        pool = pool_to(server.port)
        if not waits:
            await pool.warm()
        monkeypatch.setattr(Connection, "start", broken)
        heard: Heard = []
        with structlog.testing.capture_logs() as logs:
            begin(pool, heard)
            await until(lambda: bool(heard))
        assert heard == [Refusal(Fault.INTERNAL)]
        assert [entry["event"] for entry in logs] == ["a call could not be begun"]
        await pool.close(1)
