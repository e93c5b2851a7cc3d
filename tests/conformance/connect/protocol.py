"""The runner's messages, and how it frames them on standard input and output: a length in four bytes, big-endian, then the message."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import IO

from edge.demo.messages import Messages, Msg
from edge.descriptors.compile import compile_protos
from scripts.fetch_conformance import FOLDER, PROTOS

PACKAGE = "connectrpc.conformance.v1"
_FILES = ("server_compat", "service")


def descriptors() -> Path:
    """The descriptor set of the conformance service, compiled once into the cache."""
    path = FOLDER / "service.binpb"
    if not path.is_file():
        data = compile_protos([PROTOS], [f"connectrpc/conformance/v1/{stem}.proto" for stem in _FILES])
        written = path.with_suffix(".new")
        written.write_bytes(data)
        written.rename(path)
    return path


@cache
def messages() -> Messages:
    """The classes."""
    return Messages(descriptors().read_bytes())


def message(name: str) -> Msg:
    """A class of the package's."""
    return messages().of(f"{PACKAGE}.{name}")


def read(stream: IO[bytes], name: str) -> Msg:
    """The next message."""
    size = int.from_bytes(stream.read(4), "big")
    return message(name).FromString(stream.read(size))


def write(stream: IO[bytes], value: Msg) -> None:
    """Send one."""
    data = value.SerializeToString()
    stream.write(len(data).to_bytes(4, "big") + data)
    stream.flush()
