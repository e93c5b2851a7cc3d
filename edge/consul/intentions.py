"""
The intentions about calls to us, kept current from Consul.

Owns the watch: one blocking query; each answer that can be believed replaces what was known, a failure replaces nothing. Until the first
answer nothing is known, and whoever asks has to refuse. The default policy is asked of Consul itself, by what it says of a caller that no
intention names; where a wildcard names everyone, the header of its answers tells (default_intention_policy of Consul 1.17 and later is
not in it). Source: mesh.md 2.1; https://developer.hashicorp.com/consul/api-docs/connect/intentions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from edge.consul.answer import Answer, ConsulError
from edge.consul.client import ConsulClient, Scope
from edge.consul.query import BlockingQuery, Manners, Question
from edge.core.consul_identity import MeshService
from edge.core.consul_intentions import read_intentions
from edge.core.consul_last_good import STALE_S, Alarm, Trouble
from edge.core.intentions import Intentions

_NOBODY = "edge-asks-for-the-default"
"""A service nobody registers, as the caller in the question for the default policy."""

_log = structlog.get_logger("edge.consul")


@dataclass(frozen=True, slots=True)
class IntentionsState:
    """The watch, for admin and metrics. `age_s` is None until Consul was heard: since it last answered, blocking queries stay open."""

    service: str
    known: bool
    alarm: Alarm | None
    reason: str
    age_s: float | None


class IntentionsWatch:
    """The intentions whose destination is `service`. `changed` is called on the loop after each change of `current`."""

    def __init__(
        self,
        client: ConsulClient,
        service: str,
        changed: Callable[[], None],
        manners: Manners | None = None,
        scope: Scope | None = None,
    ) -> None:
        self.service = service
        self.current: Intentions | None = None
        self._client = client
        self._changed = changed
        self._scope = scope or Scope()
        self._needs = f'intention:read on "{service}"'
        params = (("by", "destination"), ("name", service))
        question = Question("/v1/connect/intentions/match", params, self._needs, self._scope)
        self._query = BlockingQuery(client, question, manners)
        self._trouble: Trouble | None = None
        self._confirmed_at: float | None = None
        self._unsettled = False  # the last answer came to nothing: ask without blocking, Consul holds it to be told

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            before, heard = self._trouble, await self._query.next(confirm=self._unsettled)
            self._unsettled = True
            try:
                if isinstance(heard, ConsulError):
                    raise heard
                await self._take(heard.answer)
                self._unsettled = self._trouble is not None and self._trouble.alarm is Alarm.NO_LEADER
            except ConsulError as error:
                self._trouble = Trouble(error.alarm, str(error))
            except ValueError as error:
                self._trouble = Trouble(Alarm.UNREACHABLE, str(error))
            self._tell(before)

    def state(self) -> IntentionsState:
        """The watch now."""
        now, trouble = asyncio.get_running_loop().time(), self._trouble
        return IntentionsState(
            service=self.service,
            known=self.current is not None,
            alarm=trouble.alarm if trouble else None,
            reason=trouble.reason if trouble else "",
            age_s=None if self._confirmed_at is None else now - self._confirmed_at,
        )

    async def _take(self, answer: Answer) -> None:
        if not answer.known_leader:
            self._trouble = Trouble(Alarm.NO_LEADER, "the servers have no leader")
            return
        heard = read_intentions(answer.body, self.service, default_allow=not answer.default_deny)
        default_allow = await self._default(heard)
        known = Intentions(heard.service, heard.listed, default_allow)
        self._confirmed_at = asyncio.get_running_loop().time()
        stale = answer.last_contact_s > STALE_S
        reason = f"the server that answers has not heard from its leader for {answer.last_contact_s:.1f} s"
        self._trouble = Trouble(Alarm.STALE, reason) if stale else None
        if known != self.current:
            self.current = known
            _log.info("intentions", service=self.service, count=len(known.listed), default_allow=default_allow)
            self._changed()

    async def _default(self, heard: Intentions) -> bool:
        """The default policy. Raises ConsulError: a guess would let in or shut out everyone."""
        if heard.about(MeshService(_NOBODY, "")) is not None:
            return heard.default_allow
        params = [("source", _NOBODY), ("destination", self.service)]
        answer = await self._client.read(
            "/v1/connect/intentions/check", params, needs=self._needs, scope=self._scope, consistent=False
        )
        allowed = answer.body.get("Allowed") if isinstance(answer.body, dict) else None
        if not isinstance(allowed, bool):
            raise ValueError("the answer about the default policy is no verdict")
        return allowed

    def _tell(self, before: Trouble | None) -> None:
        if self._trouble == before:
            return
        if self._trouble is None:
            _log.info("intentions are known to be current again", service=self.service)
        else:
            kept = "the last ones are kept" if self.current is not None else "every call is refused"
            reason, alarm = self._trouble.reason, self._trouble.alarm.value
            _log.warning("intentions cannot be told", service=self.service, alarm=alarm, reason=reason, until_then=kept)
