"""
The gate before the gateway for one connection of the mesh: what the intentions of this moment do not allow goes no further.

Owns that each request is decided for itself, on its HTTP head as it was sent and before anything else looks at it, as a sidecar would:
an intention that is withdrawn bites on connections that stand. While nothing is known, everything is refused. A refusal is shaped in the
dialect of its request (403, PERMISSION_DENIED) and leaves the connection open: another path may be allowed.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from edge.core.intention_http import HttpRequest
from edge.core.intentions import Decision, Intentions
from edge.core.mesh_caller import Caller
from edge.ingress.service import Answer, Call, Head, Service, StreamCall
from edge.outcome import Fault, Refusal

RETRY_AFTER_S = 1.0


class Verdict(Enum):
    """What became of a request at the gate."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "unknown"


class IntentionGate:
    """`Service` of one caller. `known` gives the current intentions, None while there are none; `count` hears of each verdict."""

    __slots__ = ("_caller", "_count", "_judged", "_known", "_service", "_settled")

    def __init__(
        self, service: Service, caller: Caller, known: Callable[[], Intentions | None], count: Callable[[Verdict], None]
    ) -> None:
        self._service = service
        self._caller = caller
        self._known = known
        self._count = count
        self._judged: Intentions | None = None
        self._settled: Decision | None = None

    def begin(self, head: Head) -> Call | StreamCall | Answer:
        """Let the service see the head, or refuse."""
        head.caller = self._caller
        refusal = self._refusal(head)
        if refusal is None:
            self._count(Verdict.ALLOWED)
            return self._service.begin(head)
        self._count(Verdict.DENIED if refusal.fault is Fault.INTENTION_DENIED else Verdict.UNKNOWN)
        return self._service.refuse(head, refusal)._replace(close=False)

    def refuse(self, head: Head | None, refusal: Refusal) -> Answer:
        """What is no call is the service's to shape."""
        if head is not None:
            head.caller = self._caller
        return self._service.refuse(head, refusal)

    def _refusal(self, head: Head) -> Refusal | None:
        known = self._known()
        if known is None:
            return Refusal(Fault.INTENTIONS_UNKNOWN, "Consul has not told any intentions", retry_after_s=RETRY_AFTER_S)
        service = self._caller.service
        if known is not self._judged:  # for most callers the decision is the same for every request
            self._judged, self._settled = known, known.of_caller(service)
        decision = self._settled
        if decision is None:
            request = HttpRequest(head.method, head.path, head.headers, head.query)
            decision = known.of_request(service, request)
        return None if decision.allowed else Refusal(Fault.INTENTION_DENIED, decision.reason)
