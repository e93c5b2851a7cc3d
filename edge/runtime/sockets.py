"""
Listening sockets, made before any worker exists and kept while workers come and go.

Owns that all that cannot be bound is reported at once, each with its address and a fix. No SO_REUSEPORT: closing one of several
such listeners drops the connections queued on it, so workers share one inherited socket instead; who takes which of the connections on
it is `ingress.acceptor`'s to say.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from edge.core.problem import Problem, ProblemsError

BACKLOG = 4096
"""Connections the kernel queues while workers are busy or restarting; net.core.somaxconn cuts it down (4096 since Linux 5.4)."""

UNSENT_BYTES = 128 * 1024
"""
What the kernel holds for a client that does not read on. Left to itself it holds megabytes and asks for more when a third of them is
gone, which for a slow reader is minutes apart: one that reads steadily would look like one that has stopped, and be cut off.
"""


@dataclass(frozen=True, slots=True)
class Bind:
    """An address to listen on. `path` is where the configuration says so; an empty host is every interface."""

    host: str
    port: int
    path: str = ""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def bind_all(binds: Sequence[Bind]) -> list[socket.socket]:
    """One listening socket per address, in order. Raises ProblemsError naming every address that cannot be had."""
    bound: list[socket.socket] = []
    problems: list[Problem] = []
    for bind in binds:
        try:
            bound.append(_listen(bind))
        except OSError as error:
            problems.append(_problem(bind, error))
    if problems:
        for sock in bound:
            sock.close()
        raise ProblemsError(problems)
    return bound


def _listen(bind: Bind) -> socket.socket:
    family, address = _resolve(bind)
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # "::" and an empty host mean IPv4 as well; a specific address is never both.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if address[0] == "::" else 1)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # those it accepts inherit it
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        sock.bind(address)
        sock.listen(BACKLOG)
        sock.settimeout(0)
    except OSError:
        sock.close()
        raise
    return sock


def _resolve(bind: Bind) -> tuple[socket.AddressFamily, tuple[str, int]]:
    """The family and the address to bind: every interface of both families where the system has IPv6."""
    if not bind.host:
        return (
            (socket.AF_INET6, ("::", bind.port)) if socket.has_dualstack_ipv6() else (socket.AF_INET, ("", bind.port))
        )
    found = socket.getaddrinfo(bind.host, bind.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    return family, (str(address[0]), int(address[1]))


_CAUSES = {
    errno.EADDRINUSE: ("is in use", "stop the process that listens there, or choose another port"),
    errno.EACCES: ("may not be bound by this user", "choose a port above 1023, or grant CAP_NET_BIND_SERVICE"),
    errno.EADDRNOTAVAIL: ("is not an address of this machine", "choose an address that `ip addr` lists"),
}


def _problem(bind: Bind, error: OSError) -> Problem:
    if isinstance(error, socket.gaierror):
        return Problem("", bind.path, f"{bind}: the host name cannot be resolved", "write an IP address")
    cause, fix = _CAUSES.get(error.errno or 0, (f"cannot be listened on: {error.strerror}", ""))
    return Problem("", bind.path, f"{bind} {cause}", fix)
