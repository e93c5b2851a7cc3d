"""The gateway's health."""

from __future__ import annotations

from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from edge.core.grpc_status import Code
from edge.ingress.grpc_health import Health
from edge.upstream.call import UnaryReply

KNOWN = frozenset({"a.B"})


def status(message: bytes | None) -> int:
    """What a response says."""
    assert message is not None
    return int(HealthCheckResponse.FromString(message).status)


def asking(service: str) -> bytes:
    """A request."""
    data: bytes = HealthCheckRequest(service=service).SerializeToString()
    return data


class Watcher:
    """What one watcher hears."""

    def __init__(self, health: Health, service: str) -> None:
        self.said: list[int] = []
        self.ended: list[UnaryReply] = []
        self.dialogue = health.watch(KNOWN)
        self.dialogue.begin(lambda message: self.said.append(status(message)), self._end)
        self.dialogue.take(asking(service))
        self.dialogue.half_closed()

    def _end(self, reply: UnaryReply) -> None:
        self.ended.append(reply)
        self.dialogue.close()


def test_check_knows_the_exposed_services_and_the_gateway_itself() -> None:
    """Until the drain."""
    health = Health()
    assert [status(health.check(KNOWN, asking(name)).message) for name in ("", "a.B")] == [1, 1]
    assert health.check(KNOWN, asking("c.D")).code == Code.NOT_FOUND
    assert health.check(KNOWN, b"\xff").code == Code.INVALID_ARGUMENT
    health.drain()
    assert status(health.check(KNOWN, asking("a.B")).message) == HealthCheckResponse.NOT_SERVING


def test_watchers_hear_the_state_and_its_end() -> None:
    """One of an unknown service may wait for it; all are sent away at the drain."""
    health = Health()
    known, unknown, gone = Watcher(health, "a.B"), Watcher(health, "c.D"), Watcher(health, "")
    assert (known.said, unknown.said) == ([1], [HealthCheckResponse.SERVICE_UNKNOWN])
    assert known.ended == []
    gone.dialogue.close()
    health.drain()
    assert known.said == [1, HealthCheckResponse.NOT_SERVING]
    assert [reply.code for reply in known.ended + unknown.ended] == [Code.UNAVAILABLE, Code.UNAVAILABLE]
    assert (gone.said, gone.ended) == ([1], [])
    late = Watcher(health, "")
    assert (late.said, late.ended[0].code) == ([HealthCheckResponse.NOT_SERVING], Code.UNAVAILABLE)


def test_a_watcher_that_asks_nonsense_is_told_so() -> None:
    """And not kept."""
    health = Health()
    ended: list[UnaryReply] = []
    dialogue = health.watch(KNOWN)
    dialogue.begin(lambda _: None, ended.append)
    dialogue.take(b"\xff")
    assert ended[0].code == Code.INVALID_ARGUMENT
    health.drain()
    assert len(ended) == 1
