"""
What the dialects serve from: one immutable generation of routes, upstreams and per-API choices.

Owns the guarantee that a call sees exactly one generation: it takes the current one when it begins and keeps it. A reload or a
refreshed reflection makes a new value and swaps one reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network

from edge.core.cors import CorsRules
from edge.core.json_framing import Format
from edge.core.metadata import MetadataRules
from edge.ingress.path_owners import PathOwners
from edge.routes import RouteTable
from edge.upstream.call import Upstream


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How an API's streaming methods answer over REST. `event_id` names the field that is the id of server-sent events."""

    format: Format = "array"
    heartbeat_s: float = 15.0
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class WebSocketSettings:
    """How an API's RPCs are offered over WebSocket. `write_timeout_s`: a client on HTTP/2 that takes nothing for so long is cut off."""

    ping_interval_s: float = 30.0
    write_timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """
    One API's choices that are not the codec's or the route's.

    `unimplemented`: a wrong method is answered as what it is in gRPC, not in HTTP.
    """

    metadata: MetadataRules = field(default_factory=MetadataRules)
    compression: bool = True
    streaming: StreamSettings = field(default_factory=StreamSettings)
    cors: CorsRules | None = None
    websocket: WebSocketSettings | None = None
    unimplemented: bool = False


@dataclass(frozen=True, slots=True)
class Serving:
    """
    One generation. `loading` names APIs whose description is not known yet (reflection of an upstream that is down): an unknown path is
    then 503, not 404. `trusted` are the proxies whose X-Forwarded-* is believed. `documents` gives the OpenAPI documents by path, as far
    as they are made. `stream_idle_timeout_s` None: a stream may rest as long as it likes.
    """

    routes: RouteTable
    upstreams: Mapping[str, Upstream]
    apis: Mapping[str, ApiSettings]
    loading: tuple[str, ...] = ()
    trusted: tuple[IPv4Network | IPv6Network, ...] = ()
    max_body_bytes: int = 4 * 1024 * 1024
    stream_idle_timeout_s: float | None = None
    documents: Callable[[], Mapping[str, bytes]] = dict
    owners: PathOwners = field(init=False, repr=False, compare=False)
    has_cors: bool = field(init=False, repr=False)
    has_websocket: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "owners", PathOwners(self.routes))
        # Asked at each request: where no API has them, they must cost nothing.
        object.__setattr__(self, "has_cors", any(api.cors is not None for api in self.apis.values()))
        object.__setattr__(self, "has_websocket", any(api.websocket is not None for api in self.apis.values()))
