"""A pool against grpcio services: every way a call can go."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator

import pytest
from google.rpc import status_pb2

from edge import __version__
from edge.outcome import Fault, Refusal
from edge.upstream.call import Trace, UnaryReply, UnaryRequest
from edge.upstream.pool import Pool
from tests.calls import unary
from tests.unit.upstream.scripted import until
from tests.unit.upstream.services import Service, pool_to, serving


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as service:
        yield service


async def call(
    pool: Pool, method: str, message: bytes = b"", timeout_s: float = 10.0, limit: int = 4 << 20
) -> UnaryReply | Refusal:
    deadline = asyncio.get_running_loop().time() + timeout_s
    return await unary(
        pool, UnaryRequest(b"/t.S/" + method.encode(), message, deadline=deadline, max_response_bytes=limit), Trace()
    )


def fault(outcome: UnaryReply | Refusal) -> Fault:
    assert isinstance(outcome, Refusal), outcome
    return outcome.fault


def code(outcome: UnaryReply | Refusal) -> int:
    return outcome.code if isinstance(outcome, UnaryReply) else outcome.grpc_code


async def test_a_call_and_what_went_with_it(service: Service) -> None:
    pool = pool_to(service.port, metadata=[(b"x-pool", b"p")])
    trace = Trace()
    deadline = asyncio.get_running_loop().time() + 5
    request = UnaryRequest(b"/t.S/Echo", b"hello", [(b"x-call", b"c"), (b"x-raw-bin", b"AP8")], deadline)
    reply = await unary(pool, request, trace)
    assert isinstance(reply, UnaryReply)
    assert (reply.code, reply.message) == (0, b"hello")
    assert (b"x-first", b"1") in reply.headers
    assert (b"x-last", b"2") in reply.trailers
    seen = service.seen.metadata
    assert (seen["x-pool"], seen["x-call"], seen["x-raw-bin"]) == ("p", "c", b"\x00\xff")
    assert seen["user-agent"] == f"edge-gateway/{__version__}"
    assert (trace.address, trace.attempts) == (f"127.0.0.1:{service.port}", 1)
    assert trace.upstream_s > 0
    await pool.close(1)


async def test_the_pool_s_metadata_takes_the_place_of_a_call_s(service: Service) -> None:
    """A client must not be able to set a credential of its own beside the operator's."""
    pool = pool_to(service.port, metadata=[(b"authorization", b"ours")])
    await unary(pool, UnaryRequest(b"/t.S/Echo", b"", [(b"authorization", b"forged"), (b"x-call", b"c")]), Trace())
    assert (service.seen.metadata["authorization"], service.seen.metadata["x-call"]) == ("ours", "c")
    await pool.close(1)


async def test_an_error_with_details(service: Service) -> None:
    """The text keeps its trailing space and its accent: white space must not cost the connection."""
    pool = pool_to(service.port)
    reply = await call(pool, "Fail")
    assert isinstance(reply, UnaryReply)
    assert (reply.code, reply.message, reply.text) == (5, None, "no such bóok ")
    assert reply.details is not None
    assert status_pb2.Status.FromString(reply.details).details[0].type_url.endswith("ErrorInfo")
    unknown = await call(pool, "Echo")
    assert isinstance(unknown, UnaryReply)
    assert unknown.code == 0
    await pool.close(1)


async def test_the_deadline_ends_the_call_on_both_sides(service: Service) -> None:
    pool = pool_to(service.port)
    await pool.warm()
    started = time.monotonic()
    assert code(await call(pool, "Hang", timeout_s=0.1)) == 4  # whichever clock strikes first
    assert 0.09 < time.monotonic() - started < 1.0
    await until(service.seen.ended.is_set)
    await pool.close(1)


