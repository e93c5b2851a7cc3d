"""
Rotation: new connections get the newest TLS context, and old ones are told when to drain.

Owns which generation is current. Each identity that a source publishes makes one; a connection belongs to the one it was made with for
good. It must drain before that one's leaf expires, and at once when a root it trusted was withdrawn or we are somebody else now.
`context` can be handed to a listener or a dialler for ever: it wraps each connection with the newest generation's.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Sequence
from weakref import WeakSet

import structlog

from certs.context import H2, fill_context, protocol
from certs.generation import Generation, GenerationContext, generation_of
from certs.handshake import Refused, reporting
from certs.identity import IdentityError
from certs.leaf import Check, LeafFault, Side
from certs.peer import Peer, PeerRules
from certs.source import CertificateSource, Watchers, readiness_fault

_log = structlog.get_logger("certs")


class RotatingContexts:
    """The generations of one source on one side. `clock` gives Unix seconds: certificates are dated, not timed."""

    def __init__(
        self,
        source: CertificateSource,
        rules: PeerRules,
        alpn: Sequence[str] = H2,
        clock: Callable[[], float] = time.time,
        refused: Refused | None = None,
    ) -> None:
        """`refused` hears of each handshake that failed, and why."""
        self._source = source
        self._rules = rules
        self._alpn = tuple(alpn)
        self._clock = clock
        self._number = 0
        self._fault: str | None = None
        self._missed = False
        self._current: GenerationContext | None = None
        self._alive: WeakSet[Generation] = WeakSet()
        self._watchers = Watchers()
        self.watch = self._watchers.add
        self._session_class = ssl.SSLObject if refused is None else reporting(refused)
        self.context: ssl.SSLContext = _newest(self.newest, rules.side)
        self.context.sslobject_class = self._session_class
        self._renew()
        self.close = source.watch(self._changed)

    @property
    def current(self) -> Generation | None:
        """What new connections get."""
        return self._current.generation if self._current is not None else None

    def fault(self) -> str | None:
        """Why no connection can be made now, or None: readiness. Look before you dial: the error is better than OpenSSL's."""
        return readiness_fault(self._source, self._clock()) or (None if self._current is not None else self._fault)

    def verify(self, session: ssl.SSLObject) -> Peer | LeafFault:
        """Who the other end of a finished handshake is."""
        generation = generation_of(session)
        if generation is None:
            return LeafFault(Check.PRESENCE, "the connection was made without an identity of ours")
        return generation.verify(session, self._clock())

    def drain_reason(self, generation: Generation) -> str | None:
        """Why connections of a generation must drain now, or None."""
        current, ours, now = self.current, generation.identity, self._clock()
        if current is None:
            return self._fault or "our identity was withdrawn"
        if current.identity.spiffe_id != ours.spiffe_id:
            return f"we are {current.identity.spiffe_id} now, no longer {ours.spiffe_id}"
        if not generation.roots <= current.roots:
            return "a root that it trusts was withdrawn"
        if now >= ours.not_after:
            return "its certificate has expired"
        if generation is not current and now >= generation.drain_at:
            return "its certificate is about to expire"
        return None

    def next_drain_s(self) -> float | None:
        """
        Seconds until connections of some generation in use must drain, or None.

        Ask `drain_reason` of each connection then, and when `watch` tells of a new generation.
        """
        current, now = self.current, self._clock()
        dates = [one.identity.not_after if one is current else one.drain_at for one in self._alive]
        return max(0.0, min(dates) - now) if dates else None

    def newest(self) -> ssl.SSLContext | None:
        """The newest generation's context."""
        if self._missed:
            self._changed()
        return self._current

    def _changed(self) -> None:
        before = self.current
        self._renew()
        if self.current is not before:
            self._watchers.tell()

    def _renew(self) -> None:
        self._missed = False
        identity = self._source.current()
        if identity is None:
            self._current, self._fault = None, None
            return
        try:
            context = GenerationContext(protocol(self._rules.side))
            fill_context(context, identity, self._rules, self._alpn)
            context.sslobject_class = self._session_class
        except IdentityError as error:  # no roots for these peers (any more): nobody can be verified
            self._current, self._fault = None, str(error)
            _log.error("tls_context_failed", source=self._source.name, reason=self._fault)
            return
        except (
            OSError
        ) as error:  # of ours (no descriptors left): the old one is good for now, and the next connection tries again
            self._missed, self._fault = True, f"the TLS context cannot be made: {error}"
            _log.error("tls_context_failed", source=self._source.name, reason=self._fault)
            return
        self._number += 1
        self._current, self._fault = context, None
        context.generation = Generation(self._number, identity, self._rules)
        self._alive.add(context.generation)


class _NewestContext(ssl.SSLContext):
    """Stands for the newest generation's context wherever one is asked for; presents and trusts nothing itself."""

    newest: Callable[[], ssl.SSLContext | None]

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """What asyncio and uvloop call for each connection. Without an identity the handshake fails, cleanly."""
        context = self.newest()
        wrap = super().wrap_bio if context is None else context.wrap_bio
        return wrap(incoming, outgoing, server_side, server_hostname, session)


def _newest(newest: Callable[[], ssl.SSLContext | None], side: Side) -> ssl.SSLContext:
    context = _NewestContext(protocol(side))
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.newest = newest
    return context
