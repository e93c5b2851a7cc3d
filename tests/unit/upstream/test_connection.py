"""A connection against a server that says exactly what the test wants."""

from __future__ import annotations

import asyncio

import pytest
from h2.events import PingReceived, RequestReceived, StreamReset

from edge.core.grpc_frame import encode_frame
from edge.core.grpc_timeout import parse_timeout
from edge.outcome import Fault, Refusal
from edge.upstream.call import Trace, UnaryReply, UnaryRequest
from edge.upstream.connection import Connection
from edge.upstream.heartbeat import Timing
from edge.upstream.pool import Pool
from edge.upstream.stream import UnaryStream, Unprocessed
from edge.wire.portable.h2_session import PortableH2Session
from edge.wire.session import AnswerReceived, SettingsReceived
from tests.calls import unary
from tests.unit.upstream.scripted import RESPONSE, Peer, scripted, until
from tests.unit.upstream.services import pool_to


async def ask(pool: Pool, message: bytes = b"", timeout_s: float = 5.0) -> tuple[UnaryReply | Refusal, Trace]:
    trace = Trace()
    deadline = asyncio.get_running_loop().time() + timeout_s
    return await unary(pool, UnaryRequest(b"/t.S/M", message, deadline=deadline), trace), trace


async def test_a_refused_stream_is_made_again() -> None:
    def answer(peer: Peer, stream: int) -> None:
        if peer.server.requests == 1:
            peer.h2.reset_stream(stream, 0x7)
        else:
            peer.reply(stream, b"ok")

    async with scripted(answer) as server:
        pool = pool_to(server.port)
        outcome, trace = await ask(pool)
        assert isinstance(outcome, UnaryReply)
        assert (trace.attempts, server.requests) == (2, 2)
        await pool.close(1)


async def test_a_service_that_always_refuses_is_unavailable() -> None:
    async with scripted(lambda peer, stream: peer.h2.reset_stream(stream, 0x7)) as server:
        pool = pool_to(server.port)
        outcome, trace = await ask(pool)
        assert isinstance(outcome, Refusal)
        assert (outcome.fault, trace.attempts, server.requests) == (Fault.UPSTREAM_UNAVAILABLE, 3, 3)
        await pool.close(1)


@pytest.mark.parametrize(("code", "grpc_code"), [(0x8, 1), (0xB, 8), (0x2, 13)])
async def test_other_resets_are_never_made_again(code: int, grpc_code: int) -> None:
    async with scripted(lambda peer, stream: peer.h2.reset_stream(stream, code)) as server:
        pool = pool_to(server.port)
        outcome, trace = await ask(pool)
        assert isinstance(outcome, Refusal)
        assert (outcome.fault, outcome.grpc_code, trace.attempts) == (Fault.UPSTREAM_RESET, grpc_code, 1)
        await pool.close(1)


async def test_goaway_finishes_what_it_covers_and_frees_the_rest_for_another_connection() -> None:
    """Streams 1 and 3 are covered and answered after the GOAWAY; 5 is not and is made again elsewhere."""

    def answer(peer: Peer, stream: int) -> None:
        if peer.number > 0:
            peer.reply(stream, b"second")
        elif stream == 5:
            peer.h2.close_connection(last_stream_id=3)
            peer.flush()
            peer.h2.state_machine.state = type(peer.h2.state_machine.state).SERVER_OPEN  # h2 would say nothing more
            for covered in (1, 3):
                peer.reply(covered, b"first")

    async with scripted(answer) as server:
        pool = pool_to(server.port)
        await pool.warm()
        outcomes = await asyncio.gather(*(ask(pool) for _ in range(3)))
        messages = [outcome.message for outcome, _ in outcomes if isinstance(outcome, UnaryReply)]
        assert messages == [b"first", b"first", b"second"]
        assert [trace.attempts for _, trace in outcomes] == [1, 1, 2]
        await until(lambda: pool.state().endpoints[0].connections == 1)
        await pool.close(1)