async def test_cancelling_a_call_ends_it_at_the_service(service: Service) -> None:
    pool = pool_to(service.port)
    await pool.warm()
    running = asyncio.create_task(call(pool, "Hang"))
    await until(lambda: service.seen.running == 1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert pool.state().endpoints[0].streams == 0
    await until(service.seen.ended.is_set)
    assert isinstance(await call(pool, "Echo"), UnaryReply)
    await pool.close(1)


async def test_a_deadline_that_has_passed_sends_nothing(service: Service) -> None:
    pool = pool_to(service.port)
    await pool.warm()
    (connection,) = pool._slots._endpoints[0].open
    writes, trace = connection.writes, Trace()
    assert fault(await unary(pool, UnaryRequest(b"/t.S/Hang", b"", deadline=1.0), trace)) is Fault.DEADLINE_EXCEEDED
    assert (connection.writes, trace.attempts) == (writes, 0)
    await pool.close(1)


async def test_three_megabytes_each_way(service: Service) -> None:
    pool = pool_to(service.port)
    body = os.urandom(3 << 20)
    replies = await asyncio.gather(*(call(pool, "Echo", body) for _ in range(3)))
    assert all(isinstance(reply, UnaryReply) and reply.message == body for reply in replies)
    await pool.close(1)


async def test_an_answer_over_the_limit_costs_only_its_call(service: Service) -> None:
    pool = pool_to(service.port)
    for _ in range(100):  # each costs the connection's window a frame or more: all must be given back
        assert fault(await call(pool, "Large", b"100001", limit=100_000)) is Fault.RESPONSE_TOO_LARGE
    reply = await call(pool, "Large", b"100000", limit=100_000)
    assert isinstance(reply, UnaryReply)
    assert pool.state().endpoints[0].connections == 1
    await pool.close(1)


async def test_one_stream_at_a_time() -> None:
    """SETTINGS_MAX_CONCURRENT_STREAMS 1: more connections up to the maximum, then a queue; no call is lost."""
    with serving(("grpc.max_concurrent_streams", 1)) as service:
        pool = pool_to(service.port, max_connections=2)
        replies = await asyncio.gather(*(call(pool, "Slow", b"%d" % number) for number in range(30)))
        assert [reply.message for reply in replies if isinstance(reply, UnaryReply)] == [b"%d" % n for n in range(30)]
        assert service.seen.peak == 2
        assert pool.state().endpoints[0].connections == 2
        await pool.close(1)


async def test_past_the_queue_calls_are_refused() -> None:
    with serving(("grpc.max_concurrent_streams", 1)) as service:
        pool = pool_to(service.port, max_connections=1, max_pending=3)
        await pool.warm()
        outcomes = await asyncio.gather(*(call(pool, "Slow") for _ in range(6)))
        assert [fault(outcome) for outcome in outcomes if isinstance(outcome, Refusal)] == [Fault.OVERLOADED] * 2
        await pool.close(1)


async def test_connections_that_age_out_under_load_lose_no_call() -> None:
    """max_connection_age: GOAWAY again and again while calls run."""
    with serving(("grpc.max_connection_age_ms", 60), ("grpc.max_connection_age_grace_ms", 5000)) as service:
        pool = pool_to(service.port)
        connections: set[int] = set()
        stop = time.monotonic() + 1.0
        lost: list[object] = []
        calls = 0

        async def worker() -> None:
            nonlocal calls
            while time.monotonic() < stop:
                reply = await call(pool, "Echo", b"x")
                calls += 1
                connections.update(id(connection) for connection in pool._slots._endpoints[0].open)
                if not (isinstance(reply, UnaryReply) and reply.code == 0):
                    lost.append(reply)

        await asyncio.gather(*(worker() for _ in range(10)))
        assert lost == []
        assert len(connections) >= 4
        assert calls > 100
        await pool.close(1)


async def test_killed_in_the_middle_and_back() -> None:
    """kill -9: running calls fail at once, later ones fast with a time to retry, and soon after its return all succeed."""
    process, port = await _spawn(0)
    pool = pool_to(port)
    running = [asyncio.create_task(call(pool, "Hang")) for _ in range(5)]
    await until(lambda: pool.state().endpoints[0].streams == 5)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    for outcome in await asyncio.gather(*running):
        assert fault(outcome) is Fault.UPSTREAM_RESET
    refusals = [await call(pool, "Echo") for _ in range(20)]
    assert {fault(refusal) for refusal in refusals} == {Fault.UPSTREAM_UNAVAILABLE}
    last = refusals[-1]
    assert isinstance(last, Refusal)
    assert last.retry_after_s is not None
    process, _ = await _spawn(port)
    back = time.monotonic()
    while not isinstance(await call(pool, "Echo"), UnaryReply):
        assert time.monotonic() - back < 1.5
        await asyncio.sleep(0.01)
    assert all(
        isinstance(outcome, UnaryReply) for outcome in await asyncio.gather(*(call(pool, "Echo") for _ in range(50)))
    )
    await pool.close(1)
    process.kill()
    await process.wait()


async def _spawn(port: int) -> tuple[asyncio.subprocess.Process, int]:
    module = "tests.unit.upstream.service_process"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, str(port), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    return process, int(await process.stdout.readline())


async def test_an_endpoint_that_is_down_is_passed_over(service: Service) -> None:
    with serving() as gone:
        pass
    pool = pool_to(gone.port, service.port)
    outcomes = [await call(pool, "Echo", b"x") for _ in range(10)]
    assert all(isinstance(outcome, UnaryReply) for outcome in outcomes)
    await pool.close(1)


async def test_calls_spread_over_endpoints(service: Service) -> None:
    with serving() as other:
        pool = pool_to(service.port, other.port)
        await call(pool, "Echo")
        await until(lambda: all(endpoint.connections for endpoint in pool.state().endpoints))
        await asyncio.gather(*(call(pool, "Slow") for _ in range(8)))
        assert (service.seen.peak > 0, other.seen.peak > 0) == (True, True)
        await pool.close(1)


async def test_close_lets_running_calls_end_and_refuses_new_ones(service: Service) -> None:
    pool = pool_to(service.port)
    await pool.warm()
    running = asyncio.create_task(call(pool, "Slow", b"x"))
    await until(lambda: pool.state().endpoints[0].streams == 1)
    closing = asyncio.create_task(pool.close(5))
    await asyncio.sleep(0)
    assert fault(await call(pool, "Echo")) is Fault.SHUTTING_DOWN
    assert isinstance(await running, UnaryReply)
    await closing
    assert pool.state().endpoints[0].connections == 0


async def test_close_ends_what_outlasts_the_drain(service: Service) -> None:
    pool = pool_to(service.port)
    running = asyncio.create_task(call(pool, "Hang"))
    await until(lambda: pool.state().endpoints[0].streams == 1)
    await pool.close(0.05)
    assert fault(await running) is Fault.UPSTREAM_RESET


async def test_bad_metadata_is_refused_before_it_can_cost_the_connection(service: Service) -> None:
    pool = pool_to(service.port)
    for field in [(b"x", b"a\r\nb"), (b"X-Upper", b"1"), (b":path", b"/other"), (b"connection", b"close")]:
        assert fault(await unary(pool, UnaryRequest(b"/t.S/Echo", b"", [field]), Trace())) is Fault.INVALID_ARGUMENT
        stream = await pool.open_stream(b"/t.S/Chat", [field])
        assert isinstance(stream.outcome, Refusal)
    assert service.seen.metadata == {}
    await pool.close(1)


async def test_messages_both_ways(service: Service) -> None:
    pool = pool_to(service.port)
    stream = await pool.open_stream(b"/t.S/Chat")
    for message in (b"abc", b"defg"):
        await stream.send(message)
        assert await stream.receive() == message[::-1]
    await stream.send(b"x" * 200_000, end=True)
    assert await stream.receive() == b"x" * 200_000
    assert await stream.receive() is None
    assert stream.outcome == UnaryReply(0, None)
    stream.cancel()
    await pool.close(1)


async def test_a_slow_reader_slows_the_service(service: Service) -> None:
    """20 MB wait for us: the service gets no further than the windows, and then everything comes in order."""
    pool = pool_to(service.port)
    stream = await pool.open_stream(b"/t.S/Count")
    await stream.send(b"320 65536", end=True)
    await until(lambda: service.seen.streamed >= 4)
    for _ in range(200):  # unread for a while, during which other calls are served
        assert isinstance(await call(pool, "Echo"), UnaryReply)
    assert service.seen.streamed < 100
    numbers = []
    while (message := await stream.receive()) is not None:
        numbers.append(int.from_bytes(message[:4], "big"))
    assert numbers == list(range(320))
    await pool.close(1)


async def test_a_streaming_call_has_a_deadline(service: Service) -> None:
    pool = pool_to(service.port)
    stream = await pool.open_stream(b"/t.S/Chat", deadline=asyncio.get_running_loop().time() + 0.1)
    assert await stream.receive() is None
    assert stream.outcome is not None
    assert code(stream.outcome) == 4
    await pool.close(1)


async def test_a_stream_to_nowhere_has_ended_already() -> None:
    with serving() as gone:
        pass
    pool = pool_to(gone.port)
    stream = await pool.open_stream(b"/t.S/Chat")
    await stream.send(b"x")
    assert await stream.receive() is None
    assert isinstance(stream.outcome, Refusal)
    assert stream.outcome.fault is Fault.UPSTREAM_UNAVAILABLE
    assert await pool.warm() is not None
    await pool.close(1)
