"""
The google/* protos that come with installed packages, so that users need not vendor them.

Owns which files those are: google/protobuf/* from grpcio-tools (they match the compiler), google/api, google/rpc, google/type and
the rest from googleapis-common-protos. Nothing else in site-packages can be imported: a description must not depend on
what happens to be installed.
"""

from __future__ import annotations

from functools import cache
from importlib import util
from pathlib import Path, PurePosixPath


@cache
def mappings() -> tuple[tuple[str, Path], ...]:
    """Virtual path and disk path of each mapping, in search order, as protoc's `-Ivirtual=disk` takes them."""
    google = _folder("google.api").parent
    compiler = _folder("grpc_tools") / "_proto" / "google" / "protobuf"
    # The package ships the operations messages under a name of its own; every .proto in the world imports this one.
    operations = google / "longrunning" / "operations_proto.proto"
    return (
        ("google/protobuf", compiler),
        ("google/longrunning/operations.proto", operations),
        ("google", google),
    )


def supplies(name: str) -> bool:
    """Whether an import name (`google/api/http.proto`) is found in the packages."""
    return any(path.is_file() for path in _candidates(name))


def _candidates(name: str) -> list[Path]:
    parts = PurePosixPath(name)
    if not name.endswith(".proto") or ".." in parts.parts:
        return []
    return [disk / parts.relative_to(virtual) for virtual, disk in mappings() if parts.is_relative_to(virtual)]


def _folder(package: str) -> Path:
    """Where a package lies, found without importing it."""
    spec = util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(package)
    return Path(next(iter(spec.submodule_search_locations)))