async def test_the_deadline_goes_out_and_our_own_clock_keeps_it() -> None:
    """A service that ignores grpc-timeout is reset with CANCEL when the deadline passes."""
    async with scripted(lambda peer, stream: None) as server:
        pool = pool_to(server.port)
        await pool.warm()
        outcome, trace = await ask(pool, timeout_s=0.08)
        assert outcome == Refusal(Fault.DEADLINE_EXCEEDED)
        assert 0.07 < trace.upstream_s < 0.5
        events = server.peers[0].events
        await until(lambda: any(isinstance(event, StreamReset) and event.error_code == 0x8 for event in events))
        (request,) = (event for event in events if isinstance(event, RequestReceived))
        timeout = dict(request.headers)[b"grpc-timeout"]
        assert 0.04 < parse_timeout(timeout) <= 0.08
        await pool.close(1)


async def test_a_cancelled_call_is_reset_in_the_same_turn_of_the_loop() -> None:
    async with scripted(lambda peer, stream: None) as server:
        pool = pool_to(server.port)
        running = asyncio.ensure_future(ask(pool))
        await until(lambda: server.requests == 1)
        (connection,) = pool._slots._endpoints[0].open
        writes = connection.writes
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert connection.writes == writes + 1
        assert not connection.streams
        await pool.close(1)


async def test_a_connection_that_dies_takes_its_written_calls_with_it() -> None:
    async with scripted(lambda peer, stream: peer.transport.abort()) as server:
        pool = pool_to(server.port)
        outcome, trace = await ask(pool)
        assert isinstance(outcome, Refusal)
        assert (outcome.fault, trace.attempts) == (Fault.UPSTREAM_RESET, 1)
        await pool.close(1)


async def test_a_call_that_was_never_written_is_made_again() -> None:
    """The connection breaks in the turn of the loop in which the call was put on it."""
    async with scripted() as server:
        pool = pool_to(server.port)
        await pool.warm()
        running = asyncio.ensure_future(ask(pool))
        await asyncio.sleep(0)
        (connection,) = pool._slots._endpoints[0].open
        connection.connection_lost(None)
        connection._transport = None
        outcome, trace = await running
        assert isinstance(outcome, UnaryReply)
        assert (trace.attempts, server.requests) == (2, 1)
        server.peers[0].transport.abort()
        await pool.close(1)


async def test_a_limit_lowered_after_a_stream_was_promised_costs_that_call_a_turn_and_nothing_else() -> None:
    """It may be made again elsewhere, and the connection stays."""
    async with scripted() as server:
        pool = pool_to(server.port)
        await pool.warm()
        (connection,) = pool._slots._endpoints[0].open
        server.peers[0].h2.update_settings({0x3: 0})
        server.peers[0].flush()
        await until(lambda: not connection._session.can_open())
        outcomes: list[object] = []

        class Told(UnaryStream):
            def settled(self) -> None:
                outcomes.append(self.settled_as)

        stream = Told(10)
        stream.renew(b"")
        connection.start(stream, [(b":method", b"POST")])
        assert [type(outcome) for outcome in outcomes] == [Unprocessed]
        assert (connection.accepting, connection.streams, server.requests) == (True, {}, 0)
        await pool.close(1)


