"""
Which ports the demo uses: the usual ones, others when those are taken, and never others than the ones asked for.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass

HOST = "127.0.0.1"


class PortTakenError(Exception):
    """A port that was asked for is in use."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The demo's three ports, on loopback; `notes` tell which differ from the usual ones and why."""

    gateway: int
    admin: int
    upstream: int
    notes: tuple[str, ...] = ()


def choose(gateway: int | None, admin: int | None, upstream: int | None) -> Ports:
    """Free ports; None asks for the usual one or any other. Raises PortTakenError for an explicit one in use."""
    chosen: list[int] = []
    notes: list[str] = []
    wanted = (("gateway", gateway, 8080), ("admin", admin, 9901), ("bookstore", upstream, 50051))
    for name, asked, usual in wanted:
        port = pick(name, asked, usual, chosen, is_free)
        if asked is None and port != usual:
            notes.append(f"port {usual} is taken: the {name} is on {port}")
        chosen.append(port)
    return Ports(chosen[0], chosen[1], chosen[2], tuple(notes))


def pick(name: str, asked: int | None, usual: int, chosen: Collection[int], free: Callable[[int], bool]) -> int:
    """One port: the one asked for, else the usual one, else any."""
    if asked is None:
        return usual if usual not in chosen and free(usual) else any_free()
    if asked in chosen or (asked and not free(asked)):
        raise PortTakenError(f"port {asked}, asked for the {name}, is in use; choose another or leave it out")
    return asked or any_free()


def is_free(port: int) -> bool:
    """Whether one could listen on it now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections in TIME_WAIT are no hindrance
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def any_free() -> int:
    """A port the system has free."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
