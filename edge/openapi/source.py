"""
What a document is made of: one API as it is served, and the few things its routes do not say.

Owns these plain values; whoever has a snapshot makes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edge.routes import Route
from edge.wire.codec import JsonOptions

Json = dict[str, Any]
"""A JSON object."""

JsonValue = Any
"""Any JSON value."""


@dataclass(frozen=True, slots=True, eq=False)
class ApiSource:
    """
    One API to document. `descriptor_set` is serialized and self-contained; source info in it becomes descriptions.

    `servers` are base URLs; none means the host the document was fetched from. `streams_served` documents streaming methods as served,
    otherwise as the 501 they get. `security_schemes` are OpenAPI security scheme objects by name: a client needs to satisfy one of them.
    """

    name: str
    routes: Sequence[Route]
    descriptor_set: bytes
    options: JsonOptions
    servers: Sequence[str] = ()
    streams_served: bool = False
    security_schemes: Mapping[str, Json] = field(default_factory=dict)
