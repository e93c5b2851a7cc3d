"""
What is said when a service's bug keeps it from answering by itself.

Owns that there is always an answer, even where shaping a refusal is what fails: one request's bug costs that request only, and is never
silent. What a service's calls raise is contained where they are called: `turn`.
"""

from __future__ import annotations

import structlog

from edge.ingress.service import Answer, Head, Service
from edge.outcome import FAULTS, Fault, Refusal

_log = structlog.get_logger("edge.ingress")


def refused(service: Service, head: Head | None, refusal: Refusal) -> Answer:
    """`Service.refuse`, never raising."""
    try:
        return service.refuse(head, refusal)
    except Exception:  # noqa: BLE001  # containing bugs is this file's purpose
        _log.exception("a refusal could not be shaped", fault=refusal.fault.name)
        return last_resort()


def last_resort() -> Answer:
    """The answer when even shaping one failed: a google.rpc.Status like every other, and the end of the connection."""
    facts = FAULTS[Fault.INTERNAL]
    body = b'{"code":%d,"message":"%s","details":[]}' % (facts.code, facts.message.encode())
    return Answer(facts.status, ((b"content-type", b"application/json"),), body, close=True)
