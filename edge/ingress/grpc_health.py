"""
grpc.health.v1.Health of the gateway: what it exposes is SERVING, until it drains.

Owns that health is the gateway's own: whether a service behind it is well is told by its calls. A watcher hears of the drain and is then
sent away, so that it holds no connection open. Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from google.protobuf.message import DecodeError
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from edge.core.grpc_status import Code
from edge.ingress.grpc_local import LocalDialogue, error, ok
from edge.upstream.call import UnaryReply

SERVICE = "grpc.health.v1.Health"


class Health:
    """The state, and who watches it. One for the process: it outlives the generations of the configuration."""

    def __init__(self) -> None:
        self._draining = False
        self._watchers: set[_Watch] = set()

    def check(self, services: Collection[str], message: bytes) -> UnaryReply:
        """Check: `services` are those of the generation the call began with."""
        try:
            name = HealthCheckRequest.FromString(message).service
        except DecodeError as bad:
            return error(Code.INVALID_ARGUMENT, f"the request is no HealthCheckRequest: {bad}")
        if name and name not in services:
            return error(Code.NOT_FOUND, "the service is not known here")
        return ok(self._status())

    def watch(self, services: Collection[str]) -> LocalDialogue:
        """Watch, for one call."""
        return _Watch(self, services)

    def drain(self) -> None:
        """The gateway takes no new calls: tell the watchers and end them."""
        self._draining = True
        for watcher in tuple(self._watchers):
            watcher.drained()

    def _status(self) -> bytes:
        status = HealthCheckResponse.NOT_SERVING if self._draining else HealthCheckResponse.SERVING
        return _said(status)


class _Watch:
    """One watcher."""

    def __init__(self, health: Health, services: Collection[str]) -> None:
        self._health = health
        self._services = services
        self._say: Callable[[bytes], None]
        self._end: Callable[[UnaryReply], None]

    def begin(self, say: Callable[[bytes], None], end: Callable[[UnaryReply], None]) -> None:
        self._say, self._end = say, end

    def take(self, message: bytes) -> None:
        reply = self._health.check(self._services, message)
        if reply.code == Code.NOT_FOUND:  # it may come with a reload; the protocol lets a watcher wait
            self._say(_said(HealthCheckResponse.SERVICE_UNKNOWN))
        elif reply.message is None:
            self._end(reply)
            return
        else:
            self._say(reply.message)
        self._health._watchers.add(self)
        if self._health._draining:
            self._end(_going())

    def half_closed(self) -> None:
        pass  # the one request has been made: the answers go on

    def close(self) -> None:
        self._health._watchers.discard(self)

    def drained(self) -> None:
        """Say so, and goodbye."""
        self._say(self._health._status())
        self._end(_going())


def _said(status: HealthCheckResponse.ServingStatus) -> bytes:
    data: bytes = HealthCheckResponse(status=status).SerializeToString()
    return data


def _going() -> UnaryReply:
    return error(Code.UNAVAILABLE, "the gateway is shutting down")
