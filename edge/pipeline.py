"""
The one ordered list of policies around every call: admit outside-in, settle inside-out.

Owns the invariant that what a policy takes is given back exactly once, after the last byte of the answer, in reverse order,
for success, refusal, crash and cancellation alike. `admit` is synchronous unless a policy must wait, so the common path never yields.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from edge.exchange import Exchange
from edge.outcome import Refusal

Settle = Callable[[Exchange], None]
"""Gives back what `admit` took. Runs once, must not raise and must not block."""

Admission = Refusal | Settle | None
"""A refusal ends the call; a Settle is owed; None owes nothing."""


class Policy(Protocol):
    """One rule about calls. `name` is the noun in config, `edge explain`, logs and metrics."""

    name: str

    def admit(self, x: Exchange) -> Admission | Awaitable[Admission]:
        """Decide on a call. Awaitable only when the decision needs IO."""


class Held(list[Settle]):
    """The settlements owed for one call, oldest first. `settle` runs them once, newest first; a second call does nothing."""

    __slots__ = ()

    def settle(self, x: Exchange) -> None:
        """Run what is owed; one that raises does not keep the others from running, the first error is raised at the end."""
        error: BaseException | None = None
        while self:
            try:
                self.pop()(x)
            except Exception as caught:  # noqa: BLE001  # the remaining settlements give back permits: they must run
                error = error or caught
        if error is not None:
            raise error


class Pipeline:
    """The ordered policies of a gateway, and the observers that see the end of every call, admitted or not."""

    def __init__(self, policies: Sequence[Policy], observers: Sequence[Settle] = ()) -> None:
        self.policies = tuple(policies)
        self._admits = tuple(policy.admit for policy in policies)
        self._observers = tuple(observers)

    def open(self) -> Held:
        """Begin a call: the observers are owed from the start, so that calls refused by their head alone are seen as well."""
        return Held(self._observers)

    def admit(self, x: Exchange, held: Held) -> Refusal | Awaitable[Refusal | None] | None:
        """Ask each policy in order; the first refusal ends it. What was taken is in `held`, whoever refuses."""
        for position, admit in enumerate(self._admits):
            verdict = admit(x)
            if verdict is None:
                continue
            if callable(
                verdict
            ):  # first: nearly all are; and before any test for awaitables, which costs an ABC look-up
                held.append(verdict)
            elif isinstance(verdict, Refusal):
                return verdict
            else:
                return self._resume(position, verdict, x, held)
        return None

    async def _resume(self, position: int, pending: Awaitable[Admission], x: Exchange, held: Held) -> Refusal | None:
        """Wait for one policy's decision, then ask those behind it."""
        verdict = await pending
        if isinstance(verdict, Refusal):
            return verdict
        if verdict is not None:
            held.append(verdict)
        for admit in self._admits[position + 1 :]:
            asked = admit(x)
            verdict = asked if asked is None or isinstance(asked, Refusal) or callable(asked) else await asked
            if isinstance(verdict, Refusal):
                return verdict
            if verdict is not None:
                held.append(verdict)
        return None