async def test_an_answer_told_at_once_gives_the_windows_back_and_forgets_its_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whether or not anybody waits for it still."""
    async with scripted(lambda peer, stream: None) as server:
        pool = pool_to(server.port)
        await pool.warm()
        call = asyncio.ensure_future(ask(pool))
        await until(lambda: server.requests == 1)
        (connection,) = pool._slots._endpoints[0].open
        acknowledged: list[tuple[int, int]] = []
        head, trailers = [(b":status", b"200"), (b"content-type", b"application/grpc")], [(b"grpc-status", b"0")]
        answer = AnswerReceived(1, head, encode_frame(b"x"), 6, trailers)
        session = connection._session
        monkeypatch.setattr(session, "acknowledge", lambda stream, size: acknowledged.append((stream, size)))
        monkeypatch.setattr(session, "receive_answers", lambda data: [answer, answer])
        connection.data_received(b"both")
        assert (acknowledged, connection.streams) == ([(1, 6), (1, 6)], {})
        outcome, _ = await call
        assert isinstance(outcome, UnaryReply), outcome
        await pool.close(0)


async def test_calls_of_one_turn_leave_in_one_write() -> None:
    async with scripted() as server:
        pool = pool_to(server.port)
        await pool.warm()
        (connection,) = pool._slots._endpoints[0].open
        before = connection.writes
        running = [asyncio.ensure_future(ask(pool)) for _ in range(10)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert connection.writes == before + 1
        await asyncio.gather(*running)
        await pool.close(1)


async def test_a_silent_connection_is_pinged_and_given_up() -> None:
    async with scripted(lambda peer, stream: None) as server:
        pool = pool_to(server.port, timing=Timing(keepalive_interval_s=0.05, keepalive_timeout_s=0.05))
        running = asyncio.ensure_future(ask(pool))
        await until(lambda: bool(server.peers) and any(isinstance(e, PingReceived) for e in server.peers[0].events))
        server.deaf = True
        outcome, _ = await running
        assert isinstance(outcome, Refusal)
        assert (outcome.fault, "ping" in outcome.detail) == (Fault.UPSTREAM_RESET, True)
        await pool.close(1)


async def test_an_answered_ping_keeps_a_quiet_call() -> None:
    async with scripted(lambda peer, stream: None) as server:
        pool = pool_to(server.port, timing=Timing(keepalive_interval_s=0.02, keepalive_timeout_s=0.1))
        running = asyncio.ensure_future(ask(pool))
        await until(
            lambda: bool(server.peers) and sum(isinstance(e, PingReceived) for e in server.peers[0].events) >= 3
        )
        server.peers[0].reply(1, b"at last")
        server.peers[0].flush()
        outcome, _ = await running
        assert isinstance(outcome, UnaryReply)
        await pool.close(1)


async def test_too_many_pings_halves_their_rate() -> None:
    def answer(peer: Peer, stream: int) -> None:
        peer.reply(stream, b"ok")
        peer.h2.close_connection(0xB, b"too_many_pings")

    async with scripted(answer) as server:
        pool = pool_to(server.port, timing=Timing(keepalive_interval_s=20))
        await ask(pool)
        await until(lambda: pool.state().endpoints[0].connections == 0)
        assert pool._slots._endpoints[0]._timing.keepalive_interval_s == 40
        await pool.close(1)


async def test_an_idle_connection_is_closed_and_the_next_call_opens_another() -> None:
    async with scripted() as server:
        pool = pool_to(server.port, timing=Timing(idle_timeout_s=0.05))
        await ask(pool)
        await until(lambda: pool.state().endpoints[0].connections == 0)
        outcome, _ = await ask(pool)
        assert isinstance(outcome, UnaryReply)
        assert len(server.peers) == 2
        await pool.close(1)


async def test_an_early_answer_stops_the_upload() -> None:
    """Trailers before the request is whole: the rest of 1 MB is not sent, the stream is reset without an error."""

    async with scripted(lambda peer, stream: None) as server:
        pool = pool_to(server.port)
        await pool.warm()
        running = asyncio.ensure_future(ask(pool, bytes(1 << 20)))
        peer = server.peers[0]
        await until(lambda: any(isinstance(event, RequestReceived) for event in peer.events))
        peer.h2.send_headers(1, [*RESPONSE, (b"grpc-status", b"8")], end_stream=True)
        peer.flush()
        outcome, _ = await running
        assert isinstance(outcome, UnaryReply)
        assert outcome.code == 8
        await until(lambda: any(isinstance(event, StreamReset) and event.error_code == 0 for event in peer.events))
        await pool.close(1)


async def test_a_full_socket_stops_us_from_piling_up() -> None:
    """A peer with endless windows that does not read: what we hand to the transport stays near its high-water mark."""
    async with scripted(lambda peer, stream: None) as server:
        pool = pool_to(server.port)
        await pool.warm()
        peer = server.peers[0]
        peer.h2.increment_flow_control_window(1 << 30)
        peer.h2.update_settings({0x4: 1 << 30})
        peer.flush()
        (connection,) = pool._slots._endpoints[0].open
        await until(lambda: connection._session.can_open() and bool(peer.events))
        peer.transport.pause_reading()
        await asyncio.sleep(0.05)
        running = []
        for _ in range(8):
            running.append(asyncio.ensure_future(ask(pool, bytes(4 << 20), timeout_s=0.5)))
            await asyncio.sleep(0.01)
        assert connection._transport is not None
        assert connection._transport.get_write_buffer_size() < 9 << 20
        outcomes = await asyncio.gather(*running)
        assert all(isinstance(outcome, Refusal) for outcome, _ in outcomes)
        connection.abort("enough")
        await pool.close(1)


async def test_a_half_close_that_was_never_written_leaves_no_stream_behind() -> None:
    """The socket is full when the call half-closes, and the service answers first: the stream must not count against its limit."""
    async with scripted(lambda peer, stream: None) as server:
        pool = pool_to(server.port)
        await pool.warm()
        stream = await pool.open_stream(b"/t.S/M")
        await until(lambda: server.requests == 1)
        (connection,) = pool._slots._endpoints[0].open
        connection.pause_writing()
        await stream.end()
        server.peers[0].reply(1, b"ok")
        server.peers[0].flush()
        assert await stream.receive() == b"ok"
        assert await stream.receive() is None
        assert isinstance(connection._session, PortableH2Session)
        assert not connection._session._h2.streams
        await pool.close(0)


async def test_more_header_fields_than_the_service_takes_cost_that_call_alone() -> None:
    """hyper-h2 ends its connection, and with it every call on it, when a header list is larger than it announced."""
    async with scripted() as server:
        pool = pool_to(server.port)
        await pool.warm()
        deadline = asyncio.get_running_loop().time() + 5
        large = [(b"x-%d" % number, bytes(1000).replace(b"\0", b"v")) for number in range(64)]
        too_large, fine = await asyncio.gather(
            unary(pool, UnaryRequest(b"/t.S/M", b"", large, deadline), Trace()),
            unary(pool, UnaryRequest(b"/t.S/M", b"", large[:60], deadline), Trace()),
        )
        assert isinstance(too_large, Refusal)
        assert too_large.fault is Fault.HEADERS_TOO_LARGE
        assert isinstance(fine, UnaryReply)
        await pool.close(1)


async def test_a_stream_not_taken_goes_to_the_next_in_line() -> None:
    """A waiting call whose header fields turn out too large hands its stream on."""
    held: list[int] = []
    async with scripted(lambda peer, stream: held.append(stream)) as server:
        pool = pool_to(server.port, max_connections=1)
        await pool.warm()
        server.peers[0].h2.update_settings({0x3: 1})
        server.peers[0].flush()
        (connection,) = pool._slots._endpoints[0].open
        await until(lambda: connection.free == 1)
        first = asyncio.ensure_future(ask(pool))
        await until(lambda: held == [1])
        deadline = asyncio.get_running_loop().time() + 5
        large = [(b"x", b"v" * 70_000)]
        second = asyncio.ensure_future(unary(pool, UnaryRequest(b"/t.S/M", b"", large, deadline), Trace()))
        third = asyncio.ensure_future(ask(pool))
        await asyncio.sleep(0)
        server.answer = lambda peer, stream: peer.reply(stream, b"ok")
        server.peers[0].reply(1, b"ok")
        server.peers[0].flush()
        outcome, _ = await third
        assert isinstance(outcome, UnaryReply)
        assert isinstance(await second, Refusal)
        await first
        await pool.close(1)


async def test_settings_that_come_after_the_end_make_no_connection() -> None:
    """A TLS 1.3 server's SETTINGS may come with its handshake: asyncio hands them up even after an abort."""
    async with scripted() as server:
        pool = pool_to(server.port)
        await pool.warm()
        (good,) = pool._slots._endpoints[0].open
        connection = Connection("a:1", good._session, Timing(), good._owner, lambda _: "the wrong service")
        await asyncio.get_running_loop().create_connection(lambda: connection, "127.0.0.1", server.port)
        connection._on_settings(SettingsReceived(100))
        assert connection.ready.result() == "the wrong service"
        assert not connection.accepting
        await connection.gone
        await pool.close(1)
