"""
Where in a document each route stands: paths and methods.

Owns what OpenAPI cannot say as HTTP can: two templates of one shape are one path (their parameters get the names of the first), a rule
for every method becomes the usual ones that no other rule has, and methods without a place of their own are left out and told.
Source: OpenAPI 3.1.1 sections 4.8.8 (templated paths) and 4.8.9 (path items).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edge.core.path_template import parse
from edge.core.route_trie import ANY
from edge.openapi.readable_path import ReadablePath, expand
from edge.routes import Route

_METHODS = frozenset({"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"})
_USUAL = ("GET", "PUT", "POST", "DELETE", "PATCH")


class Place(NamedTuple):
    """A route under one method and path of the document."""

    route: Route
    method: str
    path: ReadablePath


def places(routes: Sequence[Route]) -> tuple[list[Place], list[Route]]:
    """A place for every operation, in the order of the routes, and the routes that have none."""
    paths = _paths(routes)
    taken = {
        (path.shape, route.binding.http_method): route
        for route, path in zip(reversed(routes), reversed(paths), strict=True)
    }
    found: list[Place] = []
    left_out: list[Route] = []
    for route, path in zip(routes, paths, strict=True):
        methods = [method for method in _methods(route) if taken.setdefault((path.shape, method), route) is route]
        found += [Place(route, method, path) for method in methods]
        if not methods:
            left_out.append(route)
    return found, left_out


def _paths(routes: Iterable[Route]) -> list[ReadablePath]:
    first: dict[str, ReadablePath] = {}
    paths = []
    for route in routes:
        path = expand(parse(route.binding.template))
        paths.append(path.named_like(first.setdefault(path.shape, path)))
    return paths


def _methods(route: Route) -> list[str]:
    method = route.binding.http_method
    if method == ANY:
        return list(_USUAL)
    return [method] if method in _METHODS else []
