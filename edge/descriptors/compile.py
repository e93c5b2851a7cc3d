"""
From .proto files to a self-contained descriptor set, in this process, with nothing else installed.

Owns: what `roots` and `files` mean. A file is named as another would import it, so the same name works wherever the gateway is
started; roots are searched in order, then the packages' google/* files. Every error is a Problem with file, line, column
and fix. Source: protoc's own rules (https://protobuf.dev/reference/cpp/api-docs/google.protobuf.compiler.importer).
"""

from __future__ import annotations

import os
import posixpath
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from edge.core.problem import Problem, ProblemsError
from edge.descriptors import packages, protoc, protoc_errors


def compile_protos(roots: Sequence[Path], files: Sequence[str], *, path: str = "protos") -> bytes:
    """
    A serialized FileDescriptorSet of `files` and all they import, dependencies first, with source info.

    `path` is where the two lists stand in the configuration, for error texts. Raises ProblemsError with all problems.
    """
    problems = [*_root_problems(roots, path), *_file_problems(roots, files, path)]
    if problems:
        raise ProblemsError(problems)
    with tempfile.TemporaryDirectory(prefix="edge-protos-") as folder:
        return _compiled(Path(folder), roots, files, path)


def _compiled(folder: Path, roots: Sequence[Path], files: Sequence[str], path: str) -> bytes:
    """
    Compile one entry file that imports all others.

    Naming the files to protoc directly would not do: it reads such a name relative to the working directory first, and maps
    it back to an import name by the first root that is a prefix of it, which is the wrong one when roots are nested.
    """
    entry = folder / f"{folder.name}.proto"
    imports = "".join(f'import public "{_escaped(name)}";\n' for name in dict.fromkeys(files))
    entry.write_text(f'syntax = "proto3";\n{imports}', encoding="utf-8")
    output = folder / "set"
    code, text = protoc.run(
        [
            *_includes(folder, roots),
            "--include_imports",
            "--include_source_info",
            f"--descriptor_set_out={output}",
            str(entry),
        ]
    )
    report = protoc_errors.read(text, searched(roots))
    protoc.pass_on(report.rest)
    if code:
        problems = [_not_at(entry, problem, path) for problem in report.problems]
        if all(problem.warning for problem in problems):
            problems.append(Problem("", path, f"protoc failed: {text.strip() or code}"))
        raise ProblemsError(problems)
    return _without(entry.name, output.read_bytes())


def _not_at(entry: Path, problem: Problem, path: str) -> Problem:
    """A problem in the entry file is one of the setting it was made from: a file that cannot be opened."""
    return replace(problem, place="", path=f"{path}.files") if problem.place.startswith(str(entry)) else problem


def searched(roots: Sequence[Path]) -> str:
    """The places an import is looked for in, in words."""
    return ", ".join([*(str(root) for root in roots), "the google/* files that come with the gateway"])


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')


def _includes(folder: Path, roots: Sequence[Path]) -> list[str]:
    own = [f"-I{root}" for root in (folder, *roots)]
    return own + [f"-I{virtual}={disk}" for virtual, disk in packages.mappings()]


def _without(entry: str, data: bytes) -> bytes:
    files = FileDescriptorSet.FromString(data)
    kept = [file for file in files.file if file.name != entry]
    return FileDescriptorSet(file=kept).SerializeToString(deterministic=True)


def _root_problems(roots: Sequence[Path], path: str) -> Iterator[Problem]:
    for index, root in enumerate(roots):
        place = f"{path}.roots[{index}]"
        if os.pathsep in str(root):
            yield Problem(
                "", place, f'"{root}" has a "{os.pathsep}" in it', "protoc separates paths by it: rename the folder"
            )
        elif not root.is_dir():
            yield Problem(
                "", place, f'"{root}" is not a folder', "roots are folders, relative to the configuration file"
            )


def _file_problems(roots: Sequence[Path], files: Sequence[str], path: str) -> Iterator[Problem]:
    for index, name in enumerate(files):
        place = f"{path}.files[{index}]"
        if not _found(roots, name):
            yield Problem("", place, f'"{name}" is under none of the roots', _right_name(roots, name))
        elif name != posixpath.normpath(name) or name.startswith(("/", "../")):
            yield Problem("", place, f'"{name}" is not an import name', _right_name(roots, name))


def _found(roots: Sequence[Path], name: str) -> bool:
    return any((root / name).is_file() for root in roots) or packages.supplies(name)


def _right_name(roots: Sequence[Path], name: str) -> str:
    """Often the file is named by its path on disk: say what its import name is."""
    for root in roots:
        folder = Path(os.path.abspath(root))
        for disk in (Path(name), root.parent / name, root / name):
            absolute = Path(os.path.abspath(disk))
            if absolute.is_file() and absolute.is_relative_to(folder):
                return f'write "{absolute.relative_to(folder).as_posix()}": files are named as they would be imported'
    return f"searched {searched(roots)}; name files as they would be imported, relative to a root"
