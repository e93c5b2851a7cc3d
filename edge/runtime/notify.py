"""
Messages to the service manager (sd_notify).

Owns: nothing happens and nothing fails without NOTIFY_SOCKET. Source: systemd's sd_notify(3), "Type=notify".
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress


def notify(state: str) -> None:
    """Send `READY=1`, `STOPPING=1` or `RELOADING=1` and the like; a leading @ in the address is an abstract socket."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    name = "\0" + address[1:] if address.startswith("@") else address
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0)
        sock.sendto(state.encode(), name)
