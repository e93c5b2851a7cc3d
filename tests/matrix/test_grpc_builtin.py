"""Health and reflection, asked by grpcio's own clients: v1alpha by its descriptor database, v1 by hand (grpcio has no client for it)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

from tests.matrix.rest_site import Site
from tests.matrix.rpc_site import talking

V1 = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"


def test_reflection_lists_and_describes_what_is_exposed(lab: Site) -> None:
    """As grpcurl and every dynamic client use it: a service by name, its messages through the imports."""
    with grpc.insecure_channel(f"127.0.0.1:{lab.gateway.port}") as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        names = set(database.get_services())
        assert {"bookstore.v1.Bookstore", "bookstore.v1.Feeds", "grpc.health.v1.Health"} <= names
        assert {"grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"} <= names
        pool = DescriptorPool(database)
        service = pool.FindServiceByName("bookstore.v1.Bookstore")
        assert service.FindMethodByName("GetBook").output_type.full_name == "bookstore.v1.Book"
        assert "Check" in pool.FindServiceByName("grpc.health.v1.Health").methods_by_name
        with pytest.raises(KeyError):
            pool.FindServiceByName("bookstore.v1.Nothing")


def test_reflection_v1_answers_every_question_on_one_stream(lab: Site) -> None:
    """In order; a file comes with its imports, each once."""
    questions = [
        ServerReflectionRequest(list_services=""),
        ServerReflectionRequest(file_containing_symbol="bookstore.v1.Bookstore.GetBook"),
        ServerReflectionRequest(file_by_filename="bookstore/v1/bookstore.proto"),
        ServerReflectionRequest(file_containing_symbol="nothing.Here"),
        ServerReflectionRequest(file_containing_symbol="google.api.http"),
        ServerReflectionRequest(all_extension_numbers_of_type="google.protobuf.MethodOptions"),
    ]
    with grpc.insecure_channel(f"127.0.0.1:{lab.gateway.port}") as channel:
        call = channel.stream_stream(
            V1,
            request_serializer=ServerReflectionRequest.SerializeToString,
            response_deserializer=ServerReflectionResponse.FromString,
        )
        answers = list(call(iter(questions), timeout=10))
    assert len(answers) == len(questions)
    assert "bookstore.v1.Feeds" in [service.name for service in answers[0].list_services_response.service]
    files = [FileDescriptorProto.FromString(f) for f in answers[1].file_descriptor_response.file_descriptor_proto]
    assert files[0].name == "bookstore/v1/bookstore.proto"
    assert "google/api/http.proto" in [file.name for file in files]
    assert len(answers[2].file_descriptor_response.file_descriptor_proto) == 1
    assert answers[3].error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
    assert answers[4].file_descriptor_response.file_descriptor_proto
    assert 72295728 in answers[5].all_extension_numbers_response.extension_number


def test_health_knows_the_exposed_services(lab: Site) -> None:
    """And the gateway as a whole, by the empty name."""
    with grpc.insecure_channel(f"127.0.0.1:{lab.gateway.port}") as channel:
        stub = HealthStub(channel)
        for name in ("", "bookstore.v1.Bookstore"):
            assert stub.Check(HealthCheckRequest(service=name)).status == HealthCheckResponse.SERVING
        with pytest.raises(grpc.RpcError) as caught:
            stub.Check(HealthCheckRequest(service="nothing.Here"))
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_watcher_hears_of_the_drain_and_does_not_hold_it_up(tmp_path: Path) -> None:
    """SERVING at once; NOT_SERVING and the end when the gateway goes."""
    async with talking(tmp_path) as site:
        watch = HealthStub(site.channel).Watch(HealthCheckRequest())
        assert (await watch.read()).status == HealthCheckResponse.SERVING
        drain = asyncio.create_task(site.gateway.gateway.drain(30.0))
        assert (await watch.read()).status == HealthCheckResponse.NOT_SERVING
        assert await watch.code() is grpc.StatusCode.UNAVAILABLE
        async with asyncio.timeout(15.0):
            await drain


async def test_what_is_turned_off_is_not_there(tmp_path: Path) -> None:
    """UNIMPLEMENTED in every dialect, and not listed by the other."""
    async with talking(tmp_path, builtin={"health": False}) as site:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await HealthStub(site.channel).Check(HealthCheckRequest())
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
        async with site.gateway.client() as client:
            answer = await client.post("/grpc.health.v1.Health/Check", json={})
            assert answer.status_code == 404
        listed = await asyncio.to_thread(_services, site.gateway.port)
        assert "bookstore.v1.Bookstore" in listed
        assert "grpc.health.v1.Health" not in listed
    folder = tmp_path / "other"
    folder.mkdir()
    async with talking(folder, builtin={"reflection": False}) as site:
        assert (await HealthStub(site.channel).Check(HealthCheckRequest())).status == HealthCheckResponse.SERVING
        with pytest.raises(grpc.RpcError) as refused:
            await asyncio.to_thread(_services, site.gateway.port)
        assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


def _services(port: int) -> set[str]:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        return set(ProtoReflectionDescriptorDatabase(channel).get_services())
