"""
Asking a service for its own description: the questions and answers of gRPC server reflection, without the connection.

Owns the course of the dialogue: list the services, ask for the file of each, then for every import that is still missing, until the
set is whole. Few questions are open at once, so that neither side can block the other. Sans-IO: bytes in, bytes out.
Source: grpc/reflection/v1/reflection.proto (v1alpha has the same messages under another service name).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import DecodeError
from grpc_reflection.v1alpha.reflection_pb2 import (
    ErrorResponse,
    ServerReflectionRequest,
    ServerReflectionResponse,
)

from edge.core.problem import Problem, ProblemsError
from edge.descriptors import descriptor_set, services
from edge.descriptors.dependencies import missing, self_contained

PATHS = (
    b"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    b"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
)
"""The RPC under its two names, newest first."""

_OPEN_QUESTIONS = 16
"""Questions are small: this many fit any flow-control window, so sending never waits for the answers to be read."""

_MAX_BYTES = 64 * 1024 * 1024
"""Far more than the description of one service: an upstream that sends files without end is cut off."""

_PLACE = "reflection"
_EMPTY_FIX = "register its services with its reflection, not only reflection and health themselves"
_FIX = "the service's reflection must know every file its services use"


@dataclass(frozen=True, slots=True)
class Reflected:
    """
    What a service said of itself.

    `descriptor_set` is self-contained and canonical: equal bytes mean that nothing changed. `services` are those it lists and
    describes, without reflection, health and the like. `problems` are warnings.
    """

    descriptor_set: bytes
    services: tuple[str, ...]
    problems: tuple[Problem, ...] = ()


class Dialogue:
    """One round of questions. `start`, then `receive` every answer; each returns the requests to send next."""

    def __init__(self) -> None:
        self._waiting: deque[ServerReflectionRequest] = deque()
        self._open: deque[ServerReflectionRequest] = deque()
        self._files: dict[str, FileDescriptorProto] = {}
        self._listed: list[str] = []
        self._described: set[str] = set()
        self._asked: set[str] = set()
        self._problems: list[Problem] = []
        self._bytes = 0

    def start(self) -> list[bytes]:
        """The first request."""
        self._waiting.append(ServerReflectionRequest(list_services=""))
        return self._next()

    @property
    def done(self) -> bool:
        """Whether no answer is awaited any more."""
        return not self._open

    def receive(self, message: bytes) -> list[bytes]:
        """Take one answer in. Raises ProblemsError when it makes no sense or is too much."""
        self._bytes += len(message)
        if self._bytes > _MAX_BYTES:
            raise _broken(f"the description is larger than {_MAX_BYTES} bytes")
        if not self._open:
            raise _broken("an answer came that nothing had asked for")
        try:
            answer = ServerReflectionResponse.FromString(message)
            self._take(self._open.popleft(), answer)
        except DecodeError as error:
            raise _broken("an answer is not a reflection message") from error
        return self._next()

    def result(self) -> Reflected:
        """The description, once `done`. Raises ProblemsError when it is not whole."""
        files = self_contained(self._files.values(), _PLACE, _FIX) if self._files else None
        names = tuple(sorted(self._described.intersection(self._listed)))
        problems = [problem for problem in self._problems if problem.path not in self._described]
        if files is None or not names:
            raise ProblemsError(
                [*problems, Problem(_PLACE, "", "the service describes no service of its own", _EMPTY_FIX)]
            )
        return Reflected(descriptor_set.canonical(files), names, tuple(problems))

    def _take(self, question: ServerReflectionRequest, answer: ServerReflectionResponse) -> None:
        """Answers come in the order of the questions; some servers leave out what they answer to."""
        asked, kind = question.WhichOneof("message_request"), answer.WhichOneof("message_response")
        if kind == "error_response":
            self._take_error(question, answer.error_response)
        elif kind == "list_services_response" and asked == "list_services":
            self._take_list([service.name for service in answer.list_services_response.service])
        elif kind == "file_descriptor_response" and asked != "list_services":
            for data in answer.file_descriptor_response.file_descriptor_proto:
                self._take_file(FileDescriptorProto.FromString(data))
        else:
            raise _broken(f"{asked} was answered by {kind or 'nothing'}")

    def _take_list(self, names: list[str]) -> None:
        self._listed = services.without_infrastructure(dict.fromkeys(names))
        self._waiting.extend(ServerReflectionRequest(file_containing_symbol=name) for name in self._listed)

    def _take_file(self, file: FileDescriptorProto) -> None:
        if self._files.setdefault(file.name, file) is file:
            self._described.update(services.full_name(file.package, service.name) for service in file.service)

    def _take_error(self, question: ServerReflectionRequest, error: ErrorResponse) -> None:
        text = error.error_message or f"code {error.error_code}"
        if question.HasField("list_services"):
            raise _broken(f"the services cannot be listed: {text}")
        if question.HasField("file_containing_symbol"):
            message = f"the service is listed but not described: {text}"
            self._problems.append(Problem(_PLACE, question.file_containing_symbol, message, _FIX, warning=True))
        # An import the service does not have: the packages may, and `result` tells of it when they do not.

    def _next(self) -> list[bytes]:
        requests = self._send_waiting()
        if not requests and not self._open:
            self._ask_for_missing()
            requests = self._send_waiting()
        return requests

    def _send_waiting(self) -> list[bytes]:
        requests = []
        while self._waiting and len(self._open) < _OPEN_QUESTIONS:
            question = self._waiting.popleft()
            if not self._answered(question):
                self._open.append(question)
                requests.append(question.SerializeToString())
        return requests

    def _answered(self, question: ServerReflectionRequest) -> bool:
        """Many servers send a file with all its imports, so that one answer spares other questions."""
        return question.file_containing_symbol in self._described or question.file_by_filename in self._files

    def _ask_for_missing(self) -> None:
        for name in missing(self._files):
            if name not in self._asked:
                self._asked.add(name)
                self._waiting.append(ServerReflectionRequest(file_by_filename=name))


def _broken(message: str) -> ProblemsError:
    return ProblemsError(
        [Problem(_PLACE, "", message, "update the service's reflection, or give protos or descriptors instead")]
    )
