"""
Which API a path belongs to that has no route: whose rules an answer goes by when no call could be made.

Owns the guess and its order: by the service in a gRPC path, else by the literal beginning that most of its segments share with one API's
paths. What two APIs share belongs to neither. The tables are made once, when first asked for, and a lookup costs a few segments.
"""

from __future__ import annotations

from itertools import takewhile

from edge.core.path_template import Literal, parse
from edge.routes import RouteTable

_MAX_SEGMENTS = 16
"""Looked at, of a path that a client chose."""

_NOBODY = ""


class PathOwners:
    """Of one table of routes."""

    __slots__ = ("_prefixes", "_routes", "_services")

    def __init__(self, routes: RouteTable) -> None:
        self._routes = routes
        self._services: dict[str, str] = {}
        self._prefixes: dict[tuple[str, ...], str] | None = None

    def find(self, path: str) -> str | None:
        """The API, None when it cannot be told."""
        prefixes = self._made()
        segments = tuple(path[1:].split("/", _MAX_SEGMENTS)[:_MAX_SEGMENTS])
        if len(segments) == 2 and (service := self._services.get(segments[0])):
            return service
        for length in range(len(segments), 0, -1):
            owner = prefixes.get(segments[:length])
            if owner is not None:
                return owner or None
        return None

    def _made(self) -> dict[tuple[str, ...], str]:
        if self._prefixes is None:
            prefixes = self._prefixes = {}
            for target in self._routes.targets.values():
                self._services.setdefault(target.rpc.service, target.api)
            for route in self._routes.routes:
                segments = _beginning(route.binding.template)
                for length in range(1, len(segments) + 1):
                    owner = prefixes.setdefault(segments[:length], route.api)
                    if owner != route.api:
                        prefixes[segments[:length]] = _NOBODY
        return self._prefixes


def _beginning(template: str) -> tuple[str, ...]:
    """The segments of a template before its first wildcard."""
    literals = takewhile(lambda segment: isinstance(segment, Literal), parse(template).pattern)
    return tuple(segment.text for segment in literals if isinstance(segment, Literal))
