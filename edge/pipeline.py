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


class Held:
    """The settlements owed for one call. `settle` runs them once, newest first; a second call does nothing."""

    __slots__ = ("_owed",)

    def __init__(self) -> None:
        self._owed: list[Settle] = []

    def owe(self, settle: Settle) -> None:
        """Remember one more settlement."""
        self._owed.append(settle)

    def settle(self, x: Exchange) -> None:
        """Run what is owed; one that raises does not keep the others from running, the first error is raised at the end."""
        error: BaseException | None = None
        while self._owed:
            try:
                self._owed.pop()(x)
            except Exception as caught:  # noqa: BLE001  # the remaining settlements give back permits: they must run
                error = error or caught
        if error is not None:
            raise error


class Pipeline:
    """The ordered policies of a gateway, and the observers that see the end of every call, admitted or not."""

    def __init__(self, policies: Sequence[Policy], observers: Sequence[Settle] = ()) -> None:
        self.policies = tuple(policies)
        self._observers = tuple(observers)

    def open(self) -> Held:
        """Begin a call: the observers are owed from the start, so that calls refused by their head alone are seen as well."""
        held = Held()
        for observer in self._observers:
            held.owe(observer)
        return held

    def admit(self, x: Exchange, held: Held) -> Refusal | Awaitable[Refusal | None] | None:
        """Ask each policy in order; the first refusal ends it. What was taken is in `held`, whoever refuses."""
        return self._admit_from(0, x, held)

    def _admit_from(self, index: int, x: Exchange, held: Held) -> Refusal | Awaitable[Refusal | None] | None:
        for position in range(index, len(self.policies)):
            verdict = self.policies[position].admit(x)
            if verdict is None:
                continue
            if isinstance(verdict, Refusal):
                return verdict
            if callable(verdict):  # before any test for awaitables, which costs an ABC look-up
                held.owe(verdict)
            else:
                return self._resume(position, verdict, x, held)
        return None

    async def _resume(self, position: int, pending: Awaitable[Admission], x: Exchange, held: Held) -> Refusal | None:
        verdict = await pending
        if isinstance(verdict, Refusal):
            return verdict
        if verdict is not None:
            held.owe(verdict)
        rest = self._admit_from(position + 1, x, held)
        return rest if rest is None or isinstance(rest, Refusal) else await rest
