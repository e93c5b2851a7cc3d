"""
Descriptor sets: read from a file, checked by linking, and put into one canonical form.

Owns the promise that a set which leaves here can be built into a descriptor pool; everything that keeps it from that is a Problem.
The pool is a private one: users' files never meet ours (or each other's) in protobuf's global pool.
Source: `protoc --descriptor_set_out --include_imports`, `buf build -o image.binpb`.
"""

from __future__ import annotations

from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError

from edge.core.problem import Problem, ProblemsError
from edge.descriptors.dependencies import self_contained

_HOW = "make one with `protoc --include_imports --descriptor_set_out=FILE ...` or `buf build -o FILE.binpb`"
_INCOMPLETE = "build the set with `protoc --include_imports` (buf images have it all)"
_GZIP = b"\x1f\x8b"


def read(file: Path, path: str = "descriptors") -> bytes:
    """The file's descriptor set, self-contained. `path` is the setting that names the file, for error texts."""
    try:
        data = file.read_bytes()
    except OSError as error:
        problem = Problem(
            "", path, f'"{file}" cannot be read: {error.strerror}', "paths are relative to the configuration file"
        )
        raise ProblemsError([problem]) from error
    return canonical(self_contained(parsed(data, str(file)).file, str(file), _INCOMPLETE))


def parsed(data: bytes, place: str) -> FileDescriptorSet:
    """The set in `data`; raises ProblemsError when that is something else. `place` says where it came from."""
    try:
        found = FileDescriptorSet.FromString(data)
    except DecodeError as error:
        raise ProblemsError([_no_set(data, place)]) from error
    if not found.file or not all(file.name for file in found.file):
        raise ProblemsError([_no_set(data, place)])
    return found


def canonical(files: FileDescriptorSet) -> bytes:
    """One byte string for one content: equal sets compare equal."""
    return files.SerializeToString(deterministic=True)


def linked(files: FileDescriptorSet, place: str) -> DescriptorPool:
    """A private pool of the set, whose files come dependencies first. Raises ProblemsError, one problem for each file that fails."""
    pool = DescriptorPool()
    failed: set[str] = set()
    problems = []
    for file in files.file:
        if failed.intersection(file.dependency):
            failed.add(file.name)  # a consequence: told where it happened
        elif problem := _link_problem(pool, file, place):
            failed.add(file.name)
            problems.append(problem)
    if problems:
        raise ProblemsError(problems)
    return pool


def _link_problem(pool: DescriptorPool, file: FileDescriptorProto, place: str) -> Problem | None:
    try:
        pool.AddSerializedFile(file.SerializeToString())
    except TypeError as error:  # what protobuf's pool raises for a file it cannot build
        text = str(error).removeprefix("Couldn't build proto file into descriptor pool: ")
        return Problem(place, file.name, text, _link_fix(text))
    return None


def _link_fix(text: str) -> str:
    if "resolve name" in text:
        return "no file of the set defines this type: the set is incomplete, or its files are of different versions"
    if "duplicate symbol" in text:
        return "two files of the set define this name: keep one of them"
    return "protoc refuses such a file: build the set again from its sources"


def _no_set(data: bytes, place: str) -> Problem:
    if data.startswith(_GZIP):
        return Problem(place, "", "is compressed with gzip", "decompress it first")
    if not data:
        return Problem(place, "", "is empty, not a descriptor set", _HOW)
    if _is_text(data):
        return Problem(place, "", "is text, not a serialized descriptor set", f"{_HOW}; .proto files go under `protos`")
    return Problem(place, "", "is not a serialized google.protobuf.FileDescriptorSet", _HOW)


def _is_text(data: bytes) -> bool:
    """Printable ASCII in the first bytes; a serialized set begins with a control byte (field 1's tag is a line feed)."""
    return all(byte in b"\t\r\n" or 0x20 <= byte < 0x7F for byte in data[:64])
