"""
A real grpc-gateway for our own protos, built into `.cache/grpc-gateway-<hash>/` for the tests that compare with it.

Owns its versions (those of the generators; go.mod has the libraries'). Go's checksum database vouches for the source. What it serves is
generated here, never kept: the folder's name is a hash of all that goes in. What cannot be had costs one plain line and no failure: the
tests then say so.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "tests" / "peers" / "grpc_gateway"
PROTOS = ROOT / "protos"
MESSAGES = ("catalog", "orders", "specimen")
SERVICES = ("bookstore", "feeds", "laboratory")
GENERATORS = {
    "protoc-gen-go": "google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.5",
    "protoc-gen-go-grpc": "google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.5.1",
    "protoc-gen-grpc-gateway": "github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-grpc-gateway@v2.26.3",
}
TIMEOUT_S = 900

_ANY_METHOD = ('kind: "*"', 'kind: "HEAD"')
"""A rule for all methods: the generator knows HTTP's own by name only, and writes Go that does not compile."""


class UnfetchedError(Exception):
    """It cannot be had; the text says why."""


def _folder() -> Path:
    seen = hashlib.sha256(repr(sorted(GENERATORS.items())).encode())
    for path in (
        SOURCE / "main.go",
        SOURCE / "go.mod",
        SOURCE / "go.sum",
        *(_proto(name) for name in MESSAGES + SERVICES),
    ):
        seen.update(path.read_bytes())
    return ROOT / ".cache" / f"grpc-gateway-{seen.hexdigest()[:12]}"


def _proto(name: str) -> Path:
    return PROTOS / "bookstore" / "v1" / f"{name}.proto"


FOLDER = _folder()
PROGRAM = FOLDER / "peer"


def fetched() -> bool:
    """Whether it is there."""
    return PROGRAM.is_file()


def fetch() -> None:
    """Build the generators, generate, build. Raises UnfetchedError."""
    go = shutil.which("go")
    if go is None:
        raise UnfetchedError("Go is not installed")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in ("main.go", "go.mod", "go.sum"):
        shutil.copyfile(SOURCE / name, FOLDER / name)
    for module in GENERATORS.values():
        _run([go, "install", module])
    _generate()
    _run([go, "build", "-o", str(PROGRAM), "."])


def _generate() -> None:
    protos = FOLDER / "protos"
    for name in MESSAGES + SERVICES:
        copy = protos / "bookstore" / "v1" / f"{name}.proto"
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(_proto(name).read_text().replace(*_ANY_METHOD))
    names = [f"bookstore/v1/{name}.proto" for name in MESSAGES + SERVICES]
    served = [f"bookstore/v1/{name}.proto" for name in SERVICES]
    mapping = ",".join(["module=peer", *(f"M{name}=peer/bookstore" for name in names)])
    includes = [protos, _package("grpc_tools") / "_proto", _package("google.api").parent.parent]
    compiler = [sys.executable, "-m", "grpc_tools.protoc", *(f"-I{path}" for path in includes)]
    compiler += [f"--plugin={name}={FOLDER / name}" for name in GENERATORS]
    _run([*compiler, f"--go_out={mapping}:{FOLDER}", f"--go-grpc_out={mapping}:{FOLDER}", *names])
    _run([*compiler, f"--grpc-gateway_out={mapping}:{FOLDER}", *served])


def _package(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(next(iter(spec.submodule_search_locations)))


def _run(command: list[str]) -> None:
    env = {**os.environ, "GOBIN": str(FOLDER), "GOFLAGS": "-mod=mod"}
    try:
        done = subprocess.run(
            command, cwd=FOLDER, env=env, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise UnfetchedError(f"{command[0]} did not finish within {TIMEOUT_S} s") from None
    if done.returncode:
        raise UnfetchedError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"{command[0]} failed")


def main() -> int:
    """Fetch what is missing; always 0, for nothing here is needed to build or to run."""
    if not fetched():
        try:
            fetch()
            print("grpc-gateway: built")
        except (UnfetchedError, OSError) as error:
            print(f"grpc-gateway: not built, its tests will be skipped ({error})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
