"""
Which connection takes a call, whether another is to be opened, and when a call must wait or be refused.

Owns the choice, nothing of the doing: `decide` looks at endpoints and connections and returns a value. The least loaded
connection wins, ties go round robin; endpoints of unlike weight take their shares instead, fewer of them the busier they are. An
endpoint in backoff is never dialled, and one dial runs per endpoint at a time, so that a burst of calls opens one connection and not
one each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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

    @property
    def weight(self) -> int:
        """Its share of calls relative to the others, 1 or more."""


class Take(NamedTuple, Generic[L]):
    """`link` takes the call; `dial` (an index) is an endpoint to connect to meanwhile, so that load spreads over all."""

    link: L
    dial: int | None


class Wait(NamedTuple):
    """The call waits for a stream to end or a connection to be made, one to `dial` now among them."""

    dial: int | None


class Refuse(NamedTuple):
    """
    Nothing can take the call: too many wait (`overloaded`), or every endpoint is in backoff for `retry_after_s`.

    Neither where there is no endpoint: then nobody knows when to try again.
    """

    overloaded: bool
    retry_after_s: float | None
    dial: int | None = None


def decide(
    places: Sequence[Place[L]],
    *,
    turn: int,
    now: float,
    max_links: int,
    pending: int,
    max_pending: int,
    sought: bool = False,
) -> Take[L] | Wait | Refuse:
    """
    What to do with one call. `turn` is any number that grows by one per call; `pending` counts the calls already waiting.

    At most `max_links` connections per endpoint are open or being made. `sought`: the endpoints are being looked up, so a call may wait
    for the first of them.
    """
    best = least_loaded(places, turn)
    if best is not None:
        return Take(best, _unconnected(places, turn, now))
    dial = _expandable(places, turn, now, max_links)
    hopeful = sought or dial is not None or any(place.dialing or place.links for place in places)
    if not hopeful:
        soonest = min((place.retry_at for place in places), default=None)
        return Refuse(overloaded=False, retry_after_s=None if soonest is None else max(0.0, soonest - now))
    if pending >= max_pending:
        return Refuse(overloaded=True, retry_after_s=None, dial=dial)
    return Wait(dial)


class Failing(Protocol):
    """An endpoint, as `reachable` sees it."""

    @property
    def links(self) -> Sequence[object]:
        """Its connections that take calls."""

    @property
    def failing(self) -> bool:
        """Whether the last attempt to connect failed."""


def reachable(places: Iterable[Failing], *, sought: bool) -> bool:
    """
    Whether a call may be given to these endpoints rather than to others that could take it.

    An end of backoff is no ground for hope: only a connection is, or an endpoint nobody has tried in vain. A full one is reachable: what
    it cannot take at once must wait there, or a burst would flood those who stand in for it.
    """
    return sought or any(place.links or not place.failing for place in places)


def least_loaded(places: Sequence[Place[L]], turn: int) -> L | None:
    """The connection with the fewest calls that can take one more; among equals the first from `turn` on."""
    if any(place.weight != places[0].weight for place in places):
        return _by_share(places, turn)
    best: L | None = None
    count = len(places)
    for step in range(count):
        for link in places[(turn + step) % count].links:
            if link.free > 0 and (best is None or link.active < best.active):
                best = link
    return best


_GOLDEN = 0.6180339887498949
"""Multiples of it, modulo 1, fill the unit interval evenly however many are taken: shares are met in any short run of turns."""


def _by_share(places: Sequence[Place[L]], turn: int) -> L | None:
    """
    A connection of the endpoint whose share the turn falls into: its weight, over its calls and one more.

    Counting calls alone would give an idle heavy endpoint no more than an idle light one. Envoy's least-request balancer weighs the same
    way: https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/load_balancers.
    """
    shares = [_share(place) for place in places]
    at = turn * _GOLDEN % 1.0 * sum(share for share, _ in shares)
    chosen: L | None = None
    for share, link in shares:
        if link is None:
            continue
        chosen = link
        at -= share
        if at < 0:
            break
    return chosen


def _share(place: Place[L]) -> tuple[float, L | None]:
    free = [link for link in place.links if link.free > 0]
    if not free:
        return 0.0, None
    return place.weight / (1 + sum(link.active for link in place.links)), min(free, key=lambda link: link.active)


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
