"""
The ways one request might take upstream, for `edge explain`.

Owns that a sticky request is told its own way, by the gateway's own choice; of others the shares are told, since each takes its turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edge.config.models import Config
from edge.config.ways import Ways, ways_of
from edge.core.traffic_shares import TrafficShares
from edge.upstream.call import UnaryRequest


def way_lines(config: Config, upstream: str, sent: UnaryRequest | None) -> Iterator[str]:
    """For people; nothing where the upstream has one way."""
    ways = ways_of(config, upstream)
    if ways is None:
        return
    first, *others = ways.tiers
    if len(first) > 1:
        shares = ", ".join(f"{way.weight:g}% {way.label}" for way in first)
        chosen = _own(ways, sent)
        by = f"; by {ways.sticky}" if ways.sticky else ""
        yield f"split      {shares}{by}{f': this request to {chosen}' if chosen else ''}"
    if others:
        yield f"failover   {', then '.join(way.label for tier in others for way in tier)}"


def way_data(config: Config, upstream: str, sent: UnaryRequest | None) -> dict[str, Any] | None:
    """For machines; `chosen` is null where each call takes its turn."""
    ways = ways_of(config, upstream)
    if ways is None:
        return None
    tiers = [[{"way": way.label, "weight": way.weight} for way in tier] for tier in ways.tiers]
    return {"tiers": tiers, "sticky": ways.sticky or None, "chosen": _own(ways, sent)}


def _own(ways: Ways, sent: UnaryRequest | None) -> str | None:
    """The way of a request whose metadata decides, as long as all can be reached."""
    metadata = [] if sent is None else sent.metadata
    key = next((value for name, value in metadata if name == ways.sticky.encode()), None) if ways.sticky else None
    if key is None:
        return None
    flat = [way for tier in ways.tiers for way in tier]
    chosen = TrafficShares([[way.weight for way in tier] for tier in ways.tiers]).choose([True] * len(flat), key)
    return None if chosen is None else flat[chosen].label
