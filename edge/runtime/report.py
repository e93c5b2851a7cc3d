"""
What a worker tells its supervisor, and what the supervisor's silence tells a worker.

Owns the messages on the channel between them, JSON lines: `{"ready": true}` once, or `{"failed": text}` once. The channel's end
is the other side's death: a worker that reads it drains and exits, so that no worker outlives its supervisor.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from socket import socket
from typing import Protocol

import orjson

from edge.runtime.notify import notify

_MAX_MESSAGE_BYTES = 1024 * 1024


class Reporter(Protocol):
    """Where a serving process says how its start went."""

    def ready(self) -> None:
        """It serves."""

    def failed(self, text: str) -> None:
        """It will not; `text` is for the operator."""


class ToOperator:
    """A process without supervisor: tells systemd and the terminal."""

    def ready(self) -> None:
        """Tell the service manager, if there is one."""
        notify("READY=1")

    def failed(self, text: str) -> None:
        """Print what is wrong."""
        with suppress(OSError):
            sys.stderr.write(f"{text}\n")


class ToSupervisor:
    """A worker: the supervisor decides what to print, so that N workers do not print one problem N times."""

    def __init__(self, channel: socket) -> None:
        self.channel = channel

    def ready(self) -> None:
        """Say so."""
        self._send({"ready": True})

    def failed(self, text: str) -> None:
        """Hand the text over."""
        self._send({"failed": text})

    def _send(self, message: dict[str, object]) -> None:
        with suppress(OSError):  # a supervisor that is gone is noticed elsewhere
            self.channel.sendall(orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE))


@dataclass(slots=True)
class Reports:
    """The supervisor's end: feeds on bytes, knows what was said so far."""

    ready: bool = False
    failure: str = ""
    _rest: bytes = b""

    def feed(self, data: bytes) -> None:
        """Take bytes from the channel. What is no message of ours is ignored: a worker's bug must not end the supervisor."""
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-_MAX_MESSAGE_BYTES:]
        for line in lines:
            with suppress(orjson.JSONDecodeError, AttributeError):
                message = orjson.loads(line)
                self.ready = self.ready or message.get("ready") is True
                self.failure = self.failure or str(message.get("failed", ""))
