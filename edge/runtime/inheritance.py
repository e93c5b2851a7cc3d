"""
What a worker process is given by its supervisor: file descriptors by number, its slot, the metrics directory.

Owns that contract, one environment variable. Workers are started by exec, never by fork alone: threads (grpcio's, the access
log's) do not survive a fork, locks they held do.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, MutableMapping
from dataclasses import asdict, dataclass

import orjson

VARIABLE = "EDGE_WORKER"


@dataclass(frozen=True, slots=True)
class Inheritance:
    """
    File descriptors: `listeners` and `admin` are listening sockets, `channel` is a stream socket to the supervisor, `connections`
    is memory in which each worker writes how many connections it holds (`SharedCounts`).
    """

    slot: int
    channel: int
    listeners: tuple[int, ...]
    connections: int
    admin: int | None = None
    metrics_directory: str | None = None

    def descriptors(self) -> tuple[int, ...]:
        """All that the worker must inherit."""
        return (self.channel, *self.listeners, self.connections, *(() if self.admin is None else (self.admin,)))

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """`base` and this."""
        return {**base, VARIABLE: orjson.dumps(asdict(self)).decode()}


def claim(environ: MutableMapping[str, str] = os.environ) -> Inheritance | None:
    """What this process inherited, if it is a worker. It is taken out of the environment: children of ours are no workers."""
    text = environ.pop(VARIABLE, None)
    if text is None:
        return None
    fields = orjson.loads(text)
    inheritance = Inheritance(**{**fields, "listeners": tuple(fields["listeners"])})
    for descriptor in inheritance.descriptors():
        os.set_inheritable(descriptor, False)  # noqa: FBT003  # positional only
    return inheritance


def adopted(descriptor: int) -> socket.socket:
    """The listening socket behind an inherited descriptor."""
    sock = socket.socket(fileno=descriptor)
    sock.settimeout(0)
    return sock
