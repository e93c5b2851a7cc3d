"""
Being called from the mesh: our certificate on listeners, who callers are, and what the intentions say of them.

Owns what a listener of the mesh asks (`ingress.mesh_listener.Door`) and the one watch of intentions behind all of them. A peer is let in as
the service its certificate proves, under the rules of certs (strict), and never for longer than that certificate is good for, or ours.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from functools import partial

import structlog

from certs.generation import Generation, generation_of
from certs.leaf import Check, LeafFault, Side
from certs.peer import PeerRules
from certs.rotation import RotatingContexts
from certs.source import CertificateSource
from edge.config.models import ListenerMesh
from edge.consul.client import ConsulClient
from edge.consul.intentions import IntentionsWatch
from edge.consul.query import Manners
from edge.core.consul_identity import service_at
from edge.core.intentions import Intentions
from edge.core.mesh_caller import Caller, forwarded_client_cert
from edge.ingress.connections import peer_address
from edge.ingress.intention_gate import IntentionGate, Verdict
from edge.ingress.mesh_listener import ALPN
from edge.ingress.service import Service
from edge.ingress.visits import Ending, Visit

_RESTART_S = 5.0
_JITTER = 0.1
"""Of a connection's age: those made together must not come back together (gRPC's MAX_CONNECTION_AGE has the same)."""

HANDSHAKE = "handshake"
"""The check that is OpenSSL's."""

_log = structlog.get_logger("edge.mesh")


