"""A service that answers reflection's questions from files in memory, for the dialogue's and the watch's tests."""

from __future__ import annotations

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

from tests.unit.descriptors.sources import file

INFRASTRUCTURE = ["grpc.reflection.v1alpha.ServerReflection", "grpc.health.v1.Health"]


def with_service(proto: FileDescriptorProto, name: str = "S") -> FileDescriptorProto:
    """The file with an empty service in it."""
    proto.service.add(name=name)
    return proto


class Service:
    """A service that answers from its files: each file alone, or with all it imports, as servers differ."""

    def __init__(
        self, *files: FileDescriptorProto, listed: list[str] | None = None, with_imports: bool = False
    ) -> None:
        self.files = {each.name: each for each in files}
        self.owners = {f"{each.package}.{made.name}": each for each in files for made in each.service}
        self.listed = list(self.owners) if listed is None else listed
        self.with_imports = with_imports
        self.asked: list[str] = []

    def answer(self, request: bytes) -> bytes:
        """The answer to one question."""
        return bytes(self._answer(ServerReflectionRequest.FromString(request)).SerializeToString())

    def _answer(self, question: ServerReflectionRequest) -> ServerReflectionResponse:
        kind = str(question.WhichOneof("message_request"))
        self.asked.append(f"{kind} {getattr(question, kind)}".strip())
        if kind == "list_services":
            return ServerReflectionResponse(
                list_services_response={"service": [{"name": name} for name in self.listed]}
            )
        found = self.owners.get(question.file_containing_symbol) or self.files.get(question.file_by_filename)
        if found is None:
            return ServerReflectionResponse(error_response={"error_code": 5, "error_message": "not found"})
        files = [each.SerializeToString() for each in self._sent(found)]
        return ServerReflectionResponse(file_descriptor_response={"file_descriptor_proto": files})

    def _sent(self, found: FileDescriptorProto) -> list[FileDescriptorProto]:
        if not self.with_imports:
            return [found]
        return [
            found,
            *(deep for name in found.dependency if name in self.files for deep in self._sent(self.files[name])),
        ]


A = with_service(file("a.proto", "b.proto", messages=[("A", ".p.B")]))
B = file("b.proto", "c.proto", messages=[("B", ".p.C")])
C = file("c.proto", messages=[("C", "")])
