"""
A service's registration with the agent: made when it is not there as wanted, kept alive, withdrawn at the end.

Owns idempotence and upkeep. What stands already is left alone (registering anew would set its checks back to critical); what an agent
forgot, lost in a restart or holds otherwise is put right at the next round; a TTL check is reported well before it runs out.
`withdraw` is for drains: once it returns, the catalog no longer sends calls here.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import structlog

from edge.consul.answer import ConsulError, Kind
from edge.consul.client import ConsulClient, Scope, segment
from edge.core.backoff import delay_s
from edge.core.consul_definition import Definition, differences

UPKEEP_S = 10.0
"""How often what the agent holds is compared, at the longest: one local read."""

LEAVE_S = 2.0
"""What a drain gives the agent to take the registration back: calls wait for it, and the checks tell the same a little later."""

_BEATS_PER_TTL = 3  # two reports may be lost before the check turns critical
_BACKOFF_S, _BACKOFF_MAX_S = 0.5, 5.0

_log = structlog.get_logger("edge.consul")


class Outcome(Enum):
    """What making sure of a registration came to."""

    REGISTERED = "registered"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class RegistrationState:
    """For admin and metrics. `problem` is empty while all is well."""

    id: str
    registered: bool
    problem: str


class Registration:
    """One service at one agent."""

    def __init__(
        self,
        client: ConsulClient,
        definition: Definition,
        *,
        upkeep_s: float = UPKEEP_S,
        rand: Callable[[], float] = random.random,
    ) -> None:
        self.definition = definition
        self._client = client
        self._rand = rand
        ttls = [check.interval_s / _BEATS_PER_TTL for _, check in definition.ttl_checks()]
        self._beat_s = min([upkeep_s, *ttls])
        self._scope = Scope(namespace=definition.namespace, partition=definition.partition)
        self._needs = f'service:write on "{definition.name}"'
        self._registered = False
        self._problem = ""

    async def ensure(self) -> Outcome:
        """Register unless the agent holds just this already. Raises ConsulError."""
        found = await self._differences()
        if not found:
            self._registered = True
            return Outcome.UNCHANGED
        params = [("replace-existing-checks", "true")]
        await self._client.write(
            "PUT", "/v1/agent/service/register", self.definition.body(), params, needs=self._needs, scope=self._scope
        )
        self._registered = True
        new = found == ("not registered",)
        _log.info("registered in Consul", id=self.definition.id, because=", ".join(found))
        return Outcome.REGISTERED if new else Outcome.UPDATED

    async def beat(self, status: str = "passing", output: str = "") -> None:
        """Report health to the TTL checks. Raises ConsulError, NOT_FOUND when the agent knows no such check."""
        for check_id, _ in self.definition.ttl_checks():
            await self._client.write(
                "PUT",
                f"/v1/agent/check/update/{segment(check_id)}",
                {"Status": status, "Output": output},
                needs=self._needs,
                scope=self._scope,
            )

    async def keep(self) -> None:
        """Make sure of it again and again until cancelled; failures are logged once and tried again."""
        failures = 0
        while True:
            try:
                await self.ensure()
                await self.beat()
            except ConsulError as error:
                failures += 1
                self._troubled(str(error))
                pause = delay_s(failures, initial_s=_BACKOFF_S, max_s=_BACKOFF_MAX_S, rand=self._rand())
            else:
                failures = 0
                self._troubled("")
                pause = self._beat_s
            await asyncio.sleep(min(pause, self._beat_s))

    async def withdraw(self) -> bool:
        """Take the service out of the catalog; whether it was there. Raises ConsulError when that cannot be known."""
        self._registered = False
        return await deregister(self._client, self.definition.id, scope=self._scope, needs=self._needs)

    async def leave(self, within_s: float = LEAVE_S) -> None:
        """`withdraw` for a drain: never longer than `within_s`, and what goes wrong is said, not raised."""
        try:
            async with asyncio.timeout(within_s):
                await self.withdraw()
        except (ConsulError, TimeoutError) as error:
            reason = str(error) or f"no answer within {within_s:g} s"
            _log.error("the registration in Consul could not be withdrawn", id=self.definition.id, reason=reason)
        else:
            _log.info("withdrawn from Consul", id=self.definition.id)

    def state(self) -> RegistrationState:
        """The registration now."""
        return RegistrationState(self.definition.id, self._registered, self._problem)

    async def _differences(self) -> tuple[str, ...]:
        held = await held_service(self._client, self.definition.id, scope=self._scope, needs=self._needs)
        if held is None:
            return differences(self.definition, None, ())
        answer = await self._client.read(
            "/v1/agent/checks",
            [("filter", f"ServiceID == {json.dumps(self.definition.id)}")],
            needs=self._needs,
            scope=self._scope,
            consistent=False,
        )
        found = differences(self.definition, held, tuple(answer.body or ()))
        return found + await self._sidecar_differences()

    async def _sidecar_differences(self) -> tuple[str, ...]:
        """The agent registers a sidecar once, with its service, and does not miss it when it is removed alone."""
        if self.definition.connect != "sidecar":
            return ()
        sidecar = f"{self.definition.id}-sidecar-proxy"
        held = await held_service(self._client, sidecar, scope=self._scope, needs=self._needs)
        return () if held is not None else ("its sidecar is not registered",)

    def _troubled(self, problem: str) -> None:
        if problem and not self._problem:
            _log.warning("the registration in Consul cannot be kept up", id=self.definition.id, reason=problem)
        elif self._problem and not problem:
            _log.info("the registration in Consul is kept up again", id=self.definition.id)
        self._problem = problem
        self._registered = self._registered and not problem


async def held_service(
    client: ConsulClient, service_id: str, *, scope: Scope | None = None, needs: str
) -> dict[str, object] | None:
    """What the agent holds under an ID, None when nothing. Raises ConsulError."""
    try:
        path = f"/v1/agent/service/{segment(service_id)}"
        answer = await client.read(path, needs=needs, scope=scope, consistent=False)
    except ConsulError as error:
        if error.kind is Kind.NOT_FOUND:
            return None
        raise
    held: dict[str, object] = answer.body
    return held


async def deregister(client: ConsulClient, service_id: str, *, scope: Scope | None = None, needs: str = "") -> bool:
    """Take a service, and the sidecar registered with it, off the agent; whether it was there. Raises ConsulError."""
    try:
        path = f"/v1/agent/service/deregister/{segment(service_id)}"
        await client.write("PUT", path, needs=needs or f'service:write on "{service_id}"', scope=scope)
    except ConsulError as error:
        if error.kind is Kind.NOT_FOUND:
            return False
        raise
    return True
