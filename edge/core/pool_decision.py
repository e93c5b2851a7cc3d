"""
Which connection takes a call, whether another is to be opened, and when a call must wait or be refused.

Owns the choice, nothing of the doing: `decide` looks at endpoints and connections and returns a value. The least loaded
connection wins, ties go round robin; an endpoint in backoff is never dialled, and one dial runs per endpoint at a time, so
that a burst of calls opens one connection and not one each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar


class Link(Protocol):
    """A connection that takes calls (connected, no GOAWAY), as the decision sees it."""

    @property
    def active(self) -> int:
        """Streams in use, those promised to a waiting call included."""

    @property
    def free(self) -> int:
        """Further streams the peer allows now."""


L = TypeVar("L", bound=Link)
LinkT_co = TypeVar("LinkT_co", bound=Link, covariant=True)


class Place(Protocol[LinkT_co]):
    """An endpoint, as the decision sees it. `retry_at` is when its backoff ends, on the caller's clock."""

    @property
    def links(self) -> Sequence[LinkT_co]:
        """Its connections that take calls."""

    @property
    def dialing(self) -> bool:
        """Whether a connection to it is being made."""

    @property
    def retry_at(self) -> float:
        """Not before then may it be dialled; a time in the past when nothing failed."""


class Take(NamedTuple, Generic[L]):
    """`link` takes the call; `dial` (an index) is an endpoint to connect to meanwhile, so that load spreads over all."""

    link: L
    dial: int | None


class Wait(NamedTuple):
    """The call waits for a stream to end or a connection to be made, one to `dial` now among them."""

    dial: int | None


class Refuse(NamedTuple):
    """Nothing can take the call: too many wait (`overloaded`), or every endpoint is in backoff for `retry_after_s`."""

    overloaded: bool
    retry_after_s: float | None
    dial: int | None = None


def decide(
    places: Sequence[Place[L]], *, turn: int, now: float, max_links: int, pending: int, max_pending: int
) -> Take[L] | Wait | Refuse:
    """
    What to do with one call. `turn` is any number that grows by one per call; `pending` counts the calls already waiting.

    At most `max_links` connections per endpoint are open or being made.
    """
    best = least_loaded(places, turn)
    if best is not None:
        return Take(best, _unconnected(places, turn, now))
    dial = _expandable(places, turn, now, max_links)
    hopeful = dial is not None or any(place.dialing or place.links for place in places)
    if not hopeful:
        return Refuse(overloaded=False, retry_after_s=max(0.0, min(place.retry_at for place in places) - now))
    if pending >= max_pending:
        return Refuse(overloaded=True, retry_after_s=None, dial=dial)
    return Wait(dial)


def least_loaded(places: Sequence[Place[L]], turn: int) -> L | None:
    """The connection with the fewest calls that can take one more; among equals the first from `turn` on."""
    best: L | None = None
    count = len(places)
    for step in range(count):
        for link in places[(turn + step) % count].links:
            if link.free > 0 and (best is None or link.active < best.active):
                best = link
    return best


def _unconnected(places: Sequence[Place[L]], turn: int, now: float) -> int | None:
    """An endpoint without a connection that may be dialled."""
    count = len(places)
    for step in range(count):
        index = (turn + step) % count
        place = places[index]
        if not place.links and not place.dialing and place.retry_at <= now:
            return index
    return None


def _expandable(places: Sequence[Place[L]], turn: int, now: float, max_links: int) -> int | None:
    """The endpoint with the fewest connections that may get one more."""
    best: int | None = None
    count = len(places)
    for step in range(count):
        index = (turn + step) % count
        place = places[index]
        if place.dialing or place.retry_at > now or len(place.links) >= max_links:
            continue
        if best is None or len(place.links) < len(places[best].links):
            best = index
    return best
