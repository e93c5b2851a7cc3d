"""
Addresses whose connections were ended for misbehaviour of late, and how little more is taken from the next one.

Owns the memory that one connection's budget (`core.glitches`) has not: an attacker who is cut off connects again, and each
connection would cost us its whole budget in work. Nobody is refused for his address, since many may share it (NAT, a proxy): a new
connection from there begins with a smaller budget, which is still many times what honest use spends, and after some offences a
moment late, which an honest client pays once and an attacker each time.
Bounded: past `max_keys` the address that was quiet longest is forgotten; an attacker with that many addresses gains full budgets.
"""

from __future__ import annotations

from ipaddress import IPv6Address

from edge.core.glitches import LIMIT

REMEMBERED_S = 30.0
"""After its last offence; long enough for an attacker who pauses, short for whoever has the address next."""

LEAST = LIMIT / 4
"""However often: 25 calls cancelled at once, or 125 pings."""

PATIENCE = 4
"""Offences until new connections have to wait."""

REST_S = 0.25
"""How long the first bytes of such a connection wait: as an unlucky handshake does."""

MAX_KEYS = 4096


class Suspects:
    """Offences by address (an IPv6 one by its /64, which one host has to itself)."""

    __slots__ = ("_max_keys", "_offences")

    def __init__(self, max_keys: int = MAX_KEYS) -> None:
        self._max_keys = max_keys
        self._offences: dict[str, tuple[int, float]] = {}  # count, time of the last; in the order of that time

    def limit(self, address: str, now: float) -> float:
        """The budget of a new connection: full, or half of it for each offence, and never less than LEAST."""
        if not self._offences:
            return LIMIT
        return max(LEAST, LIMIT / (1 << min(self._count(_key(address), now), 16)))

    def rest_s(self, address: str, now: float) -> float:
        """How long a new connection is not listened to."""
        return REST_S if self._offences and self._count(_key(address), now) >= PATIENCE else 0.0

    def offended(self, address: str, now: float) -> int:
        """
        A connection from there was ended for misbehaviour: which of its offences that is, 1 for the first.

        The peer of a local socket has no address, and no record: it is a proxy of ours.
        """
        if not address:
            return 1
        key = _key(address)
        count = self._count(key, now) + 1
        self._offences.pop(key, None)
        if len(self._offences) >= self._max_keys:
            del self._offences[next(iter(self._offences))]
        self._offences[key] = (count, now)
        return count

    def _count(self, key: str, now: float) -> int:
        count, last = self._offences.get(key, (0, 0.0))
        return count if now - last < REMEMBERED_S else 0


def _key(address: str) -> str:
    if ":" not in address:
        return address
    parsed = IPv6Address(address)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return parsed.packed[:8].hex()
