"""
The last set of instances that may be believed, and what is wrong with what Consul says now.

Owns when an answer replaces it. "Nothing there" is believed only from a Consul that can know: not when access rules hid the answer,
not without a leader, not from the streaming backend (which tells neither), and for a while not after Consul was lost or counts anew, when
services have yet to register again and their checks to pass. A failure never takes an instance away. Times are the caller's clock, in
seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from edge.core.consul_instances import Instance, Observed

DOUBT_S = 30.0
"""How long an empty answer is doubted after Consul was lost: three times Consul's usual check interval, 10 s."""

STALE_S = 10.0
"""A follower that has not heard from the leader for so long answers with the past."""


class Alarm(Enum):
    """What keeps the set from being known to be true."""

    UNREACHABLE = "unreachable"
    DENIED = "denied"
    FILTERED = "filtered"
    NO_LEADER = "no_leader"
    STALE = "stale"
    DOUBTED = "doubted"


@dataclass(frozen=True, slots=True)
class Provenance:
    """What an answer says of itself, beside its body."""

    filtered: bool = False
    """Access rules hid something."""
    authenticated: bool = True
    """A token was sent. Consul does not tell those without one that it hides anything."""
    default_deny: bool = False
    """Without a rule that allows it, nothing is shown."""
    known_leader: bool = True
    last_contact_s: float = 0.0
    restarted: bool = False
    """Consul's index went backwards."""
    streamed: bool = False
    """From the streaming backend of Consul 1.10 and later, which answers queries that block: it leaves out `filtered`, and says that
    there is no leader where there is one (agent/rpcclient/health/health.go)."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """An alarm and its cause, for people."""

    alarm: Alarm
    reason: str


class LastGood:
    """The set of one question. `instances` is None until an answer could be believed."""

    def __init__(self, *, doubt_s: float = DOUBT_S, stale_s: float = STALE_S) -> None:
        self.instances: tuple[Instance, ...] | None = None
        self.observed = Observed()
        self.trouble: Trouble | None = None
        self.confirmed_at: float | None = None
        """When Consul last said what is in the set."""
        self._doubt_s = doubt_s
        self._stale_s = stale_s
        self.unconfirmed = False
        """The last answer was streamed, and says something new: ask once without blocking, which tells the whole truth."""
        self._lost = False
        self._doubted_since: float | None = None

    def heard(self, observed: Observed, said: Provenance, now: float) -> bool:
        """Take in an answer; whether the set is another than before."""
        self.observed = observed
        self._lost = self._lost or said.restarted
        if said.streamed:
            return self._heard_streamed(observed, now)
        self.unconfirmed = False
        held = self._why_not(observed, said, now)
        if held is not None:
            self.trouble = held
            return False
        self.trouble = self._flaw(said)
        return self._believe(observed, now)

    def _heard_streamed(self, observed: Observed, now: float) -> bool:
        """What is new needs confirmation; nothing is taken away, and no alarm raised or cleared, before it has come."""
        self.unconfirmed = observed.instances != self.instances or self.trouble is not None
        if not observed.instances:
            return False
        return self._believe(observed, now)

    def _believe(self, observed: Observed, now: float) -> bool:
        self._lost, self._doubted_since, self.confirmed_at = False, None, now
        changed = self.instances != observed.instances
        self.instances = observed.instances
        return changed

    def failed(self, alarm: Alarm, reason: str) -> None:
        """No answer: the set stays."""
        self.trouble = Trouble(alarm, reason)
        self.unconfirmed = False
        self._lost = True
        self._doubted_since = None  # counted from when Consul is back

    def recheck_in_s(self, now: float) -> float | None:
        """While an answer is doubted, when to ask again at the latest; None: as long as a query may block."""
        if self._doubted_since is None:
            return None
        return max(0.0, self._doubted_since + self._doubt_s - now)

    def _why_not(self, observed: Observed, said: Provenance, now: float) -> Trouble | None:
        """Why an answer is not believed, None when it is."""
        if observed.instances:
            return None
        if observed.total == 0 and said.filtered:
            return Trouble(Alarm.FILTERED, "access rules hide every instance from our token")
        if observed.total == 0 and said.default_deny and not said.authenticated:
            return Trouble(Alarm.FILTERED, "no token is set, and without one nothing is shown by default")
        if not said.known_leader:
            return Trouble(Alarm.NO_LEADER, "the servers have no leader")
        if self._lost and self.instances:
            self._doubted_since = now if self._doubted_since is None else self._doubted_since
            if now - self._doubted_since < self._doubt_s:
                return Trouble(Alarm.DOUBTED, "Consul was lost or started anew, and now knows no healthy instance")
        return None

    def _flaw(self, said: Provenance) -> Trouble | None:
        """What is wrong with an answer that is believed."""
        if said.filtered:
            return Trouble(Alarm.FILTERED, "access rules hide some instances from our token")
        if not said.known_leader:
            return Trouble(Alarm.NO_LEADER, "the servers have no leader")
        if said.last_contact_s > self._stale_s:
            reason = f"the server that answers has not heard from its leader for {said.last_contact_s:.1f} s"
            return Trouble(Alarm.STALE, reason)
        return None
