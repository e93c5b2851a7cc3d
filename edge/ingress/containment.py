"""
A Service whose bugs stay its own: whatever it raises becomes a log line and an INTERNAL answer.

Owns the guarantee that a protocol handler gets a value from every call it makes upwards, so that one request's bug costs that
request only, and is never silent.
"""

from __future__ import annotations

import structlog

from edge.ingress.service import Answer, Answered, AnswerSink, BodySource, Call, Head, Service, StreamCall
from edge.outcome import FAULTS, Fault, Refusal

_log = structlog.get_logger("edge.ingress")


class Contained:
    """A service and its calls, never raising (but for cancellation)."""

    __slots__ = ("_service",)

    def __init__(self, service: Service) -> None:
        self._service = service

    def begin(self, head: Head) -> Call | StreamCall | Answer:
        """`Service.begin`."""
        try:
            return self._service.begin(head)
        except Exception:  # noqa: BLE001  # containing bugs is this file's purpose
            _log.exception("the service failed at a request's head", method=head.method, path=head.path)
            return self.refuse(head, Refusal(Fault.INTERNAL, "begin raised"))

    def refuse(self, head: Head | None, refusal: Refusal) -> Answer:
        """`Service.refuse`."""
        try:
            return self._service.refuse(head, refusal)
        except Exception:  # noqa: BLE001  # containing bugs is this file's purpose
            _log.exception("a refusal could not be shaped", fault=refusal.fault.name)
            return last_resort()

    def finish(self, call: Call, head: Head | None, body: bytes, answered: Answered) -> None:
        """`Call.finish`."""
        try:
            call.finish(body, answered)
        except Exception:  # noqa: BLE001  # containing bugs is this file's purpose
            _log.exception("a call failed in its handler", path=head.path if head else "")
            answered(self.refuse(head, Refusal(Fault.INTERNAL, "finish raised")))

    def cancel(self, call: Call) -> None:
        """`Call.cancel`."""
        try:
            call.cancel()
        except Exception:  # noqa: BLE001  # containing bugs is this file's purpose
            _log.exception("a call failed at being cancelled")

    async def run(self, call: StreamCall, head: Head | None, body: BodySource, answer: AnswerSink) -> None:
        """`StreamCall.run`; what it raises leaves the answer open, which the protocol handler then aborts."""
        try:
            await call.run(body, answer)
        except Exception:  # noqa: BLE001  # containing bugs is this file's purpose
            _log.exception("a streaming call failed in its handler", path=head.path if head else "")

    def abandon(self, call: Call, refusal: Refusal) -> Answer:
        """`Call.abandon`."""
        try:
            return call.abandon(refusal)
        except Exception:  # noqa: BLE001  # containing bugs is this file's purpose
            _log.exception("a call failed at being abandoned", fault=refusal.fault.name)
            return last_resort()

    def sent(self, call: Call | StreamCall, size_bytes: int) -> None:
        """`Call.sent`."""
        try:
            call.sent(size_bytes)
        except Exception:  # noqa: BLE001  # containing bugs is this file's purpose
            _log.exception("a call failed at being settled")


def last_resort() -> Answer:
    """The answer when even shaping one failed: a google.rpc.Status like every other, and the end of the connection."""
    facts = FAULTS[Fault.INTERNAL]
    body = b'{"code":%d,"message":"%s","details":[]}' % (facts.code, facts.message.encode())
    return Answer(facts.status, ((b"content-type", b"application/json"),), body, close=True)
