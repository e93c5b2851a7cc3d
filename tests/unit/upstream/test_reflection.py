"""Reflection against a real grpcio server, and the watch's rhythm on a clock of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import grpc
import grpc.aio
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha import reflection, reflection_pb2

from edge.core.problem import Problem, ProblemsError
from edge.descriptors.reflection_dialogue import Reflected
from edge.outcome import Fault, Refusal
from edge.upstream.call import Header, MessageStream, UnaryReply
from edge.upstream.reflection import OpenStream, ReflectionWatch, Rhythm, fetch
from tests.unit.descriptors.reflecting import A, B, C, Service, with_service
from tests.unit.descriptors.sources import file, names
from tests.unit.upstream.services import pool_to

V1, V1ALPHA = "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"


def serve_reflection(server: grpc.aio.Server, name: str, files: Sequence[FileDescriptorProto]) -> None:
    """Serve reflection of these files under one of its two names."""
    pool = DescriptorPool()
    for each in files:
        pool.AddSerializedFile(each.SerializeToString())
    servicer = reflection.ReflectionServicer(["p.S", name], pool=pool)
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        reflection_pb2.ServerReflectionRequest.FromString,
        reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": handler}),))


@asynccontextmanager
async def served(*versions: str, files: Sequence[FileDescriptorProto] = (C, B, A)) -> AsyncIterator[OpenStream]:
    """A grpcio server with reflection under these names, and how to open a stream to it."""
    server = grpc.aio.server()
    for name in versions:
        serve_reflection(server, name, files)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    pool = pool_to(port)  # ours: a write of grpc.aio's that comes after the end hides how the call ended
    try:
        yield pool.open_stream
    finally:
        await pool.close(1)
        await server.stop(None)


@pytest.mark.parametrize("versions", [(V1,), (V1ALPHA,), (V1, V1ALPHA)])
async def test_a_real_service_describes_itself_in_either_version(versions: tuple[str, ...]) -> None:
    async with served(*versions) as open_stream:
        found = await fetch(open_stream, 10)
    assert names(found.descriptor_set) == ["c.proto", "b.proto", "a.proto"]
    assert found.services == ("p.S",)


async def test_the_same_service_gives_the_same_bytes_twice() -> None:
    async with served(V1ALPHA) as open_stream:
        assert await fetch(open_stream, 10) == await fetch(open_stream, 10)


async def test_a_service_without_reflection_says_what_to_do() -> None:
    async with served() as open_stream:
        with pytest.raises(ProblemsError) as caught:
            await fetch(open_stream, 10)
    (problem,) = caught.value.problems
    assert problem.message == "the service does not serve reflection"
    assert "descriptors" in problem.fix


class Scripted:
    """A stream on which a Service answers; with `outcome` it ends at once, without a service it never answers."""

    def __init__(self, service: Service | None = None, outcome: UnaryReply | Refusal | None = None) -> None:
        self._service = service
        self._answers: list[bytes] = []
        self.outcome = outcome
        self.cancelled = False

    async def send(self, message: bytes, *, end: bool = False) -> None:
        if self._service is not None:
            self._answers.append(self._service.answer(message))

    async def end(self) -> None:
        pass

    async def head(self) -> Sequence[Header] | None:
        raise AssertionError("reflection reads no metadata")

    async def receive(self) -> bytes | None:
        if self.outcome is not None:
            return None
        if not self._answers:
            await asyncio.get_running_loop().create_future()
        return self._answers.pop(0)

    def take(self, count: int, size_bytes: int) -> list[bytes]:
        raise AssertionError("reflection reads one answer at a time")

    def cancel(self) -> None:
        self.cancelled = True


def opening(*streams: Scripted) -> OpenStream:
    """Opens these streams in turn, the last one for ever."""
    left = list(streams)

    async def open_stream(path: bytes) -> MessageStream:
        return left.pop(0) if len(left) > 1 else left[0]

    return open_stream


DOWN = Refusal(Fault.UPSTREAM_UNAVAILABLE, "connection refused")


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (DOWN, "connection refused"),
        (Refusal(Fault.UPSTREAM_UNAVAILABLE), "cannot be reached"),
        (UnaryReply(16, None, text="who are you"), "gRPC status 16 who are you"),
        (UnaryReply(0, None), "gRPC status 0"),
    ],
)
async def test_a_call_that_fails_is_a_problem_in_its_words(outcome: UnaryReply | Refusal, words: str) -> None:
    stream = Scripted(outcome=outcome)
    with pytest.raises(ProblemsError, match=words):
        await fetch(opening(stream), 10)
    assert stream.cancelled


async def test_a_round_has_one_time_limit_and_its_stream_is_reset() -> None:
    stream = Scripted()
    with pytest.raises(ProblemsError, match="no description within"):
        await fetch(opening(stream), 0.001)
    assert stream.cancelled


async def test_a_timeout_that_is_not_ours_is_not_hidden() -> None:
    async def open_stream(path: bytes) -> MessageStream:
        raise TimeoutError("from below")

    with pytest.raises(TimeoutError, match="from below"):
        await fetch(open_stream, 10)


class Observed:
    """Runs a watch for a number of rounds on a clock of its own, and keeps what it said."""

    def __init__(self, on_change: Callable[[Reflected], Awaitable[None]] | None = None) -> None:
        self.changes: list[Reflected] = []
        self.problems: list[Sequence[Problem]] = []
        self.pauses: list[float] = []
        self._rounds = 0
        self._over = asyncio.Event()
        self._on_change = on_change or self._changed

    async def _changed(self, found: Reflected) -> None:
        self.changes.append(found)

    async def _sleep(self, pause_s: float) -> None:
        self.pauses.append(pause_s)
        if len(self.pauses) == self._rounds:
            self._over.set()
            await asyncio.get_running_loop().create_future()

    async def run(self, rounds: int, *streams: Scripted) -> None:
        self._rounds = rounds
        watch = ReflectionWatch(
            opening(*streams),
            Rhythm(refresh_s=60, timeout_s=10, retry_s=1, max_retry_s=5),
            on_change=self._on_change,
            on_problem=self.problems.append,
            sleep=self._sleep,
            rand=lambda: 0.5,
        )
        task = asyncio.create_task(watch.run())
        await self._over.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def up(*files: FileDescriptorProto) -> Scripted:
    """A stream to a service of these files."""
    return Scripted(Service(*(files or (A, B, C))))


async def test_a_watch_reports_a_description_once_and_asks_again_on_its_period() -> None:
    observed = Observed()
    await observed.run(3, up(), up(), up())
    assert len(observed.changes) == 1
    assert observed.pauses == [60, 60, 60]


async def test_a_change_is_reported() -> None:
    changed = with_service(file("a.proto", messages=[("New", "")]))
    observed = Observed()
    await observed.run(3, up(), up(changed), up(changed))
    assert [names(found.descriptor_set) for found in observed.changes] == [
        ["c.proto", "b.proto", "a.proto"],
        ["a.proto"],
    ]


async def test_while_the_service_is_down_the_waits_grow_to_a_bound_and_one_problem_is_told() -> None:
    observed = Observed()
    await observed.run(5, *(Scripted(outcome=DOWN) for _ in range(5)))
    assert observed.pauses == [1, 2, 4, 5, 5]
    assert len(observed.problems) == 1
    assert observed.changes == []


async def test_an_outage_between_two_equal_descriptions_changes_nothing() -> None:
    observed = Observed()
    await observed.run(4, up(), Scripted(outcome=DOWN), up(), Scripted(outcome=DOWN))
    assert len(observed.changes) == 1
    assert observed.pauses == [60, 1, 60, 1]
    assert len(observed.problems) == 2


async def test_a_description_that_cannot_be_used_is_told_once() -> None:
    async def refuse(found: Reflected) -> None:
        raise ProblemsError([Problem("", "apis[0]", "no")])

    observed = Observed(refuse)
    await observed.run(3, up(), up(), up())
    assert [problem.message for problems in observed.problems for problem in problems] == ["no"]
    assert observed.pauses == [60, 60, 60]


async def test_a_bug_in_what_uses_a_description_does_not_end_the_watch() -> None:
    """Nobody awaits the watch's task: it would end unseen, and the API would never change again."""

    async def crash(found: Reflected) -> None:
        raise RuntimeError("bug")

    observed = Observed(crash)
    await observed.run(2, up(), up())
    assert observed.pauses == [1, 60]


async def test_cancelling_a_watch_in_the_middle_of_a_round_resets_its_stream() -> None:
    stream = Scripted()
    asked = asyncio.Event()

    async def open_stream(path: bytes) -> MessageStream:
        asked.set()
        return stream

    observed = Observed()
    watch = ReflectionWatch(
        open_stream, Rhythm(60, 10), on_change=observed._changed, on_problem=observed.problems.append
    )
    task = asyncio.create_task(watch.run())
    await asked.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stream.cancelled
    assert observed.problems == []
