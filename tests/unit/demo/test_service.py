"""The whole bookstore, called by grpcio's own client."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any, cast

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from edge.demo.messages import SERVICES, Messages, Msg
from edge.demo.service import implementations
from edge.demo.serving import python_name
from edge.demo.store import Shop
from tests.upstreams.bookstore import BookstoreProcess, bookstore, known


class Client:
    """Calls RPCs by `Service.Method`."""

    def __init__(self, channel: grpc.aio.Channel, new: Messages) -> None:
        self.channel = channel
        self.new = new

    def __call__(self, name: str, request: Any, **options: Any) -> Any:
        service, _, rpc = name.partition(".")
        method = self.new.service(service).methods_by_name[rpc]
        make = {
            (False, False): self.channel.unary_unary,
            (False, True): self.channel.unary_stream,
            (True, False): self.channel.stream_unary,
            (True, True): self.channel.stream_stream,
        }[method.client_streaming, method.server_streaming]
        call: Any = make(
            f"/{method.containing_service.full_name}/{rpc}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=self.new.of(method.output_type.full_name).FromString,
        )
        return call(request, **options)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with bookstore() as (address, new), grpc.aio.insecure_channel(address) as channel:
        yield Client(channel, new)


async def failure(call: Any) -> tuple[grpc.StatusCode, list[Msg]]:
    """How a call fails: its code and the details of grpc-status-details-bin."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    trailers: dict[str, Any] = dict(cast(Any, raised.value.trailing_metadata()))
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    assert status.message == raised.value.details()
    return raised.value.code(), list(status.details)


def test_every_rpc_is_implemented_and_nothing_else_is_public(shop: Shop) -> None:
    public = {name for each in implementations(shop) for name in dir(each) if not name.startswith("_")}
    rpcs = {python_name(method.name) for name in SERVICES for method in known().service(name).methods}
    assert public - rpcs == {"view"}
    assert rpcs <= public


async def test_a_book_is_read_written_and_gone(client: Client) -> None:
    new = client.new
    made = await client("Bookstore.CreateBook", new.CreateBookRequest(shelf=1, book={"title": "T"}))
    assert made.id == 8
    request = new.UpdateBookRequest(book={"shelf": 1, "id": 8, "pages": 3}, update_mask={"paths": ["pages"]})
    assert (await client("Bookstore.UpdateBook", request)).pages == 3
    await client("Bookstore.DeleteBook", new.DeleteBookRequest(shelf=1, book=8))
    code, details = await failure(client("Bookstore.GetBook", new.GetBookRequest(shelf=1, book=8)))
    assert code is grpc.StatusCode.NOT_FOUND
    info = error_details_pb2.ErrorInfo()
    assert details[0].Unpack(info)
    assert info.reason == "BOOK_NOT_FOUND"


async def test_failures_keep_unknown_and_broken_details(client: Client) -> None:
    request = client.new.FailRequest(code="RESOURCE_EXHAUSTED", message="50 % é\n", details=[3, 5, 6])
    code, details = await failure(client("Laboratory.Fail", request))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert [detail.TypeName() for detail in details] == [
        "google.rpc.RetryInfo",
        "elsewhere.v1.Mystery",
        "google.rpc.ErrorInfo",
    ]


async def test_streams_of_every_kind_run(client: Client) -> None:
    new = client.new
    events = client("Feeds.WatchBooks", new.WatchBooksRequest(replay=2, limit=2))
    assert [event.book.id async for event in events] == [6, 7]
    books = [new.ImportBooksRequest(shelf=4, book={"title": title}) for title in "AB"]
    assert (await client("Feeds.ImportBooks", iter(books))).created == 2
    chat = client("Feeds.Chat", iter([new.ChatMessage(text="hi"), new.ChatMessage(text="bye")]))
    assert [answer.text async for answer in chat] == ["You said: hi", "Goodbye."]


async def test_a_stream_that_fails_has_a_status_behind_its_messages(client: Client) -> None:
    stream = client("Feeds.Count", client.new.CountRequest(to=2, code=10))
    numbers: list[int] = []

    async def collect() -> None:
        async for message in stream:
            numbers.append(message.number)

    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await collect()
    assert numbers == [1, 2]
    assert raised.value.code() is grpc.StatusCode.ABORTED


async def test_metadata_arrives_and_comes_back(client: Client) -> None:
    request = client.new.EchoMetadataRequest(headers={"x-head": "1"}, trailers={"x-trail": "2"})
    call = client(
        "Laboratory.EchoMetadata", request, metadata=(("x-in", "a"), ("x-in", "b"), ("y-bin", b"\x00")), timeout=30
    )
    response = await call
    assert list(response.metadata["x-in"].values) == ["a", "b"]
    assert list(response.metadata["y-bin"].values) == ["AA=="]
    assert 0 < response.time_remaining.seconds <= 30
    assert dict(await call.initial_metadata())["x-head"] == "1"
    assert dict(await call.trailing_metadata())["x-trail"] == "2"


@pytest.mark.parametrize(
    ("key", "value"), [("", "x"), ("X-Upper", "x"), ("x y", "x"), ("grpc-status", "0"), ("x-a", "ü"), ("x-a", "a\nb")]
)
@pytest.mark.parametrize("field", ["headers", "trailers"])
async def test_what_is_no_metadata_is_refused(client: Client, field: str, key: str, value: str) -> None:
    request = client.new.EchoMetadataRequest(**{field: {key: value}})
    code, _ = await failure(client("Laboratory.EchoMetadata", request))
    assert code is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_slow_call_is_cancelled_by_its_deadline(client: Client) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await client("Laboratory.Slow", client.new.SlowRequest(delay={"seconds": 60}), timeout=0.05)
    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_100_kb_come_back(client: Client) -> None:
    items = [{"id": n, "name": f"item {n}", "tags": ["a", "b"], "score": n / 7} for n in range(2500)]
    payload = client.new.Payload(items=items)
    assert payload.ByteSize() > 70_000
    assert await client("Laboratory.EchoPayload", payload) == payload


async def test_it_says_that_it_is_healthy(client: Client) -> None:
    check: Any = client.channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )
    for name in ("", "bookstore.v1.Bookstore"):
        assert (await check(health_pb2.HealthCheckRequest(service=name))).status == 1


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_both_versions_of_reflection_describe_it(client: Client, version: str) -> None:
    ask: Any = client.channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    questions = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="bookstore.v1.Bookstore"),
    ]
    listed, file = [answer async for answer in ask(iter(questions))]
    assert {f"bookstore.v1.{name}" for name in SERVICES} <= {
        service.name for service in listed.list_services_response.service
    }
    assert len(file.file_descriptor_response.file_descriptor_proto) > 5


def test_the_process_ends_with_0_on_sigterm() -> None:
    with BookstoreProcess() as process:
        child = process._child
        assert child is not None
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 0


async def test_a_taken_port_is_exit_2_with_a_message() -> None:
    async with bookstore() as (address, _):
        port = address.rpartition(":")[2]
        command = [sys.executable, "-m", "edge.demo.service", "--port", port]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
