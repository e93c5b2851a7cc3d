"""Names as a cluster's DNS would tell them, in the system resolver's place."""

from __future__ import annotations

import socket
from typing import Any

import pytest


class Resolver:
    """The system's, but for names in `zone`; an exception there is raised."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.zone: dict[str, list[str] | OSError] = {}
        self.asked = 0
        real = socket.getaddrinfo

        def getaddrinfo(host: Any, *given: Any, **named: Any) -> Any:
            if host not in self.zone:
                return real(host, *given, **named)
            self.asked += 1
            found = self.zone[host]
            if isinstance(found, OSError):
                raise found
            return [entry for address in found for entry in real(address, *given, **named)]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
