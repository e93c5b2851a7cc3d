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

    `envelope`: streams whose client has no preference are answered in lines `{"result": …}`.
    `servers` are base URLs; none means the host the document was fetched from.
    `security_schemes` are OpenAPI security scheme objects by name: a client needs to satisfy one of them.
    """

    name: str
    routes: Sequence[Route]
    descriptor_set: bytes
    options: JsonOptions
    envelope: bool = False
    servers: Sequence[str] = ()
    security_schemes: Mapping[str, Json] = field(default_factory=dict)
