"""
What the dialects serve from: one immutable generation of routes, upstreams and per-API choices.

Owns the guarantee that a call sees exactly one generation: it takes the current one when it begins and keeps it. A reload or a
refreshed reflection makes a new value and swaps one reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network

from edge.core.metadata import MetadataRules
from edge.routes import RouteTable
from edge.upstream.call import Upstream


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """One API's choices that are not the codec's or the route's."""

    metadata: MetadataRules = field(default_factory=MetadataRules)
    compression: bool = True


@dataclass(frozen=True, slots=True)
class Serving:
    """
    One generation. `loading` names APIs whose description is not known yet (reflection of an upstream that is down): an unknown path is
    then 503, not 404. `trusted` are the proxies whose X-Forwarded-* is believed.
    """

    routes: RouteTable
    upstreams: Mapping[str, Upstream]
    apis: Mapping[str, ApiSettings]
    loading: tuple[str, ...] = ()
    trusted: tuple[IPv4Network | IPv6Network, ...] = ()
    max_body_bytes: int = 4 * 1024 * 1024