class MeshInbound:
    """What all mesh listeners of a worker share. `source` gives our identity; `manners` are the watch's."""

    def __init__(
        self,
        service: str,
        client: ConsulClient,
        manners: Manners,
        source: CertificateSource,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._watchers: list[Callable[[], None]] = []
        self._make = partial(IntentionsWatch, client, service, self._changed, manners)
        self.watch_of_intentions = self._make()
        self.contexts = RotatingContexts(
            source, PeerRules(Side.DOWNSTREAM), ALPN, clock, lambda why: self._refused(HANDSHAKE, why, "")
        )
        self._forget = self.contexts.watch(self._changed)
        self.verdicts: Counter[Verdict] = Counter()
        self.refused: Counter[str] = Counter()
        self.endings: Counter[Ending] = Counter()
        self._told: Counter[str] = Counter()
        self._task = asyncio.get_running_loop().create_task(self._run(), name="consul intentions")

    async def _run(self) -> None:
        while True:
            try:
                await self.watch_of_intentions.run()
            except Exception:  # noqa: BLE001  # a bug of ours: what was known stays, and the watch must go on
                _log.exception("the watch of intentions broke inside the gateway")
                await asyncio.sleep(_RESTART_S)
                known = self.watch_of_intentions.current
                self.watch_of_intentions = self._make()
                self.watch_of_intentions.current = known

    def known(self) -> Intentions | None:
        """The intentions of this moment."""
        return self.watch_of_intentions.current

    def door(self, given: ListenerMesh) -> MeshDoor:
        """For one listener."""
        return MeshDoor(self, given.max_connection_age, given.max_connection_age_grace)

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Have `changed` called when intentions or certificates are others; returns what ends that."""
        self._watchers.append(changed)
        return lambda: self._watchers.remove(changed)

    def _changed(self) -> None:
        for watcher in tuple(self._watchers):
            watcher()

    def identify(self, transport: asyncio.BaseTransport) -> tuple[Caller, Generation, float] | None:
        """Who made a connection, with which of our certificates, and until when theirs is good (Unix seconds)."""
        session: ssl.SSLObject = transport.get_extra_info("ssl_object")
        found, generation = self.contexts.verify(session), generation_of(session)
        if isinstance(found, LeafFault) or generation is None:
            fault = found if isinstance(found, LeafFault) else LeafFault(Check.PRESENCE, "we have no identity")
            self._refused(fault.check.value, str(fault), peer_address(transport))
            return None
        service, theirs = service_at(found.spiffe_id.path), str(found.spiffe_id)
        if service is None:
            self._refused("service", f"service: {theirs} is no service of the mesh", peer_address(transport))
            return None
        leaf = session.getpeercert(binary_form=True) or b""
        forwarded = forwarded_client_cert(str(generation.identity.spiffe_id), theirs, leaf)
        return Caller(theirs, service, forwarded), generation, found.not_after

    def _refused(self, check: str, reason: str, peer: str) -> None:
        """Counted each time; logged ever more seldom, or an attacker would fill the log. OpenSSL's reasons are finitely many."""
        self.refused[check] += 1
        key = reason if check == HANDSHAKE else check
        self._told[key] += 1
        count = self._told[key]
        if count & (count - 1) == 0:
            _log.warning("a caller was refused", check=check, reason=reason, peer=peer or None, count=count)

    def fault(self) -> str | None:
        """Why nobody can call us, for readiness; None when some can."""
        if self.known() is None:
            state = self.watch_of_intentions.state()
            return f"intentions: waiting for Consul: {state.reason or 'no answer yet'}"
        return self.contexts.fault()

    async def close(self) -> None:
        """The listeners are closed."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._forget()
        self.contexts.close()

    def page(self) -> dict[str, object]:
        """What the admin listener shows."""
        state, known = self.watch_of_intentions.state(), self.known()
        return {
            **asdict(state),
            "default": None if known is None else "allow" if known.default_allow else "deny",
            "intentions": None if known is None else [
                {
                    "source": str(each.source),
                    "destination": each.destination,
                    "precedence": each.precedence,
                    "action": f"{len(each.permissions)} permissions" if each.permissions else "allow" if each.allows else "deny",
                }
                for each in known.listed
            ],
            "requests": {verdict.value: self.verdicts[verdict] for verdict in Verdict},
            "connections_refused": dict(self.refused),
            "connections_ended": {ending.value: self.endings[ending] for ending in Ending},
        }  # fmt: skip


class MeshDoor:
    """`ingress.mesh_listener.Door` of one listener."""

    def __init__(self, mesh: MeshInbound, age_s: float, grace_s: float) -> None:
        self._mesh = mesh
        self._age_s = age_s
        self.grace_s = grace_s
        self.context = mesh.contexts.context
        self.watch = mesh.watch

    def admit(self, transport: asyncio.BaseTransport) -> Visit | None:
        """As in Door."""
        found = self._mesh.identify(transport)
        if found is None:
            return None
        caller, generation, not_after = found
        now = asyncio.get_running_loop().time()
        age_s = self._age_s * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311  # nobody gains by guessing it
        good_for_s = max(0.0, not_after - self._mesh._clock())
        contexts = self._mesh.contexts
        return Visit(
            caller, now + min(age_s, good_for_s), lambda: contexts.drain_reason(generation), self._welcome(caller)
        )

    def guarded(self, service: Service, visit: Visit) -> Service:
        """As in Door."""
        return IntentionGate(service, visit.caller, self._mesh.known, self._count)

    def _count(self, verdict: Verdict) -> None:
        self._mesh.verdicts[verdict] += 1

    def why_end(self, visit: Visit, now: float) -> tuple[Ending, str] | None:
        """As in Door. One who was never allowed is told so at each request; only who was and is not any more is sent away."""
        if now >= visit.ends_at:
            return Ending.AGE, "it has reached its age"
        if (reason := visit.certificate_ended()) is not None:
            return Ending.CERTIFICATE, reason
        welcome = self._welcome(visit.caller)
        if visit.welcome and not welcome:
            return Ending.INTENTIONS, "the intentions do not allow it any more"
        visit.welcome = welcome
        return None

    def _welcome(self, caller: Caller) -> bool:
        known = self._mesh.known()
        return known is not None and known.may_ever(caller.service)

    def ended(self, ending: Ending) -> None:
        """As in Door."""
        self._mesh.endings[ending] += 1
