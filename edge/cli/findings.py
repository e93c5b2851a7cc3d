"""
What `edge doctor` looks at: the interpreter, the libraries, limits of the process, addresses.

Owns each look. A look never raises: what it cannot find out is a finding too.
"""

from __future__ import annotations

import os
import platform
import resource
import socket
import ssl
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import PackageNotFoundError, version

from edge import __version__
from edge.config.address import Address
from edge.config.models import Config, Limits
from edge.wire.engines import engine, without_native

_CONNECT_TIMEOUT_S = 2.0
_PACKAGES = ("uvloop", "httptools", "h2", "protobuf", "pydantic")


class State(Enum):
    """How a finding is to be taken."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at, and what was seen."""

    state: State
    subject: str
    text: str


def machine(config: Config | None) -> list[Finding]:
    """Versions, engine and limits."""
    return [
        Finding(State.OK, "edge", __version__),
        _engine(),
        Finding(State.OK, "python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        Finding(State.OK, "openssl", ssl.OPENSSL_VERSION),
        *(_package(name) for name in _PACKAGES),
        Finding(State.OK, "cores", f"{_cores()}: edge run --workers {_cores()} uses them all"),
        open_files(
            resource.getrlimit(resource.RLIMIT_NOFILE)[0], (config.limits if config else Limits()).max_connections
        ),
    ]


def _engine() -> Finding:
    text = f"{engine().name} {engine().version}"
    if engine().name == "native":
        return Finding(State.OK, "engine", text)
    return Finding(State.WARNING, "engine", f"{text}: {without_native()}")


def reachability(config: Config) -> list[Finding]:
    """Whether every address the file names can be listened on or dialled."""
    binds = [(f"listeners[{index}]", listener.bind) for index, listener in enumerate(config.listeners)]
    if config.admin is not None:
        binds.append(("admin", config.admin.bind))
    dials = [
        (f"upstreams.{name}", endpoint)
        for name, upstream in config.upstreams.items()
        for endpoint in upstream.endpoints
    ]
    return [_bindable(*bind) for bind in binds] + [_dialled(*dial) for dial in dials]


def open_files(limit: int, max_connections: int) -> Finding:
    """A downstream and an upstream connection each take a file; so do the rest of a process's needs."""
    if limit == resource.RLIM_INFINITY or limit >= max_connections + 256:
        return Finding(
            State.OK, "open files", f"ulimit -n is {'unlimited' if limit == resource.RLIM_INFINITY else limit}"
        )
    text = (
        f"ulimit -n is {limit}, limits.max_connections {max_connections} per worker: raise the one or lower the other"
    )
    return Finding(State.WARNING, "open files", text)


def _package(name: str) -> Finding:
    try:
        return Finding(State.OK, name, version(name))
    except PackageNotFoundError:
        return Finding(State.FAILED, name, "not installed: pip install edge-gateway installs it")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _bindable(subject: str, address: Address) -> Finding:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address.host, address.port))
    except OSError as error:
        text = f"{address} cannot be listened on now: {error.strerror or error} (a running gateway holds it)"
        return Finding(State.WARNING, subject, text)
    return Finding(State.OK, subject, f"{address} is free")


def _dialled(subject: str, address: Address) -> Finding:
    try:
        socket.create_connection((address.host, address.port), timeout=_CONNECT_TIMEOUT_S).close()
    except OSError as error:
        return Finding(State.FAILED, subject, f"{address} cannot be reached: {error.strerror or error}")
    return Finding(State.OK, subject, f"{address} accepts connections")
