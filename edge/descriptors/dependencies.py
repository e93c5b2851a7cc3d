"""
A set of files made self-contained: each once, every import in it, dependencies before dependents.

Owns that order and its errors: one name with two contents, a file that is missing, a cycle. google/* files that are missing
are supplied from the packages; a file the set brings itself is never replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from edge.core.problem import Problem, ProblemsError
from edge.descriptors import packages
from edge.descriptors.compile import compile_protos

Files = dict[str, FileDescriptorProto]


def self_contained(files: Iterable[FileDescriptorProto], place: str, fix: str) -> FileDescriptorSet:
    """
    The files with their imports, dependencies first; the order depends on nothing but the names.

    `place` names the source in errors; `fix` says how that source is made whole when an import is missing.
    """
    by_name = _unique(files, place)
    _supply(by_name)
    problems = list(_missing_problems(by_name, place, fix))
    if problems:
        raise ProblemsError(problems)
    return FileDescriptorSet(file=[by_name[name] for name in _ordered(by_name, place)])


def missing(files: Mapping[str, FileDescriptorProto]) -> list[str]:
    """Names that are imported but not there, sorted."""
    return sorted({name for file in files.values() for name in file.dependency} - files.keys())


def _unique(files: Iterable[FileDescriptorProto], place: str) -> Files:
    by_name: Files = {}
    problems = []
    for file in files:
        known = by_name.setdefault(file.name, file)
        if known is not file and known != file:
            problems.append(Problem(place, file.name, "two files of this name differ", "keep one of them"))
    if problems:
        raise ProblemsError(problems)
    return by_name


def _supply(by_name: Files) -> None:
    wanted = [name for name in missing(by_name) if packages.supplies(name)]
    if not wanted:
        return
    for file in FileDescriptorSet.FromString(compile_protos((), wanted)).file:
        by_name.setdefault(file.name, file)


def _missing_problems(by_name: Files, place: str, fix: str) -> Iterator[Problem]:
    for file in by_name.values():
        for name in file.dependency:
            if name not in by_name:
                yield Problem(place, file.name, f'imports "{name}", which is not there', fix)


def _ordered(by_name: Files, place: str) -> list[str]:
    """Depth first with a stack of our own: an import chain may be longer than Python's."""
    done: dict[str, None] = {}
    for start in sorted(by_name):
        open_: dict[str, Iterator[str]] = {} if start in done else {start: _imports(by_name, start)}
        while open_:
            name, imports = next(reversed(open_.items()))
            following = next((each for each in imports if each not in done), None)
            if following is None:
                done[name] = None
                del open_[name]
            elif following in open_:
                raise ProblemsError([_cycle(list(open_), following, place)])
            else:
                open_[following] = _imports(by_name, following)
    return list(done)


def _imports(by_name: Files, name: str) -> Iterator[str]:
    return iter(by_name[name].dependency)


def _cycle(open_: list[str], again: str, place: str) -> Problem:
    circle = " -> ".join([*open_[open_.index(again) :], again])
    return Problem(place, again, f"imports itself: {circle}", "break the cycle: move what both need into a third file")
