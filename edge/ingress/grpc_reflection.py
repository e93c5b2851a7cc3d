"""
Server reflection of the gateway, v1 and v1alpha: which services it exposes, and the files that describe them.

Owns that only exposed services are listed, and that a client gets a file with all its imports, each once per call. The messages of the
two versions are the same bytes. Source: grpc/reflection/v1/reflection.proto.
"""

from __future__ import annotations

from collections.abc import Callable

from google.protobuf.message import DecodeError
from grpc_reflection.v1alpha.reflection_pb2 import (
    ErrorResponse,
    ExtensionNumberResponse,
    FileDescriptorResponse,
    ListServiceResponse,
    ServerReflectionRequest,
    ServerReflectionResponse,
    ServiceResponse,
)

from edge.core.grpc_status import Code
from edge.descriptors.file_index import FileIndex
from edge.ingress.grpc_local import error, ok
from edge.upstream.call import UnaryReply

SERVICES = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")


class Reflection:
    """One call: `grpc_local.LocalDialogue`."""

    def __init__(self, index: FileIndex) -> None:
        self._index = index
        self._sent: set[str] = set()
        self._say: Callable[[bytes], None]
        self._end: Callable[[UnaryReply], None]

    def begin(self, say: Callable[[bytes], None], end: Callable[[UnaryReply], None]) -> None:
        """Keep both."""
        self._say, self._end = say, end

    def take(self, message: bytes) -> None:
        """Each question has one answer."""
        try:
            question = ServerReflectionRequest.FromString(message)
        except DecodeError as bad:
            self._end(error(Code.INVALID_ARGUMENT, f"the request is no ServerReflectionRequest: {bad}"))
            return
        answer = self._answer(question)
        answer.valid_host = question.host
        answer.original_request.CopyFrom(question)
        self._say(answer.SerializeToString())

    def half_closed(self) -> None:
        """All questions are answered."""
        self._end(ok())

    def close(self) -> None:
        """Nothing is held."""

    def _answer(self, question: ServerReflectionRequest) -> ServerReflectionResponse:
        kind = question.WhichOneof("message_request")
        index = self._index
        if kind == "list_services":
            names = [ServiceResponse(name=name) for name in index.services]
            return ServerReflectionResponse(list_services_response=ListServiceResponse(service=names))
        if kind == "file_by_filename":
            return self._file(question.file_by_filename if question.file_by_filename in index.files else None)
        if kind == "file_containing_symbol":
            return self._file(index.file_of_symbol(question.file_containing_symbol))
        if kind == "file_containing_extension":
            wanted = question.file_containing_extension
            return self._file(index.file_of_extension(wanted.containing_type, wanted.extension_number))
        if kind == "all_extension_numbers_of_type":
            return self._extensions(question.all_extension_numbers_of_type)
        return _refused(Code.INVALID_ARGUMENT, "the request asks for nothing")

    def _file(self, name: str | None) -> ServerReflectionResponse:
        """The file and those of its imports that this client does not have; always the file itself."""
        if name is None:
            return _refused(Code.NOT_FOUND, "not found")
        names = [name, *(other for other in self._index.imports(name) if other not in self._sent)]
        self._sent.update(names)
        files = [self._index.files[each] for each in names]
        return ServerReflectionResponse(file_descriptor_response=FileDescriptorResponse(file_descriptor_proto=files))

    def _extensions(self, type_name: str) -> ServerReflectionResponse:
        numbers = self._index.extension_numbers(type_name)
        if numbers is None:
            return _refused(Code.NOT_FOUND, "not found")
        found = ExtensionNumberResponse(base_type_name=type_name, extension_number=numbers)
        return ServerReflectionResponse(all_extension_numbers_response=found)


def _refused(code: Code, text: str) -> ServerReflectionResponse:
    return ServerReflectionResponse(error_response=ErrorResponse(error_code=code, error_message=text))
