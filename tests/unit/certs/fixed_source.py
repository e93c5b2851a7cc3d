"""A source whose identity a test sets."""

from __future__ import annotations

from certs.identity import Identity
from certs.source import Publication


class FixedSource(Publication):
    """Publishes what it is told to."""

    def __init__(self, identity: Identity | None = None) -> None:
        super().__init__("test")
        if identity is not None:
            self.publish(identity)

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass
