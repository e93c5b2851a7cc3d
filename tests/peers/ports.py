"""
Ports for the servers that tests start in processes of their own.

They lie below those the kernel gives to clients: a port from among these, found free and then let go, may be some connection's by the time
the server wants it.
"""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack
from pathlib import Path

_LOWEST = 10_000
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_FOR_CLIENTS = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else 32_768
_HIGHEST = max(_FOR_CLIENTS, 20_000)
"""Where a machine gives nearly all ports to clients, these are among them: some choice there must be."""


def free_port() -> int:
    """A port nobody listens on."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on; all different, for they are held until all are known."""
    with ExitStack() as held:
        return [_port(held) for _ in range(count)]


def _port(held: ExitStack) -> int:
    for _ in range(1000):
        # Not of the seed: tests that run beside these have the same one.
        port = random.SystemRandom().randrange(_LOWEST, _HIGHEST)
        try:
            held.enter_context(socket.create_server(("127.0.0.1", port)))
        except OSError:
            continue
        return port
    raise AssertionError(f"no free port between {_LOWEST} and {_HIGHEST}")
