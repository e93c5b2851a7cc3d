"""Reflection, question by question. What real clients make of it is in tests/matrix."""

from __future__ import annotations

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

from edge.core.grpc_status import Code
from edge.descriptors.file_index import FileIndex
from edge.ingress.grpc_reflection import Reflection
from edge.upstream.call import UnaryReply

FILES = FileDescriptorSet(
    file=[
        FileDescriptorProto(name="base.proto", package="p"),
        FileDescriptorProto(name="a.proto", package="p", dependency=["base.proto"]),
        FileDescriptorProto(name="b.proto", package="p", dependency=["base.proto"]),
    ]
)
for _file, _name in zip(FILES.file, "BAC", strict=True):
    _file.message_type.add(name=_name)


class Asker:
    """One call."""

    def __init__(self) -> None:
        self.said: list[bytes] = []
        self.ended: list[UnaryReply] = []
        self.dialogue = Reflection(FileIndex([FILES.SerializeToString()], ["p.Svc"]))
        self.dialogue.begin(self.said.append, self.ended.append)

    def ask(self, question: ServerReflectionRequest) -> ServerReflectionResponse:
        self.dialogue.take(question.SerializeToString())
        answer = ServerReflectionResponse.FromString(self.said.pop())
        assert answer.original_request == question
        return answer

    def files(self, question: ServerReflectionRequest) -> list[str]:
        data = self.ask(question).file_descriptor_response.file_descriptor_proto
        return [FileDescriptorProto.FromString(file).name for file in data]


def test_a_file_comes_with_the_imports_this_client_does_not_have() -> None:
    """But always itself: it was asked for."""
    asker = Asker()
    assert asker.files(ServerReflectionRequest(file_containing_symbol="p.A")) == ["a.proto", "base.proto"]
    assert asker.files(ServerReflectionRequest(file_by_filename="b.proto")) == ["b.proto"]
    assert asker.files(ServerReflectionRequest(file_by_filename="base.proto")) == ["base.proto"]


def test_what_is_not_there_is_an_error_and_not_the_end() -> None:
    """Each question has its answer."""
    asker = Asker()
    for question in (
        ServerReflectionRequest(host="h", file_by_filename="nothing.proto"),
        ServerReflectionRequest(file_containing_symbol="p.Nothing"),
        ServerReflectionRequest(all_extension_numbers_of_type="p.Nothing"),
        ServerReflectionRequest(file_containing_extension={"containing_type": "p.A", "extension_number": 1}),
    ):
        answer = asker.ask(question)
        assert answer.error_response.error_code == Code.NOT_FOUND
        assert answer.valid_host == question.host
    assert asker.ask(ServerReflectionRequest()).error_response.error_code == Code.INVALID_ARGUMENT
    answer = asker.ask(ServerReflectionRequest(all_extension_numbers_of_type="p.A"))
    assert list(answer.all_extension_numbers_response.extension_number) == []
    services = asker.ask(ServerReflectionRequest(list_services="*")).list_services_response.service
    assert [service.name for service in services] == ["p.Svc"]
    assert asker.ended == []


def test_the_client_s_end_is_a_good_one_and_nonsense_a_bad_one() -> None:
    """OK, INVALID_ARGUMENT."""
    asker = Asker()
    asker.dialogue.half_closed()
    asker.dialogue.take(b"\xff")
    assert [reply.code for reply in asker.ended] == [Code.OK, Code.INVALID_ARGUMENT]
